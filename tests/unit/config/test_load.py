"""A file becomes settings, or all its faults at once with line, key and what would be right."""

from pathlib import Path

import pytest

from firmware.config import ConfigErrors, examine, examine_bytes, load, parse, rules
from firmware.config.table import SETTINGS
from firmware.rtp import srtp
from firmware.ui.faults import say
from firmware.ui.text import Texts

TEXTS = Texts.load()
LINE = '[[line]]\nuser = "101"\nserver = "pbx.example"\n'


def said(problem) -> str:
    sentence = say(problem, TEXTS)
    assert "{" not in sentence.replace(text_of(problem), ""), "a place is not filled"
    return sentence


def text_of(problem) -> str:
    return next((value for name, value in problem.args if name == "got"), "{")


def faults(text: str) -> list[str]:
    return [said(problem) for problem in examine(text, "f").problems]


def notes(text: str) -> list[str]:
    return [said(note) for note in examine(text, "f").notes]


def test_five_lines_make_calls():
    settings = parse(
        '[board]\nname = "mock"\n[[line]]\nuser = "101"\npassword = "x"\nserver = "pbx"\n'
    )

    (line,) = settings.lines
    assert (line.user, line.password, line.server, line.transport) == ("101", "x", "pbx", "udp")
    assert line.register
    assert settings.audio.codecs == ("opus", "g722", "pcmu", "pcma")


def test_an_empty_file_is_a_phone_without_lines():
    assert parse("").lines == ()
    assert notes("") == ["f: no [[line]] is configured: the phone can make no call"]


def test_every_key_of_the_contract_is_accepted(full):
    assert examine(full).problems == ()
    written = {line.split("=")[0].strip() for line in full.splitlines() if "=" in line}
    assert written == {key.rpartition(".")[2] for key in SETTINGS}


def test_a_line_gets_its_name_from_user_and_server():
    named = parse(LINE + LINE.replace("101", "102") + 'name = "door"\n')

    assert [line.name for line in named.lines] == ["101@pbx.example", "door"]


def test_a_line_without_registrar_needs_no_server():
    (line,) = parse('[[line]]\nuser = "door"\nregister = false\npeers = ["10.0.0.0/8"]').lines

    assert (line.name, line.server) == ("door", "")


@pytest.mark.parametrize(
    ("value", "bind"),
    [('""', ()), ('"10.0.0.1"', ("10.0.0.1",)), ('["10.0.0.1", "::1"]', ("10.0.0.1", "::1"))],
)
def test_bind_is_an_address_or_a_list(value, bind):
    assert parse(f"[network]\nbind = {value}").network.bind == bind


def test_all_faults_come_at_once_in_the_order_of_the_file():
    found = faults(
        "[phone]\n"
        'contry = "US"\n'
        "max_calls = 800\n"
        "\n"
        "[[line]]\n"
        "user = 101\n"
        'server = "sip:10.0.0.1"\n'
        'transport = "TCP"\n'
        "[line.tls]\n"
        "verfy = true\n"
        "[[line]]\n"
        "[wbe]\n"
    )

    assert "\n".join(found) == EXPECTED


EXPECTED = """\
f:2: phone.contry: there is no such key, did you mean `country`?
f:3: phone.max_calls: 800 is out of range, write a whole number from 1 to 100
f:6: line[1].user: 101 is a number, write text in quotes: "101"
f:7: line[1].server: "sip:10.0.0.1" does not fit, write host, host:port or a domain, without sip:
f:8: line[1].transport: "TCP" is not known, did you mean "tcp"? \
(possible: "udp", "tcp", "tls", "ws", "wss", "auto")
f:10: line[1].tls.verfy: there is no such key, did you mean `verify`?
f:11: line[2].user: this is missing, write user = "101"  \
# User or extension: what stands before the @ of its address.
f:11: line[2].server: this is missing, write server = "pbx.example"  \
# The PBX: host, host:port, or a domain that is looked up by SRV.
f:12: wbe: there is no such key, did you mean `web`?"""

