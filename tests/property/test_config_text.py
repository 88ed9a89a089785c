"""Whatever stands in a configuration: settings or faults with their places, never an exception."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.config.load import examine, examine_bytes

SECRET = "hush-hush-4711"
FILE = f"""\
[phone]
country = "DE"
language = "en"
max_calls = 8
emergency = ["110"]

[network]
bind = "127.0.0.1"
sip_port = 5060
rtp_ports = [40000, 40999]

[[line]]
user = "101"
password = "{SECRET}"
server = "pbx.example:5080"
transport = "udp"
peers = ["192.0.2.0/24"]
numbers = ["4930*"]
auto_answer = "trusted"

[[line]]
user = "102"
password = "{SECRET}"
server = "127.0.0.1"

[board]
name = "mock"

[audio]
codecs = ["g722", "pcmu"]
card = "file"

[audio.handset]
volume = 70

[web]
enabled = true
port = 8080
"""
ROWS = tuple(FILE.splitlines())
PIECES = [
    *('"', "'", '"""', "[", "]", "[[", "{", "}", "=", ",", ".", "#", "\\", "\n", "\t", "\0", "é"),
    *("true", "-1", "1e999", "0x", "nan", "1979-05-27T07:32:00Z", "9" * 400, "[" * 90, '"\\u0000"'),
]


@st.composite
def spoilt(draw):
    """The file with rows moved, doubled and lost, and pieces of TOML where they do not belong."""
    rows = list(ROWS)
    for _ in range(draw(st.integers(0, 3))):
        at, to = draw(st.tuples(st.integers(0, len(rows) - 1), st.integers(0, len(rows) - 1)))
        row = rows[at] if draw(st.booleans()) else rows.pop(at)
        rows.insert(to, row)
    text = "\n".join(rows)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 6))
        text = text[:at] + draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[end:]
    return text


def judged(found, text):
    """Either settings or faults, each in a line that there is."""
    assert (found.settings is None) == bool(found.problems)
    for problem in (*found.problems, *found.notes):
        assert 0 <= problem.line <= text.count("\n") + 2
        assert "\n" not in str(problem)


@settings(deadline=None, max_examples=150)
@given(spoilt())
def test_f04_a_spoilt_file_is_settings_or_faults_with_their_lines(text):
    judged(examine(text), text)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_f04_noise_is_no_configuration_and_no_crash(data):
    found = examine_bytes(data, "deskphone.toml")
    judged(found, data.decode("utf-8", "replace"))


@settings(deadline=None, max_examples=150)
@given(spoilt())
def test_a24_no_fault_tells_a_password(text):
    found = examine(text)
    said = "\n".join(str(problem) for problem in (*found.problems, *found.notes))
    # A password that lost its key or its quotes is no password any more, but text somewhere.
    if text.count(f'password = "{SECRET}"') == text.count(SECRET):
        assert SECRET not in said
