"""A `Picture` in the pixel orders that display chips have. Pure, and quick without any library.

A picture has rows of bits; the small chips have pages: eight rows high, one byte a column, its
lowest bit on top (data sheets: SSD1306 section 8.7, SH1106 section 5.2). A greyscale chip has four
bits a pixel (SSD1322 section 8.2). Whole rows are taken at once: each byte is looked up, and the
eight rows of a page are shifted and laid over one another as one long number.
"""

from hal.ports import Picture

_PIXELS = tuple(bytes(byte >> bit & 1 for bit in range(7, -1, -1)) for byte in range(256))
"""Eight pixels as eight bytes, 0 or 1."""
_NIBBLES = tuple(
    bytes(
        (0xF0 if byte & high else 0) | (0x0F if byte & high >> 1 else 0)
        for high in (0x80, 0x20, 0x08, 0x02)
    )
    for byte in range(256)
)
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_DIGITS = bytes.maketrans(b"\x00\x01", b"01")


def pages(picture: Picture) -> tuple[bytes, ...]:
    """The pages from the top, each `width` bytes; the height is a multiple of 8."""
    stride = picture.width // 8
    rows = [
        int.from_bytes(_expanded(picture.bits[at : at + stride]), "big")
        for at in range(0, stride * picture.height, stride)
    ]
    return tuple(
        sum(rows[top + bit] << bit for bit in range(8)).to_bytes(picture.width, "big")
        for top in range(0, picture.height, 8)
    )


def nibbles(picture: Picture) -> bytes:
    """Two pixels a byte, the left one in the high half; lit is 15."""
    return b"".join(map(_NIBBLES.__getitem__, picture.bits))


def turned(picture: Picture, quarters: int) -> Picture:
    """The picture turned clockwise by quarters of a circle."""
    match quarters % 4:
        case 0:
            return picture
        case 2:
            bits = picture.bits[::-1].translate(_MIRRORED)
            return Picture(picture.width, picture.height, bits)
        case quarter:
            return _laid_on_its_side(picture, clockwise=quarter == 1)


def _laid_on_its_side(picture: Picture, *, clockwise: bool) -> Picture:
    pixels = _expanded(picture.bits)
    columns = [pixels[x :: picture.width] for x in range(picture.width)]
    rows = [column[::-1] for column in columns] if clockwise else columns[::-1]
    bits = int(b"".join(rows).translate(_DIGITS), 2).to_bytes(len(picture.bits), "big")
    return Picture(picture.height, picture.width, bits)


def blank(size: tuple[int, int]) -> Picture:
    """A dark picture."""
    width, height = size
    return Picture(width, height, bytes(width * height // 8))


def _expanded(bits: bytes) -> bytes:
    return b"".join(map(_PIXELS.__getitem__, bits))