ONE_FAULT = [
    ('"a\\nf:1: web: fine" = 1', '1: "a?f:1: web: fine": there is no such key'),
    ("x" * 500 + " = 1", "x" * 60 + ": there is no such key"),
    ("[phone]\nmax_calls = 0", "2: phone.max_calls: 0 is out of range"),
    ("[phone]\nmax_calls = true", "2: phone.max_calls: true is true or false, write a whole"),
    ("[phone]\nmax_calls = 8.5", "8.5 is a number with a point"),
    ("[phone]\nmax_calls = 1979-05-27", "1979-05-27 is a date or time"),
    ('[phone]\ncountry = "us"', "write two capital letters"),
    ('[phone]\ncountry = ""', "phone.country: this is empty, write two capital letters"),
    ('[phone]\nemergency = "112"', '"112" is text, write a list of texts'),
    ('[phone]\nemergency = ["112", "112"]', '"112" is listed twice, leave one of them out'),
    ("[phone]\nemergency = [112]", '112 is a number, write text in quotes: "112"'),
    ('[phone]\nemergency = ["police"]', '"police" does not fit, write digits such as "112"'),
    ('[time]\nzone = "../../etc/passwd"', "write a zone such as"),
    ("phone = 1", "1: phone: 1 is a number, write a table: [phone]"),
    ("[network]\nsip_port = 70000", "70000 is out of range, write a whole number from 0 to 65535"),
    ("[network]\nrtp_ports = [5, 1]", "5, 1 is no range of ports"),
    ("[network]\nrtp_ports = [40001, 40002]", "holds no even port with the odd one after it"),
    ("[network]\nrtp_ports = 40000", "40000 is a number, write two port numbers"),
    ('[network]\nbind = "eth0"', '"eth0" does not fit, write an IP address'),
    ("[network.wifi]\nssid = 'x'\npassword = 'short'", "••• does not fit, write 8 to 63"),
    ('[line]\nuser = "1"\nserver = "h"', "line: a single [line] is not a list of lines, write [[l"),
    ("line = 1", "line: 1 is a number, write a [[line]] table"),
    ("line = [1]", "line[1]: 1 is a number, write a table"),
    (LINE + "expires = 5", "line[1].expires: 5 is out of range"),
    (LINE + 'display_name = "a\\r\\nVia: x"', "there is a control character in it"),
    (LINE + f'display_name = "{"x" * 300}"', "this has 300 characters, at most 255"),
    (LINE + LINE, 'line[2].name: another line is called "101@pbx.example" too'),
    (LINE + 'proxy = "10.0.0.300"', '"10.0.0.300" does not fit'),
    (LINE + 'proxy = "a b"', '"a b" does not fit'),
    (LINE + 'proxy = "pbx:99999"', '"pbx:99999" does not fit'),
    (LINE + 'proxy = "[::1]5060"', '"[::1]5060" does not fit'),
    (LINE + 'proxies = ["a b"]', '"a b" does not fit'),
    (LINE + 'registrars = ["a", "b", "c", "d"]', "line[1].registrars"),
    (LINE + f'aka_k = "{"0" * 32}"', "line[1].aka_k: a SIM card needs"),
    (LINE + 'aka_k = "123"', "write 32 hex digits"),
    (LINE + 'peers = ["pbx.example"]', "write an address or network"),
    (LINE + 'srtp = "required"', 'did you mean "require"?'),
    (LINE + '[line.tls]\ncert = "a.pem"', "line[1].tls: a certificate needs both"),
    ('[[line]]\nuser = "1"\nserver = ""', "line[1].server: this is empty, write the PBX's host"),
    ('[[line]]\nuser = "sip:1@h"\nserver = "h"', "write the part before the @, without sip:"),
    ('[audio]\ncodecs = ["PCMU"]', '"PCMU" is not known, did you mean "pcmu"?'),
    ("[audio]\ncodecs = []", "audio.codecs: this is empty, write a list such as"),
    ('[audio]\nloop = true\nplay = "a.wav"', "audio.loop: `loop` sends each call's own audio"),
    ('[audio.handset]\ncard = "hw:0"', '"hw:0" does not fit, write "id:DEVICE"'),
    ('[audio.handset]\nvolume = "loud"', '"loud" is text, write a whole number from 0 to 100'),
    ('[web]\nlisten = "all"', '"all" does not fit'),
    ('[web]\nenabled = "yes"', '"yes" is text, write true or false'),
    ('[control]\npath = "control.sock"', "write an absolute path"),
    ('[board]\nname = "Mein Brett"', "write the name of a board"),
]


