"""Debian's coturn: a STUN and TURN server with one user."""

from pathlib import Path

from tests.support.certificates import Authority
from tests.support.namespace import Namespace
from tests.support.waiting import wait_for

_CONFIG = """\
listening-port=3478
listening-ip={address}
relay-ip={address}
min-port=49152
max-port=49351
fingerprint
lt-cred-mech
realm=office.example
user={user}:{password}
{tls}
no-dtls
no-cli
no-software-attribute
pidfile={folder}/pid
log-file=stdout
userdb={folder}/db
"""


class Coturn:
    """A running coturn in a namespace; `server` is host:port.

    With an `authority` it speaks TLS as well, by a certificate for its address.
    """

    def __init__(
        self,
        namespace: Namespace,
        folder: Path,
        address: str = "",
        authority: Authority | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = address or namespace.party()
        self.user, self.password = "turner", "secret"
        self.server = f"{self.address}:3478"
        config = folder / "turnserver.conf"
        rows = {"address": self.address, "user": self.user, "password": self.password}
        config.write_text(_CONFIG.format(**rows, folder=folder, tls=self._tls(authority)))
        self._log = folder / "coturn.log"
        self._namespace = namespace
        self.process = namespace.popen("turnserver", "-c", str(config), "-v", log=self._log)
        wait_for("coturn", self._listens, 10)

    def _tls(self, authority: Authority | None) -> str:
        if authority is None:
            return "no-tls"
        made = authority.issue(f"IP:{self.address}")
        return f"tls-listening-port=5349\ncert={made.cert}\npkey={made.key}"

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log()
        found = self._namespace.run("ss", "-Hlun", "sport", "=", ":3478").stdout
        return self.address in found

    @property
    def rows(self) -> str:
        """What a phone's `[network]` table says of it."""
        return (
            f'turn = "{self.server}"\nturn_user = "{self.user}"\n'
            f'turn_password = "{self.password}"\n\n'
        )

    @property
    def tls_rows(self) -> str:
        """The same for a phone that reaches it over TLS."""
        return self.rows.replace(self.server, self.address).replace(
            "turn_user", 'turn_transport = "tls"\nturn_user'
        )

    def log(self) -> str:
        """What it said."""
        return self._log.read_text(errors="replace")
