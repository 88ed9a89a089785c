"""Debian's Kamailio as registrar and proxy with digest and Record-Route.

The password of user 101 is `s101`, and so on: no database.
"""

import socket
from pathlib import Path

from tests.support.namespace import Namespace
from tests.support.waiting import wait_for

_CONFIG = """\
debug=1
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "maxfwd.so"
modparam("auth", "nonce_expire", {nonce_seconds})
modparam("registrar", "min_expires", 10)
modparam("registrar", "max_expires", {longest})
modparam("tm", "fr_timer", 10000)
modparam("tm", "fr_inv_timer", 30000)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{realm}", "s$(au)", "0")) {{
            www_challenge("{realm}", "0");
            exit;
        }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        {unknown_caller}
        if (!pv_proxy_authenticate("{realm}", "s$(au)", "0")) {{
            proxy_challenge("{realm}", "0");
            exit;
        }}
        consume_credentials();
        record_route();
    }}
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"""
_UNKNOWN = 'if (!registered("location", "$fu")) {{ {verdict} exit; }}'
FORBIDS = 'sl_send_reply("403", "Who are you");'
"""What it says to the INVITE of somebody who is not registered, instead of passing it on."""
SAYS_NOTHING = "drop();"
_OPTIONS = (
    "OPTIONS sip:{user}{host}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {host}:5999;rport;branch=z9hG4bKwake{number}\r\n"
    "From: <sip:wake@{host}>;tag=1\r\nTo: <sip:{host}>\r\nCall-ID: wake{number}@{host}\r\n"
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


class Kamailio:
    """A running Kamailio in a namespace."""

    def __init__(
        self,
        namespace: Namespace,
        folder: Path,
        *,
        longest: int = 3600,
        nonce_seconds: int = 300,
        unknown_caller: str = "",
        ipv6: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._namespace = namespace
        self._folder = folder
        self._asked = 0
        self.ipv6 = ipv6
        self.address = namespace.party(ipv6=ipv6)
        self.host = f"[{self.address}]" if ipv6 else self.address
        self.port = 5060
        self.realm = "office.example"
        config = _CONFIG.format(
            host=self.host,
            port=self.port,
            unknown_caller=unknown_caller and _UNKNOWN.format(verdict=unknown_caller),
            realm=self.realm,
            longest=longest,
            nonce_seconds=nonce_seconds,
        )
        (folder / "kamailio.cfg").write_text(config)
        self.start()

    @property
    def server(self) -> str:
        """host:port for a line's `server`."""
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Start it (again, with all registrations forgotten) and wait until it answers."""
        run = self._folder / "run"
        run.mkdir(exist_ok=True)
        self.process = self._namespace.popen(
            *("kamailio", "-DD", "-E", "-f", str(self._folder / "kamailio.cfg")),
            *("-m", "64", "-M", "8", "-Y", str(run), "-w", str(run), "-P", str(run / "pid")),
            log=self._folder / "kamailio.log",
        )
        wait_for("Kamailio to answer OPTIONS", self._answers, 15)

    def log(self) -> str:
        """What it said."""
        return (self._folder / "kamailio.log").read_text(errors="replace")

    def knows(self, user: str) -> bool:
        """Whether somebody is registered as `user`, and there."""
        return self._options(f"{user}@").startswith(b"SIP/2.0 200")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        return self._options("").startswith(b"SIP/2.0 200")

    def _options(self, user: str) -> bytes:
        """What it, or the phone that it finds, says to OPTIONS."""
        self._asked += 1
        family = socket.AF_INET6 if self.ipv6 else socket.AF_INET
        with self._namespace.socket(family, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.3)
            text = _OPTIONS.format(host=self.host, port=self.port, user=user, number=self._asked)
            probe.sendto(text.encode(), (self.address, self.port))
            try:
                return probe.recv(2048)
            except TimeoutError:
                return b""
