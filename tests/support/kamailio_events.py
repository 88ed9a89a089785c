"""Debian's Kamailio as presence server: message-summary, dialog and reg, told by PUBLISH and calls.

The dialog state is that of real calls through it (modules dialog and pua_dialoginfo); mailboxes are
published by the test.
"""

import re
import shutil
import socket
from pathlib import Path

from tests.support.kamailio import Kamailio

_TABLES = Path("/usr/share/kamailio/dbtext/kamailio")
_MODULES = """\
loadmodule "db_text.so"
loadmodule "dialog.so"
loadmodule "presence.so"
loadmodule "presence_mwi.so"
loadmodule "presence_dialoginfo.so"
loadmodule "pua.so"
loadmodule "pua_dialoginfo.so"
loadmodule "presence_reginfo.so"
loadmodule "xlog.so"
loadmodule "pua_reginfo.so"
modparam("pua_reginfo", "server_address", "sip:reginfo@{host}:{port}")
modparam("pua_reginfo", "default_domain", "{host}")
modparam("presence|pua", "db_url", "text://{folder}/tables")
modparam("presence", "server_address", "sip:{host}:{port}")
modparam("presence", "subs_db_mode", 0)
modparam("presence", "min_expires", 10)
modparam("presence", "send_fast_notify", 1)
modparam("pua_dialoginfo", "include_callid", 1)
modparam("pua_dialoginfo", "include_tags", 1)
# It would send its NOTIFYs to the GRUU without a look-up, that is to itself.
modparam("registrar", "gruu_enabled", 0)
"""
_INSIDE = 'if (is_method("SUBSCRIBE") && uri == myself) { handle_subscribe(); exit; }'
_OUTSIDE = """\
    if (is_method("OPTIONS") && $rU == "drop") {
        unregister("location", "sip:101@%s");
        sl_send_reply("200", "Dropped");
        exit;
    }
    if (is_method("PUBLISH")) { handle_publish(); exit; }
    if (is_method("SUBSCRIBE")) {
        if (!pv_www_authenticate("%s", "s$(au)", "0")) { www_challenge("%s", "0"); exit; }
        handle_subscribe();
        xlog("L_ALERT", "watched: $hdr(Event)\n");
        exit;
    }
"""
_PUBLISH = (
    "PUBLISH sip:{user}@{host}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {here}:{there};rport;branch=z9hG4bKpub{number}\r\n"
    "From: <sip:{user}@{host}:{port}>;tag=p{number}\r\nTo: <sip:{user}@{host}:{port}>\r\n"
    "Call-ID: pub{number}@{here}\r\nCSeq: 1 PUBLISH\r\nMax-Forwards: 70\r\n"
    "Event: {event}\r\nExpires: 600\r\nContent-Type: {kind}\r\n{etag}"
    "Content-Length: {length}\r\n\r\n"
)


class PresenceServer(Kamailio):
    """A `Kamailio` that serves SUBSCRIBE and PUBLISH too; `self.etags` by user."""

    def start(self) -> None:
        """Write what is more than the plain one has, and start it."""
        tables = self._folder / "tables"
        if not tables.exists():
            shutil.copytree(_TABLES, tables)
            self.etags: dict[str, str] = {}
            file = self._folder / "kamailio.cfg"
            text = file.read_text()
            more = _MODULES.format(folder=self._folder, host=self.host, port=self.port)
            text = text.replace('loadmodule "maxfwd.so"\n', f'loadmodule "maxfwd.so"\n{more}')
            text = text.replace("if (has_totag()) {\n", f"if (has_totag()) {{\n        {_INSIDE}\n")
            outside = _OUTSIDE % (self.host, self.realm, self.realm)
            text = text.replace(
                "    t_check_trans();\n    if", f"{outside}    t_check_trans();\n    if"
            )
            text = text.replace(
                "        record_route();\n", "        record_route();\n        dlg_manage();\n"
            )
            file.write_text(text)
        super().start()

    def drop(self) -> None:
        """Forget where 101 is, as an administrator would have it."""
        with self._namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) as admin:
            admin.bind((self.address, 0))
            admin.settimeout(3.0)
            here = f"{self.host}:{admin.getsockname()[1]}"
            admin.sendto(
                (
                    f"OPTIONS sip:drop@{self.host}:{self.port} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {here};rport;branch=z9hG4bKdrop\r\n"
                    f"From: <sip:admin@{self.host}>;tag=a\r\nTo: <sip:drop@{self.host}>\r\n"
                    f"Call-ID: drop@{here}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                    "Content-Length: 0\r\n\r\n"
                ).encode(),
                (self.address, self.port),
            )
            assert admin.recv(4096).startswith(b"SIP/2.0 200")

    def publish(self, user: str, event: str, kind: str, body: str) -> None:
        """State of a user, in place of what was published before."""
        self._asked += 1
        with self._namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
            agent.bind((self.address, 0))
            agent.settimeout(3.0)
            old = self.etags.get(user)
            head = _PUBLISH.format(
                user=user, host=self.host, port=self.port, here=self.host,
                there=agent.getsockname()[1], number=self._asked, event=event, kind=kind,
                etag=f"SIP-If-Match: {old}\r\n" if old else "", length=len(body),
            )  # fmt: skip
            agent.sendto(head.encode() + body.encode(), (self.address, self.port))
            answer = agent.recv(4096).decode()
        assert answer.startswith("SIP/2.0 200"), answer
        found = re.search(r"SIP-ETag: (\S+)", answer)
        assert found, answer
        self.etags[user] = found.group(1)

    def mailbox(self, user: str, new: int) -> None:
        """So many new voice messages wait for a user."""
        waiting = "yes" if new else "no"
        body = f"Messages-Waiting: {waiting}\r\nVoice-Message: {new}/0 (0/0)\r\n"
        self.publish(user, "message-summary", "application/simple-message-summary", body)
