"""The virtual Pi's hardware, as QEMU's command line, and where its plugs come out on this machine.

One processor. With two, QEMU lets them run at once, and one may translate kernel code while the
other is changing it (jump labels, call sites): what was translated then is run for ever, and the
kernel dies of it, most of all while it starts on a busy machine. QEMU 8.1 locks the pages; the one
of Debian 12 is older. With both on one thread each would wait up to 100 ms for its turn, and sound
with it.

Of its kind it is a plain one: what a newer one can do (AVX, SMAP, five levels of pages) is dear to
emulate, and programs choose it where they find it; a start takes a sixth longer with all of it.

The USB controller has four sockets; what may be plugged in is in `hands.py`.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.vm.root import Root

CARDS = ("left", "right")
"""Its USB sound cards: what they play is written to a file each."""
PANEL_SOCKET = 4


@dataclass(frozen=True)
class Plugs:
    """Where it is reached: sockets and files in a folder of its own."""

    folder: Path

    @property
    def console(self) -> Path:
        """What its kernel and systemd said."""
        return self.folder / "console"

    @property
    def errors(self) -> Path:
        """What QEMU said."""
        return self.folder / "qemu"

    @property
    def orders(self) -> Path:
        """To `agent.py` inside."""
        return self.folder / "orders"

    @property
    def wishes(self) -> Path:
        """From `inside/hands.py` to `hands.py`."""
        return self.folder / "wishes"

    @property
    def monitor(self) -> Path:
        """To QEMU itself."""
        return self.folder / "monitor"

    @property
    def panel(self) -> Path:
        """The cable of the USB serial port: it is plugged in while somebody is connected."""
        return self.folder / "panel"

    def sound(self, card: str) -> Path:
        """What a USB sound card plays: WAV, 48 kHz, two channels."""
        return self.folder / f"{card}.wav"


def arguments(root: Root, drive: Path, clock: str, plugs: Plugs) -> list[str]:
    """For QEMU; `clock` is what the machine's clock says when it starts."""
    kernel = "root=/dev/vda rootfstype=ext4 rw console=ttyS0 systemd.getty_auto=no panic=1"
    options = {
        "M": "q35",
        "accel": "tcg",
        "cpu": "Nehalem",
        "smp": "1",
        "m": "1024",
        "rtc": f"base={clock}",
        "kernel": str(root.kernel),
        "initrd": str(root.initrd),
        "append": f"{kernel} quiet mitigations=off no_timer_check tsc=nowatchdog nowatchdog",
        "serial": f"file:{plugs.console}",
        "monitor": "none",
        "display": "none",
        "nic": "none",
    }
    devices = (
        ("drive", f"file={root.disk},format=raw,if=virtio,snapshot=on,cache=unsafe"),
        ("drive", f"file={drive},format=raw,if=virtio,readonly=on"),
        ("device", "virtio-rng-pci"),
        ("device", "i6300esb"),
        *_virtio_ports({"orders": plugs.orders, "wishes": plugs.wishes}),
        ("chardev", f"socket,id=monitor,path={plugs.monitor},server=on,wait=off"),
        ("mon", "chardev=monitor,mode=control"),
        *_usb(plugs),
    )
    words = ["-nodefaults", "-no-user-config"]
    for name, value in (*options.items(), *devices):
        words += [f"-{name}", value]
    return words


def _virtio_ports(sockets: dict[str, Path]) -> tuple[tuple[str, str], ...]:
    rows = [("device", "virtio-serial-pci")]
    for name, path in sockets.items():
        rows += [
            ("chardev", f"socket,id={name},path={path},server=on,wait=off"),
            ("device", f"virtserialport,chardev={name},name={name}"),
        ]
    return tuple(rows)


def _usb(plugs: Plugs) -> tuple[tuple[str, str], ...]:
    sounds = (
        ("audiodev", f"wav,id={card},path={plugs.sound(card)},out.frequency=48000")
        for card in CARDS
    )
    return (
        ("device", "qemu-xhci,id=usb"),
        *sounds,
        ("chardev", f"socket,id=panel,path={plugs.panel},server=on,wait=off"),
        ("device", f"usb-serial,id=panel,chardev=panel,bus=usb.0,port={PANEL_SOCKET}"),
    )
