"""Every screen looks as it did. See tests/data/golden/README.md for how to draw them anew."""

import os
from pathlib import Path

from PIL import Image, ImageChops

from firmware.ui.bitmap import Bitmap
from firmware.ui.canvas import art_of, png_of
from firmware.ui.render import render
from firmware.ui.text import Texts

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
TEXTS = Texts.load("en")


def cut(image, box):
    """A part of another library's picture as one of ours."""
    part = image.crop(box)
    return Bitmap.from_bits(*part.size, part.tobytes())


def test_the_screen_looks_as_it_did(scene_name, size, scene_of):
    view, clock = scene_of(scene_name)
    picture = render(view, clock, size, TEXTS)
    file = GOLDEN / f"{scene_name}-{size[0]}x{size[1]}.png"
    if os.environ.get("DESKPHONE_GOLDEN") == "write":
        file.write_bytes(png_of(picture))
    expected = Image.open(file).convert("1")
    seen = Image.frombytes("1", picture.size, picture.bits)
    box = ImageChops.logical_xor(expected, seen).getbbox()
    assert box is None, (
        f"{file.name} differs in columns {box[0]}-{box[2] - 1}, rows {box[1]}-{box[3] - 1}:\n"
        f"{art_of(cut(seen, box))}instead of\n{art_of(cut(expected, box))}"
    )


def test_there_is_no_picture_of_a_moment_that_is_gone(all_scenes):
    names = {file.stem.rsplit("-", 1)[0] for file in GOLDEN.glob("*.png")}
    assert names == set(all_scenes)
