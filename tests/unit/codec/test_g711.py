"""G.711 against the Recommendation's own arithmetic, over every sample there is."""

from array import array

import pytest

from firmware.codec.g711 import A_LAW, MU_LAW

EVERY_SAMPLE = array("h", range(-32768, 32768))


def mu_law_value(code: int) -> int:
    """G.711 table 2: fourteen bits, here shifted up to sixteen."""
    code ^= 0xFF
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = (2 * mantissa + 33) * 2**exponent - 33
    return -4 * magnitude if code & 0x80 else 4 * magnitude


def a_law_value(code: int) -> int:
    """G.711 table 1: thirteen bits, here shifted up to sixteen."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = 2 * mantissa + 1 if exponent == 0 else (2 * mantissa + 33) * 2 ** (exponent - 1)
    return 8 * magnitude if code & 0x80 else -8 * magnitude


def mu_law_code(sample: int) -> int:
    """The code by logarithm: the segment is the power of two that the biased magnitude has."""
    fourteen = sample // 4
    magnitude = min(abs(fourteen), 8158) + 33
    exponent = magnitude.bit_length() - 6
    mantissa = magnitude // 2 ** (exponent + 1) - 16
    return (0x80 if fourteen < 0 else 0) + exponent * 16 + mantissa ^ 0xFF


def a_law_code(sample: int) -> int:
    """The same without a bias: the first two segments are linear."""
    thirteen = sample // 8
    magnitude = thirteen if thirteen >= 0 else -thirteen - 1
    exponent = max(0, magnitude.bit_length() - 5)
    mantissa = magnitude // 2 ** max(1, exponent) % 16
    return (0x80 if thirteen >= 0 else 0) + exponent * 16 + mantissa ^ 0x55


LAWS = [
    pytest.param(MU_LAW, mu_law_code, mu_law_value, id="mu-law"),
    pytest.param(A_LAW, a_law_code, a_law_value, id="a-law"),
]


@pytest.mark.parametrize(("law", "code", "value"), LAWS)
def test_all_65536_samples_get_the_code_of_the_formula(law, code, value):
    payload = law.encoder().encode(EVERY_SAMPLE.tobytes())
    assert list(payload) == [code(sample) for sample in EVERY_SAMPLE]


@pytest.mark.parametrize(("law", "code", "value"), LAWS)
def test_all_256_codes_give_the_value_of_the_table(law, code, value):
    pcm = array("h", law.decoder().decode(bytes(range(256))))
    assert list(pcm) == [value(octet) for octet in range(256)]


@pytest.mark.parametrize(("law", "code", "value"), LAWS)
def test_a_second_trip_through_the_network_loses_nothing(law, code, value):
    once = law.decoder().decode(law.encoder().encode(EVERY_SAMPLE.tobytes()))
    twice = law.decoder().decode(law.encoder().encode(once))
    assert once == twice


@pytest.mark.parametrize("law", [MU_LAW, A_LAW])
def test_an_octet_is_a_tick(law):
    """RFC 3551 §4.5.14."""
    assert law.ticks(bytes(160)) == 160
    assert law.ticks(b"") == 0