@pytest.mark.parametrize(("text", "fault"), ONE_FAULT)
def test_each_fault_says_what_would_be_right(text, fault):
    found = faults(text)

    assert len(found) == 1, found
    assert fault in found[0]


SYNTAX = [
    ("[phone]\ncountry = US\n", "f:2: this cannot be read"),
    ('[phone]\ncountry = "US\nlanguage = "en"\n', "f:2: this cannot be read"),
    ('[phone\ncountry = "US"\n', "f:1: this cannot be read"),
    ('[phone]\ncountry = "US"\ncountry = "DE"\n', "f:3: this is set twice, leave one of them out"),
    ("[phone]\nemergency = [\n", "f:2: this cannot be read"),
    ("x = " + "[" * 3000, "brackets are nested too deeply"),
    ("\n[phone]\nx" + ".a" * 30_000 + " = 1", "f:3: brackets are nested too deeply, or a key has"),
    ('[web]\n["a"' + " . 'b'" * 30_000 + "]", "f:2: brackets are nested too deeply, or a key has"),
    ("x = {y = 1, a" + ".a" * 30_000 + " = 1}", "f:1: brackets are nested too deeply, or a key"),
    ("x = " + "9" * 5000, "f:1: this cannot be read (a number with too many digits)"),
    ('x = """abc', "f:1: this cannot be read"),
]


@pytest.mark.parametrize(("text", "fault"), SYNTAX, ids=lambda text: text[:20])
def test_text_that_cannot_be_read_says_where(text, fault):
    assert any(one.startswith((fault, f"f: {fault}")) for one in faults(text)), faults(text)


def test_several_broken_lines_are_found_and_the_others_judged():
    found = faults("[phone]\ncountry = US\nmax_calls = 800\nlanguage: en\n[web]\nport = x\n")

    assert [one.split(": ")[0] for one in found] == ["f:2", "f:3", "f:4", "f:6"]


def test_a_broken_line_is_not_called_missing_too():
    assert len(faults('[[line]]\nuser = "101\nserver = "h"\n')) == 1


def test_an_open_bracket_is_one_fault_and_not_one_for_each_line_after_it():
    text = "[phone]\nemergency = [\n" + "".join(f"key{n} = {n}\n" for n in range(30))

    assert len(faults(text)) == 1


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("[web]\nport = 1".encode("utf-16"), 'f:1: the file is UTF-16, save it as "UTF-8"'),
        (b"[phone]\n# caf\xe9\n", 'f:2: this is not UTF-8 text, save the file as "UTF-8"'),
        (b"#" * 300_000, "f: the file has 300000 bytes, a configuration has at most 262144"),
    ],
)
def test_a_file_that_is_no_text_is_said_in_words(data, fault):
    assert said(examine_bytes(data, "f").problems[0]).startswith(fault)


def test_what_an_editor_on_windows_makes_is_read():
    data = b'\xef\xbb\xbf[phone]\r\ncountry = "DE"\r\n'

    assert examine_bytes(data, "f").settings.phone.country == "DE"


