"""Debian's Kamailio as registrar and proxy with digest and Record-Route.

The password of user 101 is `s101`, and so on: no database.
"""

import socket
from pathlib import Path

from tests.support.certificates import Certificate
from tests.support.namespace import Namespace
from tests.support.waiting import wait_for

REGISTRAR_MODULES = """\
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
loadmodule "maxfwd.so"\
"""
"""What a registrar and proxy is made of, for `_CONFIG` and those of other servers."""
_CONFIG = """\
debug=1
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
{tls_settings}
{modules}
modparam("auth", "nonce_expire", {nonce_seconds})
# Its script would have to look a GRUU up inside dialogs too.
modparam("registrar", "gruu_enabled", 0)
modparam("registrar", "min_expires", 10)
modparam("registrar", "max_expires", {longest})
modparam("tm", "fr_timer", 10000)
modparam("tm", "fr_inv_timer", 30000)
{tls_modules}

request_route {{
    {web_request}
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route()) {{
            # A GRUU stands for the phone inside dialogs too (RFC 5627 §5.1).
            if (uri == myself) {{ lookup("location"); }}
            {web_route} t_relay(); exit;
        }}
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
        {web_register}
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
    {web_answer}
    t_relay();
}}
{web_events}
"""
_TLS = """\
enable_tls=yes
tcp_accept_no_cl=yes
listen=tls:{host}:{tls_port}
"""
_TLS_MODULES = """\
loadmodule "tls.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "nathelper.so"
modparam("tls", "config", "{folder}/tls.cfg")
modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")
"""
_TLS_FILE = """\
[server:default]
method = {method}
private_key = {key}
certificate = {cert}
ca_list = {ca}
verify_certificate = {verify}
require_certificate = {verify}
[client:default]
method = TLSv1.2+
"""
# A phone behind a WebSocket has no address of its own: its connection is written into its Contact
# (RFC 7118 §5.1, §B.1).
_WEB = {
    "web_request": 'if (proto == WS || proto == WSS) {{ force_rport(); if (is_method("INVITE"))'
    " {{ add_contact_alias(); }} }}",
    "web_register": "if (proto == TLS || proto == WS || proto == WSS)"
    " {{ force_rport(); fix_nated_register(); }}",
    "web_route": "handle_ruri_alias();",
    "web_answer": 't_on_reply("WEB");',
    "web_events": """\
onreply_route[WEB] {{
    if (proto == WS || proto == WSS) {{ add_contact_alias(); }}
}}
event_route[xhttp:request] {{
    set_reply_close();
    set_reply_no_connect();
    if ($hu == "/sip" && $hdr(Upgrade) =~ "websocket" && $rm =~ "GET") {{
        if (ws_handle_handshake()) {{ exit; }}
    }}
    xhttp_reply("404", "Not Found", "", "");
}}
""",
}
_NO_WEB = dict.fromkeys((*_WEB, "tls_settings", "tls_modules"), "")
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
        certificate: Certificate | None = None,
        client_ca: Path | None = None,
        tls_method: str = "TLSv1.2+",
    ) -> None:
        """With a certificate it takes TLS at `secure_server` and WebSockets at the path /sip.

        With `client_ca` a phone must show a certificate of that authority.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._namespace = namespace
        self._folder = folder
        self._asked = 0
        self.ipv6 = ipv6
        self.address = namespace.party(ipv6=ipv6)
        self.host = f"[{self.address}]" if ipv6 else self.address
        self.port = 5060
        self.realm = "office.example"
        self._certificate = certificate
        self._client_ca = client_ca
        self._tls_method = tls_method
        config = _CONFIG.format(
            **self._secure_parts(),
            modules=REGISTRAR_MODULES,
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

    @property
    def secure_server(self) -> str:
        """host:port for a line with `transport = "tls"` or `"wss"`."""
        return f"{self.host}:{self.port + 1}"

    def _secure_parts(self) -> dict[str, str]:
        if self._certificate is None:
            return _NO_WEB
        verify = self._client_ca is not None
        text = _TLS_FILE.format(
            method=self._tls_method,
            key=self._certificate.key,
            cert=self._certificate.cert,
            ca=self._client_ca or self._certificate.cert,
            verify="yes" if verify else "no",
        )
        (self._folder / "tls.cfg").write_text(text)
        return {
            **{name: part.format() for name, part in _WEB.items()},
            "tls_settings": _TLS.format(host=self.host, tls_port=self.port + 1),
            "tls_modules": _TLS_MODULES.format(folder=self._folder),
        }

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
