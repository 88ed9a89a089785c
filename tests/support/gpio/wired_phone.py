"""A phone on mock pins with somebody's hands on the wires.

`python wired_phone.py SOCKET run …` is `deskphone run …`; what comes to the datagram socket SOCKET
moves the wires of its pin factory (`mock`, `gpiod`): `close 17`, `open 17`, `connect 5 12`,
`disconnect 5 12`. `level 22` and `edges 22` are answered; what each pin gave when the program had
ended stands in a file beside the socket. `SOCKET,17` = that contact is closed from the beginning;
`SOCKET,late` = the chip of `gpiod` is not there before `plug`.
Run by its path: it is no part of the phone.
"""

import functools
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from firmware.cli import main
from hal.gpio import factories
from tests.support.gpio.mock_pins import WiredFactory
from tests.support.gpio.wires import Wires

LATE = "late"


class Hands:
    """The other end: what a test does to the wires of a phone that runs."""

    def __init__(self, path: Path) -> None:
        """`path` is where the phone's socket will be."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path.with_suffix(".hands")))
        self._socket.settimeout(5)

    def program(self, *closed: int | str) -> tuple[str, ...]:
        """What to start in place of `deskphone`; these contacts are closed from the beginning.

        `LATE` among them: the chip comes later.
        """
        return (sys.executable, __file__, ",".join([str(self._path), *map(str, closed)]))

    def move(self, *words: object) -> None:
        """Do something to a wire."""
        self._socket.sendto(" ".join(map(str, words)).encode(), str(self._path))

    def level(self, pin: int) -> int:
        """What an output gives."""
        self.move("level", pin)
        return int(self._socket.recv(16))

    def edges(self, pin: int) -> int:
        """How often a wire has changed."""
        self.move("edges", pin)
        return int(self._socket.recv(16))

    def left(self) -> list[int]:
        """What each pin gave when the program had ended."""
        return [int(level) for level in self._path.with_suffix(".levels").read_text().split()]

    def close(self) -> None:
        """Take them away."""
        self._socket.close()


def late(wires: Wires) -> None:
    """The real factory on a chip that comes with `plug`, and is looked for soon."""
    from hal.gpio import worker  # noqa: PLC0415 - of one test
    from hal.gpio.gpiod_factory import GpiodFactory  # noqa: PLC0415 - likewise
    from tests.support.gpio.fake_gpiod import Cable  # noqa: PLC0415 - likewise

    worker.Health = functools.partial(worker.Health, waits=(0.1, 0.2))
    cable, wires.broken = Cable(wires), True
    wires.plug = cable.plug
    factories.FACTORIES["gpiod"] = lambda _chip: (GpiodFactory(cable.find), ())


def serve(path: str, wires: Wires) -> None:
    """Do what comes, for ever."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(path)
    while True:
        data, sender = door.recvfrom(64)
        word, *pins = data.decode().split()
        numbers = [int(pin) for pin in pins]
        if word in ("level", "edges"):
            door.sendto(b"%d" % getattr(wires.lines[numbers[0]], word), sender)
        else:
            getattr(wires, word)(*numbers)


if __name__ == "__main__":
    _path, *_closed = sys.argv.pop(1).split(",")
    _wires = Wires()
    for _name in ("mock", "gpiod"):
        factories.FACTORIES[_name] = lambda _chip: (WiredFactory(_wires), ())
    for _word in _closed:
        if _word == LATE:
            late(_wires)
        else:
            _wires.close(int(_word))
    threading.Thread(target=serve, args=(_path, _wires), daemon=True).start()
    try:
        sys.exit(main())
    finally:
        levels = " ".join(str(line.level) for line in _wires.lines)
        Path(_path).with_suffix(".levels").write_text(levels)
