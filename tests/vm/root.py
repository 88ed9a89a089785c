"""The virtual Pi's disk: Debian with the kernel of its backports, made once and kept.

What lies on it does not change with our code: system, Python packages that the phone stands on,
the agent that takes orders. The phone itself is installed after each start, as a user would. It is
kept under $XDG_CACHE_HOME/deskphone/vm by the hash of everything that went into it; `python -m
tests.vm.root` makes it if it is not there.

Where the packages come from is read from this machine's own apt configuration, or told by
DESKPHONE_MIRROR. Root rights are needed to make it, not to use it; nothing is mounted.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
SUITE = "trixie"
PACKAGES = (
    "linux-image-amd64",  # from backports: gpio-sim is not in the release's own kernel
    "initramfs-tools",
    "zstd",
    "systemd-sysv",
    "udev",
    "kmod",
    "iproute2",
    "python3-venv",
    # Built here, as on a Pi: they have no wheels.
    "gcc",
    "libc6-dev",
    "python3-dev",
    "linux-libc-dev",
    "libasound2-dev",
    "libopus0",
    "libspeexdsp1",
)
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
}
"""Programs this machine needs, and their Debian packages."""
TEST_PACKAGES = ("pytest>=8", "pytest-timeout>=2.3")
NOT_ON_A_PC = ("RPi.GPIO", "lgpio")
_DRIVERS = (
    *(f"drivers/{kind}" for kind in ("gpu", "infiniband", "iio", "media", "scsi", "staging")),
    *("drivers/net/ethernet", "drivers/net/wireless", "fs/btrfs", "fs/xfs", "sound/soc"),
)
"""Drivers no virtual machine has a device for: a third of the disk."""
_LEFT_OUT = (
    *("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"),
    *(f"/usr/lib/modules/*/kernel/{each}/*" for each in _DRIVERS),
)
_NEWER = SUITE, f"{SUITE}-backports"
_ATTEMPTS = _NEWER, _NEWER, (SUITE,)
"""The release's own kernel has no simulated pins; whoever needs them says so."""
_BUT = ("/usr/lib/modules/*/kernel/drivers/media/mc/*",)
"""What a USB sound card's driver wants of what is left out."""
_LACKS_KERNEL = "without-backports"
_DAY = 86_400.0
_MEGABYTES = 2600
_KEPT = 2
"""Disks kept: this one, and one of another branch."""


class RootError(Exception):
    """The disk could not be made; the message shows what was said."""


class LackingError(RootError):
    """This machine cannot make it; the message says what is missing."""


@dataclass(frozen=True)
class Root:
    """A disk and what starts it; the disk is never written to."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"


def missing_tools(*names: str) -> str:
    """One sentence about the programs that are missing here, or nothing."""
    lacks = [name for name in names or tuple(TOOLS) if program_of(name) is None]
    if not lacks:
        return ""
    packages = " ".join(TOOLS[name] for name in lacks)
    return f"{', '.join(lacks)} missing: apt-get install {packages}"


def program_of(name: str) -> str | None:
    """Where a program is; some lie where only root looks."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def cached() -> Root | None:
    """The disk, if it is there; one that lacks the newer kernel is taken for a day."""
    root = Root(_cache() / _key())
    lacks = root.folder / _LACKS_KERNEL
    if lacks.exists() and time.time() - lacks.stat().st_mtime > _DAY:  # noqa: TID251 - its age
        return None
    return root if root.disk.exists() else None


def ready() -> Root:
    """The disk, made first if need be (about a minute).

    Raises:
        LackingError: it cannot be made here.
        RootError: it was tried in vain.
    """
    found = cached()
    if found is not None:
        with contextlib.suppress(PermissionError):  # root may have made it for us
            os.utime(found.folder)
        return found
    with _alone():
        found = cached() or _make()
        _forget_old()
        return found


