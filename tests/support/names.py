"""Debian's dnsmasq as the name server of a network namespace, and coturn's as its STUN server."""

import contextlib
import shutil
import subprocess
from pathlib import Path

from tests.support.namespace import Namespace, end
from tests.support.waiting import wait_for


class NameServer:
    """A name server whose zone is the test's; programs started afterwards ask it."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = namespace.party()
        self._namespace = namespace
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        # `ip netns exec` puts this over /etc/resolv.conf.
        self._etc = Path("/etc/netns") / namespace.name
        self._etc.mkdir(parents=True)
        (self._etc / "resolv.conf").write_text(f"nameserver {self.address}\n")

    def start(self, *rows: str) -> None:
        """Serve these rows of dnsmasq's configuration, and nothing else."""
        self.stop()
        config = self._folder / "dnsmasq.conf"
        config.write_text(
            f"listen-address={self.address}\nbind-interfaces\nno-resolv\nno-hosts\nno-daemon\n"
            f"user=root\npid-file=\nlocal=/example/\nlog-queries\nlocal-ttl=2\n"
            + "".join(f"{row}\n" for row in rows)
        )
        self._process = self._namespace.popen(
            "dnsmasq", "-C", str(config), log=self._folder / "dnsmasq.log"
        )
        wait_for("dnsmasq", lambda: "started" in self.log(), 10)

    def stop(self) -> None:
        """Be silent: the name server is down."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def log(self) -> str:
        """What it was asked."""
        with contextlib.suppress(OSError):
            return (self._folder / "dnsmasq.log").read_text(errors="replace")
        return ""

    def close(self) -> None:
        """Stop, and leave the machine as it was."""
        self.stop()
        shutil.rmtree(self._etc, ignore_errors=True)


def start_coturn(namespace: Namespace, folder: Path) -> str:
    """A STUN server; gives its address, the port is 3478."""
    folder.mkdir(parents=True, exist_ok=True)
    address = namespace.party()
    log = folder / "turn.log"
    namespace.popen(
        *("turnserver", "-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls"),
        *("-L", address, "-p", "3478", "--log-file", "stdout", "--simple-log"),
        *("--pidfile", str(folder / "turn.pid"), "--userdb", str(folder / "turn.db")),
        log=log,
    )
    wait_for("coturn", lambda: "auth thread" in log.read_text(errors="replace"), 10)
    return address
