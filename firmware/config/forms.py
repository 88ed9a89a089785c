"""Forms of text that a setting may ask for: hosts, addresses, numbers, names. Pure predicates."""

import ipaddress
import re
from collections.abc import Callable

from msgspec import Struct

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# RFC 3261 §25.1: user = 1*( unreserved / escaped / user-unreserved ).
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
_GLOB = re.compile(r"[A-Za-z0-9\-_.!~'()&=+$,;/*?\[\]]+")


class Form(Struct, frozen=True):
    """A predicate; `right` is the text id of what it wants."""

    fits: Callable[[str], bool]
    right: str


def split_server(text: str) -> tuple[str, int | None]:
    """Host and port of `host[:port]`; an IPv6 address with a port stands in brackets.

    The port is None if there is none; the text is expected to have passed the `SERVER` form.
    """
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port[1:]) if port else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, int(port)
    return text, None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    if _is_address(text):
        return True
    labels = text.removesuffix(".").split(".")
    named = len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    # A last label of digits only is a mistyped IPv4 address, not a name (RFC 1123 §2.1).
    return named and not labels[-1].isdigit()


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535


def _is_server(text: str) -> bool:
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        return bool(bracket) and ":" in host and _is_address(host) and _is_port_suffix(port)
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return _is_host(host) and _is_port(port)
    return _is_host(text)


def _is_port_suffix(text: str) -> bool:
    return not text or (text.startswith(":") and _is_port(text[1:]))


def split_nat_rule(text: str) -> tuple[str, str]:
    """Network and host of `10.0.0.0/8 = pbx-side.example`."""
    network, _, host = text.partition("=")
    return network.strip(), host.strip()


def _is_nat_rule(text: str) -> bool:
    network, host = split_nat_rule(text)
    return _is_network(network) and _is_host(host)


def _is_wifi_password(text: str) -> bool:
    # IEEE 802.11i: a passphrase of 8 to 63 printable characters, or the key as 64 hex digits.
    return 8 <= len(text) <= 63 or re.fullmatch(r"[0-9A-Fa-f]{64}", text) is not None


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


ADDRESS = Form(_is_address, "form.address")
NETWORK = Form(_is_network, "form.network")
LISTEN = Form(lambda text: _is_address(text) or text == "localhost", "form.address")
HOST = Form(_is_host, "form.host")
SERVER = Form(_is_server, "form.server")
NAT_RULE = Form(_is_nat_rule, "form.nat_rule")
USER = Form(lambda text: _USER.fullmatch(text) is not None, "form.user")
NUMBER_GLOB = Form(lambda text: _GLOB.fullmatch(text) is not None, "form.number_glob")
DOMAIN_GLOB = Form(_matches(r"[A-Za-z0-9.:_*?\[\]-]{1,253}"), "form.domain_glob")
SIP_URI = Form(_matches(r"(?:sips?:[^\s<>\"]{1,250})?"), "form.sip_uri")
BUDDY = Form(
    lambda text: _USER.fullmatch(text) is not None or SIP_URI.fits(text), "form.number_or_uri"
)
CODE = Form(_matches(r"[0-9*#]{0,12}"), "form.code")
EMERGENCY = Form(_matches(r"[0-9*#+]{2,20}"), "form.emergency")
COUNTRY = Form(_matches(r"[A-Z]{2}"), "form.country")
LANGUAGE = Form(_matches(r"[a-z]{2}"), "form.language")
ZONE = Form(_matches(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}"), "form.zone")
BOARD = Form(
    _matches(r"[a-z0-9][a-z0-9_-]{0,63}|[^\x00]*/[^\x00]*|[^\x00]+\.toml"),
    "form.board",
)
CARD_DEVICE = Form(
    _matches(r"(?:alsa|file|browser|null|(?:id|usb):[A-Za-z0-9_.:,=-]+)?"),
    "form.card",
)
WS_PATH = Form(_matches(r"/[!-~]{0,255}"), "form.ws_path")
SIM_KEY = Form(_matches(r"(?:[0-9A-Fa-f]{32})?"), "form.sim_key")
SIM_AMF = Form(_matches(r"[0-9A-Fa-f]{4}"), "form.sim_amf")
SSID = Form(lambda text: len(text.encode()) <= 32, "form.ssid")
WIFI_PASSWORD = Form(_is_wifi_password, "form.wifi_password")
SOCKET_PATH = Form(
    lambda text: text.startswith("/") and len(text.encode()) <= 100,
    "form.socket_path",
)
