import pytest

from firmware.control.schema import LineFigures
from firmware.ui.text import Texts
from firmware.web.sentences import sentence
from tests.support.fake_phone import call, status

TEXTS = Texts.load("en")
DOWN = LineFigures("202", registered=False, reason="Wrong password: check line 2")


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (status(), "Ready. Registered: 201."),
        (status(lines=()), "No line set up"),
        (status(lines=(DOWN,)), "202: Wrong password: check line 2"),
        (status(lines=(LineFigures("203", registered=False),)), "203: Not registered"),
        (status(reason="No network"), "No network"),
        (status("off_hook"), "The handset is up: dial a number."),
        (status("dialling"), "Dialling."),
        (status("released"), "Call ended"),
        (status("howler"), "Put the handset down"),
        (status("audio_test"), "Audio test"),
        (status("ringing", call("ringing_here")), "Ann 204 calls."),
        (status("ringing", call("ringing_here", "")), "Unknown caller calls."),
        (status("calling", call("calling")), "Calling Ann 204."),
        (status("calling", call("ringing_there")), "It rings at Ann 204."),
        (status("talking", call(codec="G722")), "In a call with Ann 204 (G.722)."),
        (status("talking", call(held=True)), "Ann 204 is on hold."),
        (status("talking", call("ending")), "Call with Ann 204."),
        (
            status("talking", call(codec="opus"), reason="Hearing nothing: no packets arrive"),
            "In a call with Ann 204 (Opus). Hearing nothing: no packets arrive.",
        ),
        (
            status("talking", call(codec="opus", held_by_them=True), muted=True),
            "In a call with Ann 204 (Opus). They put you on hold. Muted.",
        ),
        (
            status("talking", call(codec="PCMU"), call("ringing_here", "Boss")),
            "In a call with Ann 204 (G.711 µ). Boss calls.",
        ),
    ],
)
def test_what_a_person_at_the_desk_would_say(figures, said):
    assert sentence(figures, TEXTS) == said
