"""A front panel on a Raspberry Pi Pico: keypad, hook switch, lamps, buzzer and an SSD1306 screen.

Reference firmware for ../../serial-panel.md, in MicroPython (1.20 or newer). Copy it to the board
as main.py and change the pins in `Pico`. `Panel` is the whole protocol and touches no pin, so the
phone's own tests run it as it stands; whoever writes a panel in another language may read it as
the answer to "what exactly does it do then?".
"""

import binascii
import time

VERSION = "1"
NAME = "pico"
KEY_LOCKOUT, HOOK_LOCKOUT = 20, 50
RESEND_MS, TRIES = 300, 10
LONELY_MS = 15_000
LONGEST = 480
BLINK = {"off": (0, 1), "on": (1, 0), "slow": (700, 700), "fast": (200, 200)}


def checksum(body):
    """CRC-16, polynomial 0x1021, start value 0xFFFF."""
    crc = 0xFFFF
    for octet in body:
        crc ^= octet << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def encode(seq, text):
    """A line: sequence number, text, checksum."""
    body = b"%02X %s" % (seq, text.encode())
    return b"~%s*%04X\n" % (body, checksum(body))


def decode(line):
    """Sequence number and words of what stood between `~` and the end of the line, or None."""
    star = line.rfind(b"*")
    body, ending = line[:star], line[star + 1 :].strip()
    if star < 4 or ending != b"%04X" % checksum(body):
        return None
    try:
        words = body.decode().split(" ")
        return int(words[0], 16), words[1:]
    except ValueError:
        return None


class Contact:
    """Something that opens and closes, and bounces: believed at once, then not looked at."""

    def __init__(self, lockout):
        self.lockout = lockout
        self.closed = False
        self.until = 0

    def changed(self, closed, now):
        """Whether what is read now is news."""
        if now < self.until or closed == self.closed:
            return False
        self.closed, self.until = closed, now + self.lockout
        return True


class Panel:
    """The protocol; `hardware` is a `Pico`, or whatever has its methods."""

    def __init__(self, hardware):
        self.hardware = hardware
        self.keys = {}
        self.hook = Contact(HOOK_LOCKOUT)
        self.lamps = {}
        self.bell = []
        self.bell_since = 0
        self.line = None
        self.queue = []
        self.sent = None
        self.seq = 0
        self.greeted = False
        self.heard = None
        self.heard_at = 0
        # A panel that is plugged in during a call must not begin by saying that the handset lies.
        self.hook.closed = hardware.lifted()
        self.introduce()

    def turn(self):
        """Look at everything once; call it a hundred times a second or more."""
        now = self.hardware.now()
        self.listen(self.hardware.read(), now)
        self.scan(now)
        self.speak(now)
        self.shine(now)
        if self.greeted and now - self.heard_at > LONELY_MS:
            self.darken()

    # What the phone says

    def listen(self, octets, now):
        """Take bytes as they come: a `~` begins a line wherever it stands."""
        for octet in octets:
            if octet == 0x7E:
                self.line = bytearray()
            elif self.line is not None and octet == 0x0A:
                message = decode(bytes(self.line))
                self.line = None
                if message is not None:
                    self.heard_at = now
                    self.obey(message[0], message[1], now)
            elif self.line is not None and len(self.line) < LONGEST:
                self.line.append(octet)
            else:
                self.line = None

    def obey(self, seq, words, now):
        """Every line but an acknowledgement is acknowledged, also one that is not understood."""
        if words[0] == "ACK":
            if self.sent is not None and self.sent[0] == seq:
                self.greeted = self.greeted or self.sent[1].startswith("PANEL")
                self.sent = None
            return
        self.hardware.write(encode(seq, "ACK"))
        if seq == self.heard and words[0] != "HELLO":
            return
        self.heard = seq
        try:
            self.do(words, now)
        except (IndexError, ValueError, KeyError):
            # What it asks for is not here, or comes from a later phone.
            pass

    def do(self, words, now):
        """HELLO, LAMP, STRIP, TEXT, BELL, BYE; PING wants nothing but its acknowledgement."""
        if words[0] == "HELLO":
            self.introduce()
        elif words[0] == "LAMP":
            self.lamps[words[1]] = (BLINK[words[2]], now)
        elif words[0] == "STRIP":
            self.hardware.strip(int(words[1]), binascii.a2b_base64(words[2]))
        elif words[0] == "TEXT":
            self.hardware.text(int(words[1]), binascii.a2b_base64(words[2]).decode())
        elif words[0] == "BELL":
            self.bell = [] if words[1] == "off" else [int(word) for word in words[1:]]
            self.bell_since = now
        elif words[0] == "BYE":
            self.darken()

    def introduce(self):
        """Say who we are, and where the handset is; what was pressed before is forgotten."""
        self.queue = ["PANEL " + VERSION + " " + NAME, self.where_the_handset_is()]
        self.sent = None
        self.greeted = False

    def darken(self):
        """The phone is gone: dark and silent until it is back."""
        for lamp in self.hardware.lamps:
            self.lamps[lamp] = (BLINK["off"], 0)
        self.bell = []
        for row in range(self.hardware.rows):
            self.hardware.strip(row, bytes(self.hardware.width))
            self.hardware.text(row, "")
        self.greeted = False
        self.sent = None
        self.queue = []

    # What we say

    def scan(self, now):
        """Keys and hook: what changed is put in the queue."""
        down = self.hardware.keys()
        for key in list(self.keys) + [key for key in down if key not in self.keys]:
            contact = self.keys.setdefault(key, Contact(KEY_LOCKOUT))
            if contact.changed(key in down, now):
                self.tell("KEY " + key + (" down" if contact.closed else " up"))
        if self.hook.changed(self.hardware.lifted(), now):
            self.tell(self.where_the_handset_is())

    def where_the_handset_is(self):
        """HOOK as the phone wants it."""
        return "HOOK lifted" if self.hook.closed else "HOOK replaced"

    def tell(self, text):
        """To be sent in its turn; without a phone there is nobody to tell."""
        if self.greeted or self.sent or self.queue:
            self.queue.append(text)

    def speak(self, now):
        """One line at a time, again and again until it is acknowledged."""
        if self.sent is None and self.queue:
            self.seq = (self.seq + 1) % 256
            self.sent = [self.seq, self.queue.pop(0), now - RESEND_MS, 0]
        if self.sent is None or now - self.sent[2] < RESEND_MS:
            return
        if self.sent[3] == TRIES:
            self.sent, self.queue, self.greeted = None, [], False
            return
        self.sent[2], self.sent[3] = now, self.sent[3] + 1
        self.hardware.write(encode(self.sent[0], self.sent[1]))

    # What people see and hear

    def shine(self, now):
        """Lamps and bell as they are at this moment."""
        for lamp in self.lamps:
            (on, off), since = self.lamps[lamp]
            self.hardware.lamp(lamp, (now - since) % (on + off) < on)
        self.hardware.bell(self.rings(now))

    def rings(self, now):
        """Whether the bell's cadence (milliseconds on, off, on, off) is at an "on"."""
        total = sum(self.bell)
        if not total:
            return False
        at = (now - self.bell_since) % total
        for place, length in enumerate(self.bell):
            if at < length:
                return place % 2 == 0
            at -= length
        return False


