"""The lamps of several devices as one row: some on pins, some on a front panel. Pure."""

from contextlib import ExitStack

from hal.ports import LampPattern, LampPort


class LampGroup:
    """A `LampPort` over others; a lamp that two of them have shines on both."""

    def __init__(self, *ports: LampPort) -> None:
        self._ports = ports

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for port in self._ports for name in port.names))

    def set(self, lamp: str, pattern: LampPattern) -> None:
        for port in self._ports:
            port.set(lamp, pattern)

    def close(self) -> None:
        with ExitStack() as ports:
            for port in self._ports:
                ports.callback(port.close)
