"""What a reload must do."""

import pytest

from firmware.config import Settings, parse
from firmware.config.plan import plan
from firmware.config.table import SETTINGS, Applies
from firmware.ui.text import Texts

ONE = '[[line]]\nuser = "101"\nserver = "pbx"\npassword = "a"\n'
TWO = '[[line]]\nuser = "102"\nserver = "pbx"\n'


def between(old: str, new: str):
    return plan(parse(old), parse(new))


def test_nothing_changed_means_nothing_to_do():
    same = between(ONE, ONE + "# a comment\n")

    assert not same
    assert same.at_once == same.when_idle == parse(ONE)


def test_a_new_line_is_added_and_the_others_are_left_alone():
    found = between(ONE, ONE + TWO)

    assert [line.name for line in found.lines_added] == ["102@pbx"]
    assert (found.lines_removed, found.lines_changed) == ((), ())
    assert found.applied == ("line[102@pbx]",)


def test_a_removed_line_goes():
    found = between(ONE + TWO, TWO)

    assert [line.name for line in found.lines_removed] == ["101@pbx"]
    assert found.lines_changed == ()


def test_the_order_of_lines_does_not_matter_to_the_registrar():
    found = between(ONE + TWO, TWO + ONE)

    assert (found.lines_added, found.lines_removed, found.lines_changed) == ((), (), ())
    assert [line.user for line in found.at_once.lines] == ["102", "101"]


def test_another_password_makes_the_line_register_anew():
    found = between(ONE, ONE.replace('"a"', '"b"'))

    (change,) = found.lines_changed
    assert change.anew
    assert (change.old.password, change.new.password) == ("a", "b")
    assert found.applied == ("line[101@pbx].password",)


def test_other_numbers_do_not_disturb_the_registration():
    (change,) = between(ONE, ONE + 'numbers = ["4930*"]\n').lines_changed

    assert not change.anew


def test_certificates_make_the_line_register_anew():
    (change,) = between(ONE, ONE + '[line.tls]\nca = "x"\n').lines_changed

    assert change.anew


def test_a_rename_is_one_less_and_one_more():
    found = between(ONE, ONE + 'name = "desk"\n')

    assert [line.name for line in found.lines_added] == ["desk"]
    assert [line.name for line in found.lines_removed] == ["101@pbx"]


def test_another_card_waits_until_no_call_is_up():
    old, new = parse(ONE), parse(ONE + '[audio]\ncard = "null"\nloop = true\n')
    found = plan(old, new)

    assert found.waiting == ("audio.card",)
    assert found.applied == ("audio.loop",)
    assert found.paths == ("handset", "headset", "speaker", "ringer")
    assert (found.at_once.audio.card, found.at_once.audio.loop) == ("", True)
    assert found.when_idle == new


def test_one_paths_card_leaves_the_others_alone():
    assert between("", '[audio.ringer]\ncard = "id:Bell"\n').paths == ("ringer",)


def test_a_volume_is_applied_at_once():
    found = between("", "[audio.speaker]\nvolume = 20\n")

    assert (found.volumes, found.paths) == ((("speaker", 20),), ())


def test_another_port_needs_a_restart_and_is_not_mixed_in():
    found = between(ONE, ONE + "[network]\nsip_port = 5070\n[phone]\nmax_calls = 3\n")

    assert found.restart == ("network.sip_port",)
    assert found.applied == ("phone.max_calls",)
    for settings in (found.at_once, found.when_idle):
        assert (settings.network.sip_port, settings.phone.max_calls) == (5060, 3)


def test_a_table_is_touched_by_any_of_its_keys():
    found = between("", "[web]\nport = 8081\n[network.wifi]\nssid = 'x'\n")

    assert found.touches("web")
    assert found.touches("network")
    assert found.touches("web.port")
    assert not found.touches("we")
    assert not found.touches("audio")


def test_a_plan_holds_no_secret_in_its_words():
    found = between(ONE, ONE.replace('"a"', '"hunter22"'))

    assert "hunter22" not in repr(found)


@pytest.mark.parametrize("applies", Applies)
def test_every_time_has_words_and_keys(applies):
    assert f"applies.{applies.value}" in Texts.load()
    assert any(row.applies is applies for row in SETTINGS.values())


def test_from_and_to_the_defaults(full):
    there, back = plan(Settings(), parse(full)), plan(parse(full), Settings())

    assert {c.key for c in there.changes} == {c.key for c in back.changes}