def requirements() -> list[str]:
    """The Python packages that the phone stands on, on a board."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["pi"]]
    return [each for each in wanted if not each.startswith(NOT_ON_A_PC)] + list(TEST_PACKAGES)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "deskphone" / "vm"


def _key() -> str:
    what = hashlib.sha256()
    for name in ("customise", "agent.py"):
        what.update((HERE / name).read_bytes())
    words = (SUITE, *PACKAGES, *_LEFT_OUT, *_BUT, *requirements(), str(_MEGABYTES))
    what.update("\n".join(words).encode())
    return what.hexdigest()[:16]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two runs at once make it once."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make() -> Root:
    """A mirror may fail for a moment, and need not have the backports."""
    for attempt, suites in enumerate(_ATTEMPTS):
        try:
            return _try_to_make(suites)
        except LackingError:
            raise
        except RootError as error:
            if attempt == len(_ATTEMPTS) - 1:
                raise
            sys.stdout.write(f"vm: trying again, because {error}\n")
            sys.stdout.flush()
    raise AssertionError


def _try_to_make(suites: tuple[str, ...]) -> Root:
    if lacks := missing_tools():
        raise LackingError(lacks)
    if os.geteuid() != 0:
        raise LackingError(
            "making the virtual Pi's disk needs root; once it is there, nothing does"
        )
    fresh = _cache() / "fresh"
    _clear(fresh)
    fresh.mkdir()
    try:
        tree = fresh / "tree"
        _bootstrap(tree, fresh / "requirements.txt", suites)
        _take_kernel(tree, fresh)
        _run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(tree),
             str(fresh / "disk.img"), f"{_MEGABYTES}M")  # fmt: skip
        _clear(tree)
        if suites != _NEWER:
            (fresh / _LACKS_KERNEL).touch()
        done = Root(_cache() / _key())
        _clear(done.folder)
        fresh.rename(done.folder)
    finally:
        _clear(fresh)
    return done


def _bootstrap(tree: Path, packages: Path, suites: tuple[str, ...]) -> None:
    """Debian, the newest kernel of these suites, and what `customise` does to them."""
    packages.write_text("\n".join(requirements()) + "\n")
    mirror = _mirror()
    sources = "".join(f"deb {mirror} {suite} main\n" for suite in suites)
    _run(
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT),
        *(f"--dpkgopt=path-include={path}" for path in _BUT),
        f"--setup-hook={HERE / 'customise'} before $1",
        f"--customize-hook={HERE / 'customise'} after $1 {packages} {HERE / 'agent.py'}",
        SUITE,
        str(tree),
        "-",
        said=sources,
    )  # fmt: skip


def _mirror() -> str:
    """Where this machine gets Debian from."""
    if told := os.environ.get("DESKPHONE_MIRROR"):
        return told
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(RELEASE)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for line in done.stdout.splitlines():
        origin, _, rest = line.partition(" ")
        address, _, release = rest.partition(" ")
        # Before the first update apt knows addresses and no origins.
        debian = origin == "Debian" or (not origin and address.rstrip("/").endswith("/debian"))
        if debian and "-" not in release:
            return address
    raise RootError(
        "apt does not say where Debian's packages come from: run apt-get update, or set "
        "DESKPHONE_MIRROR"
    )


def _take_kernel(tree: Path, folder: Path) -> None:
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(_in(tree, name), folder / name)


def _in(tree: Path, name: str) -> Path:
    """A link at the top of the tree points into the tree, not into this machine."""
    return tree / str((tree / name).readlink()).lstrip("/")


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _forget_old() -> None:
    folders = [each for each in _cache().iterdir() if (each / "disk.img").exists()]
    for old in sorted(folders, key=lambda each: each.stat().st_mtime, reverse=True)[_KEPT:]:
        _clear(old)


def _run(program: str, *words: str, said: str = "") -> None:
    path = program_of(program) or program
    done = subprocess.run(
        [path, *words],
        input=said,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise RootError(f"{program} failed:\n{done.stdout[-3000:]}{done.stderr[-6000:]}")


def main() -> int:
    """Make the disk and say so."""
    if cached() is not None:
        return 0
    began = time.monotonic()
    sys.stdout.write("vm: making the virtual Pi's disk (about a minute, once) …\n")
    sys.stdout.flush()
    try:
        root = ready()
    except LackingError as error:
        sys.stdout.write(f"vm: no virtual Pi here: {error}\n")
        return 0
    except RootError as error:
        sys.stdout.write(f"vm: {error}\n")
        return 1
    took = time.monotonic() - began
    size = root.disk.stat().st_blocks * 512 / 1e6
    sys.stdout.write(f"vm: made in {took:.0f} s, {size:.0f} MB in {root.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
