"""`[display]`: a screen on I²C or SPI, and what luma.oled can set up of it. Pure."""

from hal.board_spec import DisplaySpec
from hal.header import USUAL_PORT
from hal.tables.pins import Pins
from hal.toml_table import Table

_SSD1306_SIZES = ((128, 64), (128, 32), (96, 16), (64, 48), (64, 32))
CHIP_SIZES: dict[str, tuple[tuple[int, int], ...]] = {
    "ssd1306": _SSD1306_SIZES,
    "ssd1309": _SSD1306_SIZES,
    "ssd1322": ((256, 64), (256, 48), (256, 32), (128, 64), (128, 48), (128, 32)),
    "sh1106": ((128, 64), (128, 32), (128, 128)),
}
"""What luma.oled can set up."""
SPI_ONLY = ("ssd1322",)


def display(table: Table, pins: Pins) -> DisplaySpec:
    """The screen; its bus takes its pins."""
    bus = table.text("bus", "i2c", ("i2c", "spi"))
    port = table.integer("port", USUAL_PORT[bus], 0, 6)
    device = table.integer("device", 0, 0, 2)
    pins.bus_at(bus, port, table, "bus")
    if bus == "spi":
        pins.selects(port, device, table)
    spec = DisplaySpec(
        chip=table.text("chip", None, CHIP_SIZES),
        size=table.size("size", required=True) or (128, 64),
        bus=bus,
        port=port,
        address=table.integer("address", 0x3C, 0x08, 0x77),
        device=device,
        data_command=pins.one(table, "data_command") if bus == "spi" else None,
        reset=pins.one_or_none(table, "reset"),
        rotate=table.integer("rotate", 0, 0, 3),
        contrast=table.integer("contrast", 127, 0, 255),
    )
    _check(spec, table)
    return spec


def _check(spec: DisplaySpec, table: Table) -> None:
    """What luma.oled has no driver for is said before it is opened."""
    sizes = CHIP_SIZES.get(spec.chip, (spec.size,))
    if spec.size not in sizes:
        known = ", ".join(f"{width}×{height}" for width, height in sizes)
        table.complain("size", f"a {spec.chip} has {known}")
    if spec.chip in SPI_ONLY and spec.bus != "spi":
        table.complain("bus", f'a {spec.chip} has no I²C; bus = "spi"')
