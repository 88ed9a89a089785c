"""Hosts, addresses, numbers."""

import pytest

from firmware.config import forms, split_server

SERVERS = [
    ("pbx.example", ("pbx.example", None)),
    ("pbx.example:5080", ("pbx.example", 5080)),
    ("10.0.0.1:5060", ("10.0.0.1", 5060)),
    ("[2001:db8::1]:5060", ("2001:db8::1", 5060)),
    ("[2001:db8::1]", ("2001:db8::1", None)),
    ("2001:db8::1", ("2001:db8::1", None)),
    ("localhost", ("localhost", None)),
    ("my_pbx", ("my_pbx", None)),
    ("pbx.example.", ("pbx.example.", None)),
]


@pytest.mark.parametrize(("text", "parts"), SERVERS)
def test_a_server_is_host_and_perhaps_port(text, parts):
    assert forms.SERVER.fits(text)
    assert split_server(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "sip:pbx",
        "a b",
        "pbx:",
        "pbx:0",
        "pbx:65536",
        "pbx:５",
        "-pbx",
        "p..x",
        "1.2.3",
        "999.1.1.1",
        "[::1",
        "[::1]:",
        "[pbx]:5060",
        "[10.0.0.1]:5060",
        "10.0.0.256",  # RFC 1123 §2.1: what ends in digits only is an address
        "x" * 64,
        ("x" * 60 + ".") * 5,
        "a@b",
        "a;b",
    ],
)
def test_what_is_no_server_is_refused(text):
    assert not forms.SERVER.fits(text)


FITTING = [
    (
        forms.USER,
        ["101", "alice", "a.b-c_d", "+4930123", "*97", "a%20b"],
        ["", "a b", "a@b", "a:b", "ä", '"', "<", "%2"],
    ),
    (forms.NUMBER_GLOB, ["4930*", "49301?", "[12]0"], ["", "a b", "a@b"]),
    (forms.EMERGENCY, ["112", "*99", "+112"], ["1", "abc", "1 1 2"]),
    (
        forms.ZONE,
        ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+1"],
        ["/etc", "a/../b", "a b"],
    ),
    (
        forms.NETWORK,
        ["10.0.0.0/8", "10.0.0.7/8", "::1", "2001:db8::/32"],
        ["10/8", "pbx", "10.0.0.0/33"],
    ),
    (
        forms.CARD_DEVICE,
        ["", "id:Device", "id:Codec_1,0", "usb:1-1.2", "null"],
        ["hw:0", "id:", "id:a b", "usb:"],
    ),
    (
        forms.BOARD,
        ["mock", "wm8960", "/etc/deskphone/my.toml", "my.toml"],
        ["", "My Board", "a\x00/b"],
    ),
    (forms.WIFI_PASSWORD, ["12345678", "0" * 64, "x" * 63], ["1234567", "g" * 64]),
    (forms.SSID, ["home", "ü" * 16], ["ü" * 17]),
    (forms.SOCKET_PATH, ["/run/x.sock"], ["x.sock", "/" + "x" * 100]),
]


@pytest.mark.parametrize(("form", "good", "bad"), FITTING, ids=lambda value: str(value)[:20])
def test_forms_fit_what_they_should(form, good, bad):
    assert [text for text in good if not form.fits(text)] == []
    assert [text for text in bad if form.fits(text)] == []
