"""Says how many tests ran, per folder and per peer, from pytest's JUnit files.

A skip that is not on the list of allowed ones is an error.
"""

import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ALLOWED = Path(__file__).with_name("allowed-skips")
PEERS = {
    "kamailio": "interop.test_kamailio",
    "kamailio as a network": "interop.test_registration",
    "kamailio, baresip: TLS, WebSocket, TCP": "interop.test_transports",
    "kamailio: events": "interop.test_events::",
    "kamailio, baresip: texts, presence": "interop.test_messages_presence",
    "kamailio, baresip: transfer": "interop.test_transfer",
    "dnsmasq, coturn": "interop.test_routing",
    "coturn, baresip: checked ways": "interop.test_ice",
    "baresip": "interop.test_baresip",
    "sipp": "interop.test_sipp",
    "sipp: flows of RFC 3665, 5359, 5589": "interop.test_flows",
    "sipp: extensions": "interop.test_call_extensions",
    "sipp: subscriptions": "interop.test_events_sipp",
    "alsa": "interop.test_alsa",
    "chromium": "tests.browser",
    "the virtual Pi": "tests.vm.",
}
"""Peer → what the names of its tests hold."""


def main(files: list[str]) -> int:
    """Print the table; 1 if a test was skipped that must not be."""
    ran: Counter[str] = Counter()
    forbidden = []
    allowed = _allowed()
    for file in files:
        for case in ET.parse(file).getroot().iter("testcase"):  # noqa: S314 - our own output
            name = f"{case.get('classname', '')}::{case.get('name', '')}"
            skipped = case.find("skipped")
            if skipped is not None and skipped.get("type") == "pytest.skip":
                if not any(pattern.search(name) for pattern in allowed):
                    forbidden.append(f"{name}: {skipped.get('message', '')}")
                continue
            ran[_folder(name)] += 1
            for peer, mark in PEERS.items():
                ran[f"peer {peer}"] += mark in name
    for folder, count in sorted(ran.items()):
        sys.stdout.write(f"{count:6}  {folder}\n")
    sys.stdout.writelines(f"skipped, but it must run: {line}\n" for line in forbidden)
    return bool(forbidden)


def _folder(name: str) -> str:
    parts = name.partition("::")[0].split(".")
    folders = [part for part in parts[:-1] if not part.startswith("test_")]
    return "/".join(folders[:3])


def _allowed() -> list[re.Pattern[str]]:
    rows = (line.partition("#")[0].strip() for line in ALLOWED.read_text().splitlines())
    return [re.compile(row) for row in rows if row]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