class Pico:
    """The pins. Everything that another board has elsewhere stands here."""

    KEYS = (("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9"), ("*", "0", "#"))
    ROWS, COLUMNS = (6, 7, 8, 9), (10, 11, 12)
    HOOK = 13
    LAMPS = {"message": 14, "mute": 15, "speaker": 16}
    BUZZER = 17
    width, rows = 128, 8
    SET_UP = binascii.unhexlify("aed580a83fd300408d142000a1c8da12817fd9f1db40a4a6af")

    def __init__(self):
        import machine

        pin = machine.Pin
        self.uart = machine.UART(0, 115200, tx=pin(0), rx=pin(1), rxbuf=1024)
        self.i2c = machine.I2C(0, scl=pin(5), sda=pin(4), freq=400_000)
        self.row_pins = [pin(number, pin.OPEN_DRAIN, value=1) for number in self.ROWS]
        self.column_pins = [pin(number, pin.IN, pin.PULL_UP) for number in self.COLUMNS]
        self.hook_pin = pin(self.HOOK, pin.IN, pin.PULL_UP)
        self.lamps = {name: pin(number, pin.OUT) for name, number in self.LAMPS.items()}
        self.buzzer = pin(self.BUZZER, pin.OUT)
        self.started = self.last = time.ticks_ms()
        self.elapsed = 0
        try:
            self.i2c.writeto(0x3C, b"\x00" + self.SET_UP)
        except OSError:
            # No screen: the rest works.
            pass

    def now(self):
        """Milliseconds since the start; the board's own count begins anew every twelve days."""
        ticks = time.ticks_ms()
        self.elapsed += time.ticks_diff(ticks, self.last)
        self.last = ticks
        return self.elapsed

    def read(self):
        """What has come."""
        return self.uart.read() or b""

    def write(self, octets):
        """Send."""
        self.uart.write(octets)

    def keys(self):
        """The names of the keys that are down."""
        down = []
        for names, row in zip(self.KEYS, self.row_pins):
            row.value(0)
            down += [name for name, column in zip(names, self.column_pins) if not column.value()]
            row.value(1)
        return down

    def lifted(self):
        """Whether the handset is off its cradle: the switch is open then."""
        return bool(self.hook_pin.value())

    def lamp(self, name, lit):
        """Light a lamp or not."""
        if name in self.lamps:
            self.lamps[name].value(int(lit))

    def bell(self, on):
        """Sound the buzzer or not."""
        self.buzzer.value(int(on))

    def strip(self, row, columns):
        """Draw eight rows of pixels, one byte a column with the lowest bit on top."""
        if row >= self.rows:
            return
        try:
            self.i2c.writeto(0x3C, bytes((0, 0x21, 0, self.width - 1, 0x22, row, row)))
            self.i2c.writeto(0x3C, b"\x40" + columns)
        except OSError:
            pass

    def text(self, row, words):
        """Write a row of letters; for a display that has those in place of pixels."""


class PicoByCable(Pico):
    """The same pins; the phone is at the USB socket, as /dev/serial/by-id/usb-MicroPython_…."""

    def __init__(self):
        import select
        import sys

        import micropython

        super().__init__()
        # A byte of 3 is no wish to stop.
        micropython.kbd_intr(-1)
        self.ear, self.mouth = sys.stdin.buffer, sys.stdout.buffer
        self.waiting = select.poll()
        self.waiting.register(sys.stdin, select.POLLIN)

    def read(self):
        """What has come, a byte at a time: more would be waited for."""
        octets = bytearray()
        while len(octets) < LONGEST and self.waiting.poll(0):
            octets += self.ear.read(1)
        return bytes(octets)

    def write(self, octets):
        """Send."""
        self.mouth.write(octets)


def main():
    """Run for ever."""
    panel = Panel(Pico())  # or PicoByCable()
    while True:
        panel.turn()
        time.sleep_ms(2)


if __name__ == "__main__":
    main()
