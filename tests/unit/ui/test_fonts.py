import struct

import pytest

from firmware.ui.fonts import FONTS, Font
from firmware.ui.fonts.convert import convert

LATIN_1 = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
CYRILLIC = "".join(map(chr, range(0x410, 0x450))) + "Ёё"


@pytest.mark.parametrize("name", FONTS)
def test_a_font_has_latin_1_and_cyrillic(name):
    missing = {letter for letter in LATIN_1 + CYRILLIC if letter not in FONTS[name]}
    assert missing <= {"\xa0", "\xad"}


@pytest.mark.parametrize("name", FONTS)
def test_a_visible_letter_has_ink_and_fits_its_cell(name):
    font = FONTS[name]
    for letter in "AgЖй€…":
        glyph = font.glyph(letter)
        assert glyph.size == (font.width, font.height)
        assert any(glyph.bits)


def test_letters_differ():
    font = FONTS["5x7"]
    pictures = {font.glyph(letter).bits for letter in "abcdefghijklmnopqrstuvwxyz0123456789"}
    assert len(pictures) == 36


def test_an_accent_we_lack_is_dropped():
    font = FONTS["6x10"]
    assert "ế" not in font
    assert font.glyph("ế").bits == font.glyph("e").bits


def test_a_letter_we_lack_is_a_question_mark():
    font = FONTS["6x10"]
    assert font.glyph("電").bits == font.glyph("?").bits


def test_names_from_all_over_the_world_do_not_fill_the_memory():
    font = Font("width 1 height 1 ascent 1\n003f 80\n")
    for code in range(0x4E00, 0x4E00 + 10_000):
        font.glyph(chr(code))
    assert len(font._glyphs) == 0


def pcf(*, most_significant_first):
    """A PCF font of one 3x2 glyph, `0`: rows `#.#` and `.#.`, in the asked byte layout."""
    rows = []
    for row in (0b101, 0b010):
        octets = bytes([row << 5, 0, 0, 0])
        if not most_significant_first:
            octets = bytes(int(f"{octet:08b}"[::-1], 2) for octet in octets)
        rows.append(octets)
    form = 2 | (12 if most_significant_first else 0)
    order = ">" if most_significant_first else "<"
    accelerators = struct.pack("<I", 0) + bytes(8) + struct.pack("<2i", 2, 0)
    metrics = struct.pack("<I", 0x100) + struct.pack("<H", 1)
    metrics += bytes(0x80 + value for value in (0, 3, 4, 2, 0))
    bitmaps = struct.pack("<I", form) + struct.pack(order + "II4I", 1, 0, 0, 0, 8, 0)
    bitmaps += b"".join(rows)
    encodings = struct.pack("<I", 0) + struct.pack("<5HH", 0x30, 0x30, 0, 0, 0, 0)
    tables = {2: accelerators, 4: metrics, 8: bitmaps, 32: encodings}
    head = b"\x01fcp" + struct.pack("<I", len(tables))
    offset = len(head) + 16 * len(tables)
    body = b""
    for kind, table in tables.items():
        head += struct.pack("<4I", kind, 0, len(table), offset + len(body))
        body += table
    return head + body


@pytest.mark.parametrize("most_significant_first", [True, False])
def test_the_converter_reads_either_bit_order(most_significant_first):
    text = convert(pcf(most_significant_first=most_significant_first))
    assert text == "width 4 height 2 ascent 2\n0030 a040\n"


def test_the_converter_refuses_what_is_no_font():
    with pytest.raises(ValueError, match="not a PCF font"):
        convert(b"GIF89a")
