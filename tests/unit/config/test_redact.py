"""Secrets out of texts that somebody else made."""

import tomllib

import pytest

from firmware.config import parse
from firmware.config.redact import MASK, redact, redact_toml, secrets

SETTINGS = parse(
    '[[line]]\nuser = "1"\nserver = "h"\npassword = "hunter22"\n'
    '[network.wifi]\nssid = "x"\npassword = "wifi-secret"\n'
)


def test_all_secrets_are_known_longest_first():
    assert secrets(SETTINGS) == ("wifi-secret", "hunter22")


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter22"',
        "password = 'hunter22'",
        'password="hunter22" # mine',
        '"password" = "hunter22"',
        'tls = 1\npassword = """hunter22"""',
        "password = '''\nhunter22'''",
        "password = hunter22",
        'password = "hunter22',
        'wifi = { ssid = "x", password = "hunter22" }',
        'line.password = "hunter22"',
        '# password = "hunter22"',
        'password = "a\\"hunter22"',
    ],
)
def test_a_password_in_a_configuration_is_masked_however_it_is_written(line):
    assert "hunter22" not in redact_toml(line)
    assert MASK in redact_toml(line)


def test_what_is_no_secret_stays(full):
    masked = tomllib.loads(redact_toml(full))
    plain = tomllib.loads(full)

    plain["network"]["wifi"]["password"] = plain["network"]["turn_password"] = MASK
    plain["line"][0] |= dict.fromkeys(("password", "aka_k", "aka_op", "aka_opc"), MASK)
    assert masked == plain


def test_a_sip_trace_loses_what_helps_to_guess_the_password():
    """RFC 7616 §5.1: Digest and dictionaries."""
    text = 'Authorization: Digest username="101", nonce="n1", cnonce="c1", response="r1", uri="u"'

    masked = redact(text)

    assert 'username="101"' in masked
    assert not any(word in masked for word in ("n1", "c1", "r1"))


def test_media_keys_are_masked():
    assert "WnD7" not in redact(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WnD7c1ksDGs+dIefCEo8/w=="
    )


def test_the_settings_secrets_are_masked_wherever_they_stand():
    assert redact("INVITE sip:hunter22@h", SETTINGS) == f"INVITE sip:{MASK}@h"


def test_the_password_of_the_checks_is_masked():
    """RFC 8445 §19.2: whoever has it can lead the sound elsewhere."""
    assert redact("a=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=ptime:20") == (
        f"a=ice-pwd:{MASK}\r\na=ptime:20"
    )
