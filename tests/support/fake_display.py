"""Display chips that understand what comes over their bus and keep the picture in their memory.

Written from the datasheets (SSD1306 §8–10, SH1106 command table, SSD1322 §8–9); they refuse what
the real ones would misunderstand. `FakeBus` stands where `smbus2.SMBus` does, `FakeSpi` where
`spidev.SpiDev` does: with the power off, neither answers.
"""

import errno
import hashlib
import types

from hal.ports import Picture


def noise(size, seed=1):
    """A picture without any order."""
    width, height = size
    bits = hashlib.shake_128(bytes((seed % 256, seed // 256))).digest(width * height // 8)
    return Picture(width, height, bits)


class Chip:
    """Memory of pages; `lit` is whether the panel is on."""

    with_one, with_two = b"\x20\x81\x8d\xa8\xd3\xd5\xd9\xda\xdb", b""

    def __init__(self, width=128, height=64):
        self.width, self.height = width, height
        self.memory = [bytearray(b"\xa5" * 132) for _ in range(height // 8)]
        self.lit = False
        self.contrast = None
        self.octets = 0

    def command(self, octets):
        rest = list(octets)
        while rest:
            code = rest.pop(0)
            count = (code in self.with_one) + 2 * (code in self.with_two)
            args = [rest.pop(0) for _ in range(count)]
            self.obey(code, args)

    def obey(self, code, args):
        if code in (0xAE, 0xAF):
            self.lit = code == 0xAF
        elif code == 0x81:
            (self.contrast,) = args

    @property
    def picture(self):
        """What a person sees, with the panel on."""
        first = self.first_column
        rows = bytearray()
        for y in range(self.height):
            page, bit = self.memory[y // 8], y % 8
            for x in range(first, first + self.width, 8):
                rows.append(sum((page[x + i] >> bit & 1) << 7 - i for i in range(8)))
        return Picture(self.width, self.height, bytes(rows))


class Ssd1306(Chip):
    """Horizontal addressing within a window."""

    with_two = b"\x21\x22"

    def __init__(self, width=128, height=64):
        super().__init__(width, height)
        self.first_column = 32 if width == 64 else 0
        self.window = None
        self.horizontal = False

    def obey(self, code, args):
        super().obey(code, args)
        if code == 0x20:
            self.horizontal = args == [0x00]
        elif code == 0x21:
            self.columns = tuple(args)
            self.at = [args[0], None]
        elif code == 0x22:
            assert args[1] < self.height // 8
            self.pages = tuple(args)
            self.at[1] = args[0]

    def data(self, octets):
        assert self.horizontal, "memory mode was never set"
        for octet in octets:
            column, page = self.at
            self.memory[page][column] = octet
            if column < self.columns[1]:
                self.at[0] += 1
            else:
                self.at = [self.columns[0], page + 1 if page < self.pages[1] else self.pages[0]]


class Sh1106(Chip):
    """One page at a time, 132 columns, the panel in the middle of them."""

    with_one = b"\x81\xa8\xd3\xd5\xd9\xda\xdb"
    first_column = 2

    def __init__(self, width=128, height=64):
        super().__init__(width, height)
        self.page = self.column = 0

    def obey(self, code, args):
        super().obey(code, args)
        if 0xB0 <= code <= 0xBF:
            self.page = code & 0x0F
        elif code < 0x10:
            self.column = self.column & 0xF0 | code
        elif code < 0x20:
            self.column = self.column & 0x0F | (code & 0x0F) << 4

    def data(self, octets):
        for octet in octets:
            self.memory[self.page][self.column] = octet
            self.column += 1


class Ssd1322:
    """Four bits a pixel, a window of rows; a command's arguments come as data."""

    def __init__(self, width=256, height=64):
        self.width, self.height = width, height
        self.memory = {}
        self.lit = False
        self.contrast = None
        self.last, self.args = None, []
        self.octets = 0

    def command(self, octets):
        (self.last,), self.args = octets, []
        if self.last in (0xAE, 0xAF):
            self.lit = self.last == 0xAF
        if self.last == 0x5C:
            self.at = [self.columns[0], self.rows[0], 0]

    def data(self, octets):
        if self.last == 0x5C:
            for octet in octets:
                self.write(octet)
            return
        self.args += octets
        match self.last, self.args:
            case 0x15, [first, last]:
                self.columns = (first, last)
            case 0x75, [first, last]:
                self.rows = (first, last)
            case 0xC1, [level]:
                self.contrast = level

    def write(self, octet):
        column, row, half = self.at
        self.memory[row, column * 2 + half] = octet
        if half == 0:
            self.at[2] = 1
        elif column < self.columns[1]:
            self.at = [column + 1, row, 0]
        else:
            self.at = [self.columns[0], row + 1, 0]

    @property
    def picture(self):
        first = (480 - self.width) // 4
        rows = bytearray()
        for y in range(self.height):
            for x in range(0, self.width // 2, 4):
                octets = [self.memory[y, first + x + i] for i in range(4)]
                rows.append(
                    sum(
                        (octet >> 7 & 1) << 7 - 2 * i | (octet & 1) << 6 - 2 * i
                        for i, octet in enumerate(octets)
                    )
                )
        return Picture(self.width, self.height, bytes(rows))


CHIPS = {"ssd1306": Ssd1306, "ssd1309": Ssd1306, "sh1106": Sh1106, "ssd1322": Ssd1322}


class FakeBus:
    """An I²C bus with one display at `address`; `plain` = it speaks SMBus only."""

    def __init__(self, chip, address=0x3C, *, plain=False):
        self.chip, self.address, self.plain = chip, address, plain
        self.powered = True
        self.opened = self.closed = 0
        self.clocks = 0

    def open(self, _port):
        """What `smbus2.SMBus(port)` does."""
        self.opened += 1
        return self

    @property
    def funcs(self):
        return 0x0EFF0008 if self.plain else 0x0EFF0009

    def close(self):
        self.closed += 1

    def write_i2c_block_data(self, address, mode, data):
        assert len(data) <= 32
        self.transfer(address, mode, bytes(data))

    def i2c_rdwr(self, message):
        if self.plain:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        mode, *data = list(message)
        self.transfer(message.addr, mode, bytes(data))

    def read_byte(self, address):
        if not self.powered or address != self.address:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        return 0x43

    def transfer(self, address, mode, data):
        # Start, address, mode, data, each byte with its acknowledgement, stop.
        self.clocks += 1 + 9 * (2 + len(data)) + 1
        if not self.powered or address != self.address:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        (self.chip.data if mode == 0x40 else self.chip.command)(data)


class FakeSpi(types.ModuleType):
    """The module `spidev` with one device on it; `data_command` is the wire of that name."""

    def __init__(self, chip, data_command):
        super().__init__("spidev")
        self.chip, self.data_command = chip, data_command
        self.there = True
        self.closed = 0

    def SpiDev(self):  # noqa: N802 - the module's own name
        return self

    def open(self, _port, _device):
        if not self.there:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    def writebytes(self, octets):
        (self.chip.data if self.data_command.high else self.chip.command)(bytes(octets))

    def close(self):
        self.closed += 1


class FakeLine:
    """A driven pin."""

    def __init__(self):
        self.high = False
        self.closed = 0
        self.edges = 0

    def on(self):
        self.high = True

    def off(self):
        self.high = False
        self.edges += 1

    def close(self):
        self.closed += 1
