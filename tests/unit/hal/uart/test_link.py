"""The phone's side of the talk, and then both sides over a wire that loses, adds and changes."""

import base64
import random

import pytest

from hal.events import DeviceFailed, HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.packing import blank, pages
from hal.ports import LampPattern, Picture
from hal.uart.framing import LineReader, Message, encode
from hal.uart.link import NO_ANSWER, PanelLink, Wanted
from tests.support.fake_display import noise
from tests.support.front_panel import Hardware, load_sketch


class Talk:
    """A link, its clock, and a panel that is played by hand."""

    def __init__(self):
        self.now = 100.0
        self.link = PanelLink(0.5)
        self.reader = LineReader()
        self.seq = 0x40
        self.link.open(self.now)

    def said(self):
        """What the phone has sent since the last look."""
        return self.reader.feed(self.link.take_output())

    def words(self):
        return [(message.word, *message.args) for message in self.said()]

    def tell(self, word, *args, seq=None):
        self.seq = (self.seq + 1) % 256 if seq is None else seq
        return self.link.receive(encode(Message(self.seq, word, args)), self.now)

    def pass_(self, seconds):
        """Let time pass; returns what was told meanwhile."""
        end, events = self.now + seconds, []
        while (due := self.link.deadline) is not None and due <= end:
            self.now = max(due, self.now)
            events += self.link.fire(self.now)
        self.now = end
        return events

    def obey(self):
        """Acknowledge everything until the phone is content; returns what it sent."""
        found = []
        for _ in range(1000):
            new = [message for message in self.said() if message.word not in ("ACK", "HELLO")]
            if not new:
                return found
            for message in new:
                found.append((message.word, *message.args))
                self.tell("ACK", seq=message.seq)
        raise AssertionError(found)

    def greeted(self):
        self.tell("PANEL", "1", "pico")
        self.tell("HOOK", "replaced")
        self.obey()
        return self


@pytest.fixture
def talk():
    return Talk()


@pytest.fixture
def panel(talk):
    return talk.greeted()


def test_the_phone_greets_every_second_until_somebody_answers(talk):
    talk.pass_(2.5)
    assert talk.words() == [("HELLO", "1")] * 3
    assert talk.link.fault is None
    talk.pass_(0.5)
    assert talk.link.fault == NO_ANSWER
    talk.tell("PANEL", "1", "pico", "2")
    assert (talk.link.fault, talk.link.name) == ("", "pico 2")
    talk.pass_(3)
    assert ("HELLO", "1") not in talk.words()[1:]


def test_a_panel_of_another_version_is_told_and_shown_nothing(talk):
    talk.link.want(Wanted(lamps={"mute": LampPattern.ON}), talk.now)
    talk.tell("PANEL", "2", "new")
    assert talk.link.fault == "it speaks version 2 of the protocol, this phone 1"
    talk.pass_(10)
    assert {words[0] for words in talk.words()} == {"HELLO", "ACK"}
    talk.tell("PANEL", "1", "old")
    assert talk.link.fault == ""


def test_keys_are_told_and_acknowledged(panel):
    assert panel.tell("KEY", "5", "down") == (KeyDown(Key.DIGIT_5, 100.0),)
    panel.now += 0.1
    assert panel.tell("KEY", "5", "up") == (KeyUp(Key.DIGIT_5, 100.1),)
    assert panel.tell("KEY", "*", "down") == (KeyDown(Key.STAR, 100.1),)
    assert [word for word, *_ in panel.words()] == ["ACK"] * 3
    assert len(panel.link) == 1


def test_a_key_that_is_repeated_because_its_acknowledgement_was_lost_is_one_press(panel):
    assert len(panel.tell("KEY", "5", "down", seq=9)) == 1
    assert panel.tell("KEY", "5", "down", seq=9) == ()
    assert panel.words() == [("ACK",), ("ACK",)]


def test_before_the_greeting_a_key_is_neither_taken_nor_acknowledged(talk):
    """The panel repeats it, or forgets it: whoever pressed it pressed it on a dead phone."""
    talk.said()
    assert talk.tell("KEY", "5", "down") == ()
    assert talk.tell("HOOK", "lifted") == ()
    assert talk.said() == []


