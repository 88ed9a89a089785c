"""`*#600`: hear a tone, then your own voice, with no PBX and no network.

The voice takes the whole way of a real call: microphone, codec, RTP, jitter buffer, loudspeaker.
Two streams on the loopback address do it: the first is on the card, the second sends back what it
hears. The level shown is measured on the way back.
"""

from firmware.base.values import replace
from firmware.media.messages import PlayTone, StreamReport, ToneSegment
from firmware.phone.desk import paths
from firmware.phone.events import MediaPortRefused, MediaPortReserved
from firmware.phone.features import endings
from firmware.phone.model import AudioTest, AudioTestStage, LoopEnd, PhoneState, Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import Mode
from firmware.sip.notifications import CallRef

LOOPBACK = "127.0.0.1"
_TONE = ToneSegment((1004.0,), 1.5, -16.0)
_TONE_SECONDS = 2.0
_VOICE_SECONDS = 120.0


def start(turn: Turn) -> None:
    """Begin with the tone; the ports for the voice are bound meanwhile."""
    if turn.state.stopped or turn.state.front is not None:
        return
    paths.open_some(turn)
    ends = tuple(
        LoopEnd(CallRef(f"test-{turn.state.run}-{number}"), number)
        for number in (turn.number(), turn.number())
    )
    turn.unsay()
    turn.enter(Mode.AUDIO_TEST)
    turn.state = replace(
        turn.state, digits="", progress=Progress.NONE, test=AudioTest(AudioTestStage.TONE, ends)
    )
    turn.set_timer(Timer.AUDIO_TEST, _TONE_SECONDS)
    path = turn.state.path
    if path is not None:
        turn.order(PlayTone("test", path, (_TONE,), -1))
    turn.say(notice("audio_test_listen", path=_path(turn.state)))


def next_stage(turn: Turn) -> None:
    """From tone to voice; from voice to the end."""
    test = turn.state.test
    if test is None or test.stage is AudioTestStage.VOICE:
        endings.rest(turn)
        return
    turn.state = replace(turn.state, test=replace(test, stage=AudioTestStage.VOICE))
    turn.set_timer(Timer.AUDIO_TEST, _VOICE_SECONDS)
    turn.say(notice("audio_test_voice", path=_path(turn.state)))


def measured(turn: Turn, event: StreamReport) -> None:
    """Show how loud the voice came back."""
    test = turn.state.test
    if (
        test is None
        or test.stage is not AudioTestStage.VOICE
        or event.stream != test.ends[0].stream
    ):
        return
    level = f"{event.level_in:.0f}"
    said = notice("audio_test_speak", path=_path(turn.state), level=level)
    turn.state = replace(turn.state, notice=said)


def leave(turn: Turn) -> None:
    """Something more important comes."""
    if turn.state.test is not None:
        turn.state = replace(turn.state, test=None)


def owns(state: PhoneState, ref: CallRef) -> bool:
    """Whether a media port belongs to the test."""
    return state.test is not None and any(end.ref == ref for end in state.test.ends)


def port_reserved(turn: Turn, event: MediaPortReserved) -> None:
    """One end has its port."""
    test = turn.state.test
    if test is None:
        return
    ends = tuple(
        replace(end, port=event.port) if end.ref == event.call else end for end in test.ends
    )
    turn.state = replace(turn.state, test=replace(test, ends=ends))


def port_refused(turn: Turn, event: MediaPortRefused) -> None:
    """No ports, no voice: say so."""
    said = notice("audio_test_failed", path=_path(turn.state), reason=event.reason)
    leave(turn)
    endings.fail(turn, Progress.CONGESTION)
    turn.say(said)


def _path(state: PhoneState) -> str:
    return "" if state.path is None else state.path.value
