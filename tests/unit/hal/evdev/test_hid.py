import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.evdev.hid import LAMP_PAGE, USAGES, Reports
from tests.support.hid_handset import DESCRIPTOR, KEYS, lamps, report

HOOK, MUTE = USAGES["HID_HOOK"], USAGES["HID_PHONE_MUTE"]
RING, OFF_HOOK, MUTED = USAGES["HID_RING"], USAGES["HID_OFF_HOOK"], USAGES["HID_MUTE"]
HANDSET = Reports(DESCRIPTOR)


def items(*words):
    return bytes.fromhex("".join(words).replace(" ", ""))


def on(octets, reports=HANDSET):
    return {usage for usage, is_on in reports.read(octets).items() if is_on}


def test_a_handset_says_what_it_can_report_and_be_told():
    keys = {USAGES[f"HID_KEY_{digit}"] for digit in range(10)}
    keys |= {USAGES["HID_KEY_STAR"], USAGES["HID_KEY_POUND"]}
    assert HANDSET.inputs == {HOOK, MUTE, *keys}
    assert HANDSET.outputs == {OFF_HOOK, RING, MUTED}


@pytest.mark.parametrize("key", KEYS)
def test_hook_and_keys_are_read_from_one_report(key):
    name = {"*": "STAR", "#": "POUND"}.get(key, key)
    assert on(report(lifted=True, key=key)) == {HOOK, USAGES[f"HID_KEY_{name}"]}
    assert on(report(mute=True)) == {MUTE}
    assert on(report()) == set()


def test_lamps_are_written_as_one_report():
    (written,) = HANDSET.write({RING, MUTED})
    assert written == b"\x01\x06"
    assert lamps(written) == {RING, MUTED}
    assert HANDSET.write(set()) == [b"\x01\x00"]
    assert HANDSET.write({OFF_HOOK, 0x0801FF}) == [b"\x01\x01"]


def test_a_device_with_one_report_does_not_number_it():
    plain = Reports(DESCRIPTOR.replace(bytes.fromhex("8501"), b""))
    assert on(report(lifted=True)[1:], plain) == {HOOK}
    assert plain.write({RING}) == [b"\x00\x02"], "the kernel wants a zero in its place"


def test_a_report_of_another_number_or_cut_short_says_nothing():
    assert HANDSET.read(b"\x02\xff") == {}
    assert HANDSET.read(b"\x01") == {}
    assert HANDSET.read(b"") == {}


def test_a_usage_of_four_bytes_brings_its_page_and_a_stack_keeps_the_globals():
    """Consumer page as the global, a telephony usage in full; push and pop around another size."""
    made = Reports(
        items("050c 1500 2501 7501 9501 a4 7508 9502 b4", "0b 2000 0b00 8102", "09e9 8102")
    )
    assert on(b"\x01", made) == {HOOK}
    assert on(b"\x02", made) == {USAGES["HID_VOLUME_UP"]}


def test_what_only_fills_a_report_means_nothing_but_its_room():
    """A constant with a usage, then the hook in the second bit."""
    made = Reports(items("050b 1500 2501 7501 9501", "092f 8103", "0920 8102"))
    assert made.inputs == {HOOK}
    assert on(b"\x02", made) == {HOOK}
    assert on(b"\x01", made) == set()


def test_a_long_item_is_passed_over():
    assert on(b"\x01", Reports(items("fe 03 10 aabbcc", "050b 7501 9501 0920 8102"))) == {HOOK}


def test_it_is_known_which_report_to_ask_for_the_hook():
    assert HANDSET.holding(HOOK) == (1, 2)
    assert HANDSET.holding(0x0B00FF) is None


def test_a_descriptor_that_asks_for_gigabytes_is_not_believed():
    huge = items("050b 97 ffffffff 77 ffffffff 0920 8102")
    assert Reports(huge).inputs == set()
    many = items("050b 7501 96 0004", "0920 8102" * 500)
    assert len(Reports(many)._fields) <= 2048


def test_a_report_of_a_number_that_no_byte_holds_is_not_believed():
    """It could never be written; a device that names one writes nonsense."""
    made = Reports(items("0508 86 0101 7501 9501 0918 9102"))
    assert made.write({RING}) == []


def test_a_descriptor_whose_reports_are_endless_is_not_believed():
    """Each field fits, all of them together make a report of megabytes."""
    made = Reports(items("050b", "7520 96 0004 8103" * 200, "7501 9501 0920 8102"))
    assert made.holding(HOOK) is None
    assert max(made._ends.values()) <= 2 * 8 * 4096


def test_a_descriptor_that_names_a_thousand_keys_a_thousand_times_is_not_believed():
    fields = items("050b 7501 9501 0921 8102", "1900 2a ff03" * 20, "1920 2920 8102")
    assert USAGES["HID_FLASH"] in Reports(fields).inputs
    assert HOOK not in Reports(fields).inputs, "by then it was enough"


def test_a_descriptor_that_makes_every_report_a_day_of_work_is_not_believed():
    """A thousand fields, each of which may name one of a thousand keys."""
    made = Reports(items("050b 7508 96 e803 1900 2a e803 8100" * 8))
    assert sum(len(each.usages) for each in made._fields) <= 8192


@given(st.binary(max_size=300), st.binary(max_size=70), st.sets(st.sampled_from([RING, HOOK])))
def test_any_descriptor_and_any_report_is_taken(descriptor, octets, lit):
    made = Reports(descriptor)
    made.read(octets)
    made.write(lit)
    made.holding(HOOK)


@given(st.integers(0, len(DESCRIPTOR) - 1), st.integers(0, 255), st.binary(max_size=8))
def test_a_descriptor_with_a_wrong_byte_is_taken(at, octet, octets):
    broken = bytearray(DESCRIPTOR)
    broken[at] = octet
    Reports(bytes(broken)).read(octets)


def test_every_lamp_is_on_the_page_of_lamps_and_no_key_is():
    pages = {name: usage >> 16 for name, usage in USAGES.items()}
    lit = {name for name, page in pages.items() if page == LAMP_PAGE}
    assert "HID_RING" in lit
    assert set(pages.values()) == {LAMP_PAGE, 0x0B, 0x0C}
    assert not lit & {"HID_HOOK", "HID_KEY_5"}
