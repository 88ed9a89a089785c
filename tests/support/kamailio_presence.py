"""Debian's Kamailio as registrar, presence server and relay of texts.

Presence lies in text files of the test's own folder (module db_text): no database to install.
"""

import shutil
from pathlib import Path

from tests.support.kamailio import REGISTRAR_MODULES, Kamailio
from tests.support.namespace import Namespace

_TABLES = Path("/usr/share/kamailio/dbtext/kamailio")
_USED = ("version", "presentity", "active_watchers", "watchers", "xcap")
_CONFIG = """\
debug=1
log_stderror=yes
fork=yes
children=2
tcp_children=1
auto_aliases=no
listen=udp:{host}:{port}
{modules}
loadmodule "db_text.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "presence_dialoginfo.so"
modparam("presence", "db_url", "text://{tables}")
modparam("presence_xml", "db_url", "text://{tables}")
modparam("presence_xml", "force_active", 1)
modparam("presence", "server_address", "sip:{host}:{port}")
modparam("presence", "min_expires", {shortest})
modparam("presence", "max_expires", 3600)
modparam("registrar", "min_expires", 10)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (has_totag()) {{
        if (is_method("SUBSCRIBE")) {{ handle_subscribe(); t_release(); exit; }}
        if (loose_route()) {{ t_relay(); exit; }}
        # A GRUU is looked up inside dialogs too (RFC 5627 §6.1).
        if (lookup("location")) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    t_check_trans();
    if (is_method("ACK|CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{realm}", "s$(au)", "0")) {{
            www_challenge("{realm}", "0");
            exit;
        }}
        save("location");
        exit;
    }}
    if (!pv_proxy_authenticate("{realm}", "s$(au)", "0")) {{
        proxy_challenge("{realm}", "0");
        exit;
    }}
    consume_credentials();
    if (is_method("PUBLISH")) {{ handle_publish(); t_release(); exit; }}
    if (is_method("SUBSCRIBE")) {{ handle_subscribe(); t_release(); exit; }}
    if (is_method("INVITE")) {{ record_route(); }}
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"""


class PresenceServer(Kamailio):
    """A running Kamailio with presence; `shortest` are the least seconds it grants."""

    def __init__(self, namespace: Namespace, folder: Path, *, shortest: int = 10) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._namespace = namespace
        self._folder = folder
        self._asked = 0
        self.ipv6 = False
        self.address = self.host = namespace.party()
        self.port = 5060
        self.realm = "office.example"
        tables = folder / "tables"
        tables.mkdir()
        for name in _USED:
            shutil.copy(_TABLES / name, tables / name)
        config = _CONFIG.format(
            modules=REGISTRAR_MODULES,
            host=self.host,
            port=self.port,
            realm=self.realm,
            tables=tables,
            shortest=shortest,
        )
        (folder / "kamailio.cfg").write_text(config)
        self.start()
