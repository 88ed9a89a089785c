"""The kernel's files about sound cards, made in a folder: /proc/asound and /sys/class/sound."""

from pathlib import Path

_HOST = "sys/devices/platform/soc/3f980000.usb/usb1"


def plug(root: Path, number: int, name: str, port: str = "", title: str = "") -> Path:
    """A card with an id, in a USB port or not; the folder that vanishes when it is unplugged."""
    device = root / f"sys/devices/platform/{name}"
    if port:
        numbers = port.split(".")
        hubs = [".".join(numbers[:length]) for length in range(1, len(numbers) + 1)]
        device = root.joinpath(_HOST, *hubs, f"{port}:1.0")
    card = device / f"sound/card{number}"
    card.mkdir(parents=True)
    (card / "id").write_text(f"{name}\n")
    (card / "device").symlink_to("../..")
    links = root / "sys/class/sound"
    links.mkdir(parents=True, exist_ok=True)
    link = links / f"card{number}"
    link.symlink_to(card)
    asound = root / "proc/asound"
    (asound / f"card{number}").mkdir(parents=True)
    (asound / name).symlink_to(f"card{number}")
    with (asound / "cards").open("a") as cards:
        cards.write(f"{number:2} [{name:15}]: {title or name}\n{'':22}{title} in a long line\n")
    return link


def unplug(root: Path, number: int) -> None:
    """The card is gone."""
    link = root / f"sys/class/sound/card{number}"
    name = (link / "id").read_text().strip()
    link.unlink()
    (root / "proc/asound" / name).unlink()
    (root / f"proc/asound/card{number}").rmdir()