@pytest.mark.parametrize(
    "words",
    [
        ("KEY", "nonsense", "down"),
        ("KEY", "5", "sideways"),
        ("KEY",),
        ("HOOK", "gone"),
        ("WEATHER", "fine"),
    ],
)
def test_a_word_of_a_later_panel_is_acknowledged_and_nothing_more(panel, words):
    assert panel.tell(*words) == ()
    assert panel.words() == [("ACK",)]


def test_the_hook_is_lifted_replaced_and_tapped(panel):
    assert panel.tell("HOOK", "lifted") == (HookLifted(100.0),)
    assert panel.tell("HOOK", "lifted") == ()
    panel.now += 10
    assert panel.tell("HOOK", "replaced") == (HookReplaced(110.0),)
    panel.now += 0.3
    assert panel.tell("HOOK", "lifted") == (HookFlash(110.3),)


def test_what_is_wanted_is_sent_once_line_by_line(panel):
    picture = noise((128, 64))
    lamps = {"mute": LampPattern.FAST_BLINK}
    panel.link.want(Wanted(picture, lamps, (2.0, 4.0)), panel.now)
    assert len(panel.said()) == 1, "one line at a time"
    panel.pass_(0.31)
    sent = panel.obey()
    assert sent[0] == ("BELL", "2000", "4000"), "it was repeated, for nobody had answered"
    assert sent[1] == ("LAMP", "mute", "fast")
    assert [base64.b64decode(words[2]) for words in sent[2:]] == list(pages(picture))
    panel.link.want(Wanted(picture, lamps, (2.0, 4.0)), panel.now)
    assert panel.said() == []


def test_a_picture_that_is_out_of_date_is_never_sent(panel):
    for seed in range(1, 100):
        panel.link.want(Wanted(noise((128, 64), seed)), panel.now)
    sent = panel.obey()
    last = [base64.b64encode(page).decode() for page in pages(noise((128, 64), 99))]
    strips = [words for words in sent if words[0] == "STRIP"]
    # The first line was on its way before the second picture came.
    assert len(strips) <= 9
    assert {words[2] for words in strips} >= set(last)


def test_letters_are_sent_row_by_row_and_only_those_that_changed(panel):
    panel.link.want(Wanted(rows=("Grüße ", "      ")), panel.now)
    sent = [words for words in panel.obey() if words[0] == "TEXT"]
    assert [base64.b64decode(words[2]).decode() for words in sent] == ["Grüße ", "      "]
    panel.link.want(Wanted(rows=("Grüße ", "Müller")), panel.now)
    assert [words[:2] for words in panel.obey()] == [("TEXT", "1")]


def test_only_the_strip_that_changed_is_sent(panel):
    picture = noise((128, 64))
    panel.link.want(Wanted(picture), panel.now)
    panel.obey()
    changed = Picture(128, 64, picture.bits[:-1] + bytes([picture.bits[-1] ^ 1]))
    panel.link.want(Wanted(changed), panel.now)
    assert [words[:2] for words in panel.obey()] == [("STRIP", "7")]


def test_a_quiet_panel_is_asked_every_five_seconds_whether_it_is_there(panel):
    for _ in range(3):
        panel.pass_(4.9)
        assert panel.said() == []
        panel.pass_(0.2)
        assert panel.obey() == [("PING",)]


def test_a_panel_that_fell_silent_is_told_greeted_and_shown_everything_again(panel):
    wanted = Wanted(noise((128, 64)), {"mute": LampPattern.ON})
    panel.link.want(wanted, panel.now)
    panel.obey()
    panel.tell("KEY", "5", "down")
    told = panel.pass_(8.3)
    assert [type(event) for event in told] == [KeyUp], "nobody holds the keys of a lost panel"
    assert panel.link.fault == NO_ANSWER
    assert [words[0] for words in panel.words()] == ["ACK", *["PING"] * 10, "HELLO"]
    panel.tell("PANEL", "1", "pico")
    assert panel.link.fault == NO_ANSWER, "it greets; whether it obeys is not known yet"
    assert len(panel.obey()) == 10
    assert panel.link.fault == ""


