from datetime import timedelta

import pytest

from firmware.base.values import replace
from firmware.phone.view import Mode, Notice
from firmware.sip.notifications import RegistrationState
from firmware.ui.render import SCREENS, picture, redraw_at, render
from firmware.ui.text import Texts

TEXTS = Texts.load("en")


def later(clock, seconds):
    wall = clock.wall and clock.wall + timedelta(seconds=seconds)
    return replace(clock, now=clock.now + seconds, wall=wall)


def test_every_mode_has_a_screen_and_every_screen_a_moment(all_scenes):
    assert set(SCREENS) == set(Mode) == {view.mode for view, _ in all_scenes.values()}


def test_no_moment_looks_like_another(all_scenes, size):
    pictures = [picture(view, clock, size, TEXTS).bits for view, clock in all_scenes.values()]
    assert len(set(pictures)) == len(pictures)


def test_a_display_gets_whole_rows_of_bytes(scene_of, size):
    shown = picture(*scene_of("talking"), size, TEXTS)
    assert (shown.width, shown.height) == size
    assert len(shown.bits) == size[0] * size[1] // 8


@pytest.mark.parametrize("mode", list(Mode))
def test_a_mode_without_a_call_in_front_is_still_drawn(mode, make_phone, scene_of, size):
    _, clock = scene_of("idle")
    assert render(make_phone(mode), clock, size, TEXTS).size == size


@pytest.mark.parametrize("mode", list(Mode))
def test_a_very_long_notice_stays_on_the_screen(mode, make_phone, make_call, scene_of, size):
    _, clock = scene_of("idle")
    view = make_phone(mode, make_call(name="N" * 300, user="9" * 300), digits="5" * 300)
    view = replace(view, notice=Notice("call_other", (("status", "500"), ("phrase", "x" * 4000))))
    assert render(view, clock, size, TEXTS).size == size


def test_a_larger_screen_works_too(scene_name, scene_of):
    view, clock = scene_of(scene_name)
    assert render(view, clock, (256, 64), TEXTS).size == (256, 64)


def test_the_talk_timer_moves_every_second(scene_of, size):
    view, clock = scene_of("talking")
    clock = later(clock, 0.4)
    at = redraw_at(view, clock)
    assert at == pytest.approx(clock.now + 0.6)
    now = render(view, clock, size, TEXTS).bits
    before = later(clock, at - clock.now - 0.01)
    after = later(clock, at - clock.now)
    assert render(view, before, size, TEXTS).bits == now
    assert render(view, after, size, TEXTS).bits != now


def test_the_talk_timer_never_asks_for_the_moment_that_is_now(make_phone, make_call, scene_of):
    _, clock = scene_of("talking")
    view = make_phone(Mode.TALKING, make_call(answered_at=0.1))
    for _ in range(1000):
        at = redraw_at(view, clock)
        assert clock.now < at <= clock.now + 1.000_001
        clock = replace(clock, now=at)


def test_the_idle_clock_moves_every_minute(scene_of, size):
    view, clock = scene_of("idle")
    at = redraw_at(view, clock)
    assert at == pytest.approx(clock.now + 30)
    after = later(clock, at - clock.now)
    assert render(view, after, size, TEXTS).bits != render(view, clock, size, TEXTS).bits


def test_a_countdown_moves_every_second(scene_of, size):
    view, clock = scene_of("idle_trying")
    at = redraw_at(view, clock)
    assert at == pytest.approx(clock.now + 1)
    after = later(clock, at - clock.now)
    assert render(view, after, size, TEXTS).bits != render(view, clock, size, TEXTS).bits


def test_nothing_moves_while_the_clock_is_not_set(scene_of):
    assert redraw_at(*scene_of("idle_clock_unset")) is None


def test_a_try_that_is_under_way_counts_up(make_phone, make_line, scene_of, size):
    _, clock = scene_of("idle")
    overdue = make_line("201", RegistrationState.FAILED, None, clock.now - 3)
    view = make_phone(lines=(overdue,))
    assert redraw_at(view, clock) == pytest.approx(clock.now + 1)
    after = later(clock, 1)
    assert render(view, after, size, TEXTS).bits != render(view, clock, size, TEXTS).bits
