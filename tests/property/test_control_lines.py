"""Lines on the control socket: a request, or a refusal in words; nothing else can happen."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from firmware.control import schema as s
from hal.keys import Key

TEXT = st.text(max_size=20)
CALL = st.none() | TEXT
NUMBERS = st.integers(-(2**40), 2**40)
REQUESTS = st.one_of(
    st.builds(s.Status, id=NUMBERS, role=st.none() | st.sampled_from(s.Role)),
    st.builds(s.Calls, limit=NUMBERS, skip=NUMBERS),
    st.builds(s.Ladder, call=CALL, skip=NUMBERS),
    st.builds(s.Events, topics=st.lists(st.sampled_from(s.Topic), max_size=4).map(tuple)),
    st.builds(s.Key, key=st.sampled_from(Key), move=st.sampled_from(s.KeyMove)),
    st.builds(s.Hook, move=st.sampled_from(s.HookMove)),
    st.builds(s.Dial, target=TEXT, line=CALL),
    st.builds(s.Transfer, target=TEXT, call=CALL),
    st.builds(s.Dtmf, digits=TEXT, call=CALL),
    st.builds(s.Volume, step=NUMBERS, level=st.none() | NUMBERS),
    st.builds(s.Play, file=TEXT, call=CALL),
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
VERBS = ["status", "dial", "key", "volume", "events", "ladder", "reload", "no such verb"]


def read(line):
    """The request of a line, or None if it is refused in words."""
    try:
        return s.decode_request(line)
    except (msgspec.MsgspecError, ValueError) as error:
        said = str(error)
    assert said
    return None


@given(REQUESTS)
def test_a_request_is_read_as_it_was_written(request):
    line = s.encode(request)
    assert line.count(b"\n") == 1
    assert s.decode_request(line) == request
    assert s.role_needed(request) in s.Role


@given(st.binary(max_size=200))
def test_noise_is_refused_in_words(line):
    assert read(line) is None


@given(REQUESTS, st.data())
def test_a_spoilt_request_is_read_or_refused_in_words(request, data):
    line = bytearray(s.encode(request))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(line)))
        line[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
    read(bytes(line))


@given(st.sampled_from(VERBS), st.dictionaries(TEXT, JSON, max_size=5))
def test_a_request_with_fields_of_any_kind_is_read_or_refused_in_words(verb, fields):
    read(json.dumps({"verb": verb, **fields}).encode())


@given(st.integers(0, 40_000), st.sampled_from([b"[", b'{"a":', b"[{"]))
def test_a_request_as_deep_as_a_line_allows_is_refused_in_words(depth, opening):
    assert read((opening * depth)[: s.LINE_LIMIT]) is None