def test_a_panel_that_restarted_is_shown_everything_again(panel):
    panel.link.want(Wanted(noise((128, 64)), {"mute": LampPattern.ON}), panel.now)
    first = panel.obey()
    panel.tell("PANEL", "1", "pico")
    assert panel.obey() == first if ("BELL", "off") in first else [("BELL", "off"), *first]


def test_f36_a_key_that_is_stuck_on_the_panel_is_let_go_and_told(panel):
    panel.tell("KEY", "5", "down")
    told = []
    for _ in range(70):
        told += panel.pass_(0.5)
        panel.obey()
    assert told == [
        KeyUp(Key.DIGIT_5, 130.0),
        DeviceFailed("key 5", "it is stuck down", 130.0),
    ]


def test_a_closed_port_waits_for_nothing_and_holds_nothing(panel):
    panel.tell("KEY", "5", "down")
    panel.tell("HOOK", "lifted")
    panel.link.want(Wanted(noise((128, 64))), panel.now)
    assert panel.link.close(panel.now) == (KeyUp(Key.DIGIT_5, 100.0),)
    assert panel.link.deadline is None
    assert len(panel.link) == 0
    assert panel.link.fire(panel.now + 100) == ()


class BadWire:
    """Both sides and the wire between them on one clock; a seed decides what is lost."""

    def __init__(self, seed, faults=0.0, *, lifted=False):
        self.dice = random.Random(seed)  # noqa: S311 - a wire that is bad in the same way each time
        self.faults = faults
        self.now = 0.0
        self.to_panel = self.to_phone = b""
        self.link = PanelLink(0.0)
        self.hardware = Hardware(lambda: int(self.now * 1000), self.take, self.give)
        self.hardware.handset_off = lifted
        self.panel = load_sketch().Panel(self.hardware)
        self.told = []
        self.link.open(0.0)

    def give(self, octets):
        self.to_phone += self.bend(octets)

    def take(self):
        octets, self.to_panel = self.to_panel, b""
        return octets

    def bend(self, octets):
        bent = bytearray()
        for octet in octets:
            fate = self.dice.random()
            if fate < self.faults / 3:
                continue
            bent.append(octet ^ (1 << self.dice.randrange(8)) if fate < self.faults else octet)
        return bytes(bent)

    def run(self, seconds):
        for _ in range(round(seconds / 0.005)):
            self.now += 0.005
            self.to_panel += self.bend(self.link.take_output())
            self.panel.turn()
            octets, self.to_phone = self.to_phone, b""
            self.told += self.link.receive(octets, self.now)
            if (due := self.link.deadline) is not None and due <= self.now:
                self.told += self.link.fire(self.now)


def test_phone_and_reference_firmware_understand_each_other():
    wire = BadWire(1)
    picture = noise((128, 64))
    rows = ("Доброе утро", "14:05")
    wire.link.want(Wanted(picture, {"mute": LampPattern.ON}, (1.0, 1.0), rows), wire.now)
    wire.run(0.5)
    assert wire.hardware.words == dict(enumerate(rows))
    assert wire.link.fault == ""
    assert wire.hardware.picture == picture
    assert (wire.hardware.lit["mute"], wire.hardware.ringing) == (True, True)
    wire.hardware.down = {"5"}
    wire.run(0.1)
    wire.hardware.down = set()
    wire.hardware.handset_off = True
    wire.run(0.1)
    assert [type(event) for event in wire.told] == [KeyDown, KeyUp, HookLifted]
    assert wire.link.bad_lines == 0


def test_f41_a_panel_that_is_plugged_in_with_the_handset_off_does_not_hang_up_first():
    """Its cable was pulled in a call: it looks where the handset is before it says so."""
    wire = BadWire(1, lifted=True)
    wire.run(1)
    assert [type(event) for event in wire.told] == [HookLifted]
    wire.link.close(wire.now)
    wire.to_panel = wire.to_phone = b""
    wire.panel = load_sketch().Panel(wire.hardware)
    wire.link.open(wire.now)
    wire.run(2)
    assert wire.link.fault == ""
    assert len(wire.told) == 1, "nobody has moved the hook"


