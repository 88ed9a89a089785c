"""What is loaded once a phone runs: what may come unasked, and what its settings ask for."""

import subprocess
import sys

from firmware.config.schema import LineSettings, RecordingSettings, Settings
from firmware.runtime import later


def test_a_phone_that_watches_nobody_reads_no_xml():
    settings = Settings(lines=(LineSettings("101", "pbx"),))
    assert later.wanted(settings) == (*later.ALWAYS, *later.RECORDING)


def test_a_phone_that_never_records_loads_no_recorder():
    settings = Settings(recording=RecordingSettings("never"))
    assert later.wanted(settings) == later.ALWAYS


def test_who_watches_people_has_a_parser():
    for line in (
        LineSettings("101", "pbx", watch=("102",)),
        LineSettings("101", "pbx", buddies=("102",)),
        LineSettings("101", "pbx", watch_registration=True),
    ):
        assert set(later.READING) < set(later.wanted(Settings(lines=(line,))))


def test_who_encrypts_has_what_keys_are_made_of():
    line = LineSettings("101", "pbx", srtp="prefer")
    assert set(later.ENCRYPTING) < set(later.wanted(Settings(lines=(line,))))


def test_who_checks_ways_has_what_finds_them():
    line = LineSettings("101", "pbx", ice="on")
    assert set(later.WAYS) < set(later.wanted(Settings(lines=(line,))))


def test_a_phone_that_encrypts_and_checks_nothing_loads_nothing_of_it():
    code = "import sys, firmware.runtime.program; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = done.stdout.split()
    heavy = {"cryptography", "OpenSSL", "pylibsrtp", *later.ENCRYPTING} - {"hmac"}
    heavy |= {"aioice", "ifaddr", *later.WAYS}
    assert heavy.isdisjoint(loaded)


def test_f42_it_is_all_there_afterwards():
    settings = Settings(lines=(LineSettings("101", "pbx", watch=("102",)),))
    later.load(settings)
    assert set(later.wanted(settings)) <= sys.modules.keys()