def test_a_missing_file_is_a_fault_with_its_name(tmp_path: Path):
    with pytest.raises(
        ConfigErrors, match=r"deskphone\.toml: config\.unreadable reason=No such file"
    ):
        load(tmp_path / "deskphone.toml")


def test_a_file_is_loaded(tmp_path: Path):
    (tmp_path / "deskphone.toml").write_text(LINE)

    assert load(tmp_path / "deskphone.toml").lines[0].user == "101"


def test_the_error_carries_every_fault():
    with pytest.raises(ConfigErrors) as caught:
        parse("[web]\nport = -1\nprot = 1\n")

    assert [(one.line, one.key) for one in caught.value.problems] == [
        (2, "web.port"),
        (3, "web.prot"),
    ]


NOTES = [
    (LINE + 'srtp = "require"', "f:4: line[1].srtp: without TLS who listens can be kept out, but"),
    (LINE + 'srtp = "prefer"\nsrtp_keys = "sdes"', "the keys travel where others can read them"),
    (LINE + 'srtp_keys = "sdes"', "f:4: line[1].srtp_keys: without `srtp` this changes nothing"),
    (LINE + 'ice = "relay"', "f:4: line[1].ice: this line can make no calls: it is reached"),
    (LINE + '[network]\nturn = "t.example"', "network.turn: no line asks for a relay: write ice"),
    (
        LINE + 'ice = "on"\n[network]\nturn = "t.example"\nturn_user = "u"',
        "network.turn: relays give no place to who does not say who they are",
    ),
    (LINE + "register = false", "only pbx.example may call this line"),
    (LINE + 'auto_answer = "always"', "line[1].auto_answer: every caller"),
    (LINE + "[line.tls]\nverify = false", "line[1].tls.verify: the server's certificate is not"),
    (LINE + '[audio]\ncard = "alsa"\nplay = "a.wav"', 'audio.play: only card = "file" uses this'),
    (LINE + '[web]\nlisten = "0.0.0.0"', "f:5: web.listen: the web page can be reached from"),
    (LINE + '[phone]\nnot_emergency = ["911"]', "dialled like any other number: 911"),
    (LINE + "[recording]\ntone = false", "recording.tone: nobody hears that they are recorded"),
    (LINE + '[time]\nntp = ["pool.example"]', "time.ntp: this version accepts the setting but"),
]


@pytest.mark.parametrize(("text", "note"), NOTES)
def test_what_runs_but_may_surprise_is_a_note(text, note):
    assert examine(text).problems == ()
    assert any(note in one for one in notes(text)), notes(text)


def test_a_plain_configuration_has_no_notes():
    assert notes(LINE) == []


def test_a_file_card_on_one_path_uses_play_and_record():
    assert notes(LINE + '[audio]\nplay = "a.wav"\n[audio.handset]\ncard = "file"\n') == []


def test_encryption_without_its_library_is_a_note(monkeypatch):
    monkeypatch.setattr(srtp, "installed", lambda: False)
    (note, _) = notes(LINE + 'srtp = "require"')
    assert 'this line stays down: srtp = "require" needs the library pylibsrtp' in note


def test_checks_of_ways_without_their_library_are_notes(monkeypatch):
    """A line that shows a relay alone shows nothing else instead; another does without."""
    monkeypatch.setattr(rules, "can_check_ways", lambda: False)
    relay = '[network]\nturn = "t.example"\nturn_user = "u"\nturn_password = "p"\n'
    (note,) = notes(LINE + 'ice = "relay"\n' + relay)
    assert 'this line stays down: ice = "relay" needs the library aioice' in note
    (note,) = notes(LINE + 'ice = "on"\n')
    assert "go without checks of their ways: the library aioice is missing" in note


@pytest.mark.parametrize("ways", ["auto", "sdes", "dtls"])
def test_encryption_over_tls_needs_no_note(ways):
    assert not notes(LINE + f'transport = "tls"\nsrtp = "require"\nsrtp_keys = "{ways}"')