def test_the_firmware_goes_dark_and_silent_when_the_phone_is_gone():
    wire = BadWire(1)
    wire.link.want(Wanted(noise((128, 64)), {"mute": LampPattern.ON}, (1.0,)), wire.now)
    wire.run(0.5)
    wire.bend = lambda _octets: b""
    wire.run(14)
    assert wire.hardware.ringing
    wire.run(2)
    assert not wire.hardware.ringing
    assert wire.hardware.lit["mute"] is False
    assert wire.hardware.picture == blank((128, 64))


def test_the_firmware_goes_dark_at_once_when_the_phone_says_bye():
    wire = BadWire(1)
    wire.link.want(Wanted(noise((128, 64)), {}, (1.0,)), wire.now)
    wire.run(0.5)
    wire.to_panel += wire.link.say_bye()
    wire.panel.turn()
    assert not wire.hardware.ringing
    assert wire.hardware.picture == blank((128, 64))


@pytest.mark.parametrize("seed", range(8))
def test_over_a_bad_wire_every_key_arrives_once_and_the_screen_is_right_in_the_end(seed):
    """One byte in 400 is lost or wrong: two lines of the screen in five."""
    wire = BadWire(seed)
    wire.run(0.2)
    wire.faults = 1 / 400
    pressed = [wire.dice.choice("0123456789*#") for _ in range(20)]
    for number, key in enumerate(pressed):
        picture = noise((128, 64), seed * 100 + number)
        wire.link.want(Wanted(picture, {"mute": LampPattern.ON}), wire.now)
        wire.hardware.down = {key}
        wire.run(1)
        wire.hardware.down = set()
        wire.run(1)
    wire.faults = 0.0
    wire.run(3)
    assert wire.link.bad_lines > 0
    assert [event.key.value for event in wire.told if isinstance(event, KeyDown)] == pressed
    assert [event.key.value for event in wire.told if isinstance(event, KeyUp)] == pressed
    assert wire.hardware.picture == picture
    assert wire.hardware.lit["mute"]


def test_a_panel_that_is_given_another_program_while_it_works_lets_its_keys_go(panel):
    assert panel.tell("KEY", "5", "down") == (KeyDown(Key.DIGIT_5, 100.0),)
    assert panel.tell("PANEL", "2", "new") == (KeyUp(Key.DIGIT_5, 100.0),)
    assert "version 2" in panel.link.fault
    panel.said()
    panel.pass_(3)
    # It says once who it is, and that line may be lost.
    assert panel.words() == [("HELLO", "1")] * 3
    panel.tell("PANEL", "1", "old")
    assert panel.link.fault == ""
    assert panel.tell("KEY", "5", "down") == (KeyDown(Key.DIGIT_5, 103.0),)


def test_f41_a_panel_that_greets_and_acknowledges_nothing_is_told_once(panel):
    """Half of it works: it would be told and taken back every three seconds, for ever."""
    faults = []
    for _ in range(20):
        panel.pass_(1)
        if panel.link.fault != (faults[-1] if faults else ""):
            faults.append(panel.link.fault)
        if ("HELLO", "1") in panel.words():
            panel.tell("PANEL", "1", "pico")
    assert faults == [NO_ANSWER]
    panel.obey()
    panel.pass_(1)
    panel.obey()
    assert panel.link.fault == ""


def test_an_acknowledgement_of_another_line_is_none_of_this_one(panel):
    """A late one, or one that noise made: nothing has been obeyed yet."""
    panel.link.want(Wanted(lamps={"mute": LampPattern.ON}), panel.now)
    (first,) = panel.said()
    panel.tell("ACK", seq=(first.seq + 1) % 256)
    panel.pass_(0.31)
    assert panel.said() == [first]
    panel.tell("ACK", seq=first.seq)
    assert first not in panel.said(), "it is done, the next one is on its way"


def test_half_a_line_of_a_cable_that_was_pulled_is_forgotten(panel):
    panel.link.receive(b"~09 KEY 5 do", panel.now)
    panel.link.close(panel.now)
    panel.link.open(panel.now)
    assert len(panel.link) == 0
    assert panel.link.bad_lines == 0
