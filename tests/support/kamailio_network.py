"""Debian's Kamailio as a large network has it: edge proxies that keep flows, a registrar behind.

    phone ──one connection──▶ edge (path, outbound, rr) ──UDP──▶ registrar (usrloc, GRUU, digest)

The registrar takes phones directly too. The password of user 101 is `s101`, and so on.
"""

from pathlib import Path

from tests.support.kamailio import Kamailio
from tests.support.namespace import Namespace

_HEAD = """\
debug=1
log_stderror=yes
fork=yes
children=2
tcp_children=2
tcp_connection_lifetime=3600
auto_aliases=no
alias="{host}"
listen=udp:{host}:5060
listen=tcp:{host}:5060
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "outbound.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
loadmodule "xlog.so"
loadmodule "stun.so"
modparam("outbound", "flow_token_secret", "only for tests")
modparam("outbound", "force_outbound_flag", 1)
"""
_REGISTRAR = """\
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", 300)
modparam("registrar", "min_expires", 10)
modparam("registrar", "max_expires", {longest})
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("registrar", "gruu_enabled", 1)
modparam("registrar", "outbound_mode", {outbound_mode})
modparam("registrar", "flow_timer", {flow_timer})

request_route {{
    $var(told) = "route=" + $hdr(Route) + " contact=" + $ct;
    xlog("L_ALERT", "GOT $rm $ru from $si:$sp $var(told) authorization=$hdr(Authorization)\\n");
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route()) {{
            if (uri == myself && $rU != $null) {{ lookup("location"); }}
            t_relay();
            exit;
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
        {service_route}
        save("location");
        exit;
    }}
    loose_route();
    if (is_method("INVITE")) {{ record_route(); }}
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"""
_EDGE = """\
loadmodule "path.so"
modparam("path", "use_received", 1)

request_route {{
    xlog("L_ALERT", "GOT $rm $ru from $si:$sp route=$hdr(Route) contact=$ct\\n");
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && $rU == $null && uri == myself) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("REGISTER")) {{
        remove_hf("Route");
        add_path();
        $du = "sip:{registrar}";
        t_relay();
        exit;
    }}
    if (!has_totag() && is_method("INVITE")) {{ record_route(); }}
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    $du = "sip:{registrar}";
    t_relay();
}}
"""


class _Configured(Kamailio):
    """A Kamailio with a configuration of our own."""

    def __init__(self, namespace: Namespace, folder: Path, text: str, **values: object) -> None:
        # Everything that runs it is the parent's; what it runs is not.
        folder.mkdir(parents=True, exist_ok=True)
        self._namespace = namespace
        self._folder = folder
        self._asked = 0
        self.ipv6 = False
        self.address = self.host = namespace.party()
        self.port = 5060
        self.realm = "office.example"
        config = (_HEAD + text).format(host=self.host, realm=self.realm, **values)
        (folder / "kamailio.cfg").write_text(config)
        self.start()

    def got(self, method: str) -> list[str]:
        """The requests of a method that reached it, one line each."""
        return [line for line in self.log().splitlines() if f"GOT {method} " in line]


class Registrar(_Configured):
    """The registrar; `service_route` makes it name itself as such."""

    def __init__(
        self,
        namespace: Namespace,
        folder: Path,
        *,
        algorithm: str = "SHA-256",
        service_route: bool = False,
        outbound: bool = True,
        flow_timer: int = 0,
        longest: int = 3600,
    ) -> None:
        route = (
            'append_to_reply("Service-Route: <sip:$Ri:5060;lr;orig>\\r\\n");'
            if service_route
            else ""
        )
        super().__init__(
            *(namespace, folder, _REGISTRAR),
            algorithm=algorithm,
            service_route=route,
            outbound_mode=int(outbound),
            flow_timer=flow_timer,
            longest=longest,
        )


class Edge(_Configured):
    """An edge proxy before a registrar."""

    def __init__(self, namespace: Namespace, folder: Path, registrar: Registrar) -> None:
        super().__init__(namespace, folder, _EDGE, registrar=registrar.server)
