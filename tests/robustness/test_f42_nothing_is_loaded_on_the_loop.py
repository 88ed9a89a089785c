"""F42: a running phone's loop imports nothing: a module costs it up to a tenth of a second."""

import time

import pytest

from firmware.control import schema as s
from firmware.control.client import Client
from firmware.sip.notifications import EventReceived, SubscriptionRef, TransferSucceeded
from tests.support.far_end import LINE as FAR
from tests.support.far_end import media_port
from tests.support.phone import line
from tests.support.waiting import wait_for

WATCH = """\
import sys
if "run" in sys.orig_argv:
    import threading, time
    loop = threading.main_thread()
    log = open({log!r}, "a", buffering=1)

    class Watch:
        def find_spec(name, path, target=None):
            if threading.current_thread() is loop:
                log.write(f"{{time.monotonic()}} {{name}}\\n")

    sys.meta_path.insert(0, Watch)
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """What the phones of this test load on their loop, as `(when, module)`, in order."""
    log = tmp_path / "loaded"
    folder = tmp_path / "watch"
    folder.mkdir()
    # Python imports this by itself before a program begins.
    (folder / "sitecustomize.py").write_text(WATCH.format(log=str(log)))
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def read():
        rows = (row.split() for row in log.read_text().splitlines())
        return [(float(when), module) for when, module in rows]

    return read


def picture(phone):
    found = phone.ask(s.Screen(), s.ScreenReply)
    return found.png


def call_out(phone, far_end):
    """Dial by keys, talk, hold, press digits, record, hang up."""
    phone.ask(s.Hook(move=s.HookMove.UP))
    for key in ("2", "0", "4", "#"):
        phone.ask(s.Key(key=s.KeyCap(key)))
    port = media_port(far_end.wait_call().offer)
    far_end.speak_to((phone.address, port))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 20)
    phone.ask(s.Hold())
    phone.wait("hold", lambda status: status.calls[0].held)
    phone.ask(s.Resume())
    phone.wait("the call back", lambda status: not status.calls[0].held)
    phone.ask(s.Dtmf(digits="12#"))
    phone.ask(s.Mute(on=True))
    phone.ask(s.Record(on=True), s.RecordReply)
    phone.ask(s.Volume(step=5))
    phone.ask(s.HangUp())
    phone.ask(s.Hook(move=s.HookMove.DOWN))
    phone.wait_state("idle")


def call_in(phone, far_end):
    """Be called, answer, be hung up; be called again and refuse."""
    call = far_end.call(f"sip:101@{phone.address}:5060")
    phone.wait_state("ringing")
    phone.ask(s.Answer())
    phone.wait_state("talking")
    far_end.hang_up(call)
    phone.wait("the end", lambda status: not status.calls)
    far_end.call(f"sip:101@{phone.address}:5060")
    phone.wait_state("ringing")
    phone.ask(s.HangUp())
    phone.wait("the end", lambda status: not status.calls)


COMPOSING = """\
<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></isComposing>"""
CPIM = "From: <im:far@x>\r\n\r\nContent-Type: text/plain; charset=latin1\r\n\r\nEnveloped"


def notify(far_end, phone, event, kind="", body=""):
    """Something that nobody has subscribed to."""
    far_end.say(
        f"""NOTIFY sip:101@{phone.address} SIP/2.0
From: <sip:101@{far_end.address}>;tag=n
To: <sip:101@{phone.address}>
Call-ID: unasked-{event}
CSeq: 1 NOTIFY
Max-Forwards: 70
Contact: <sip:{far_end.server}>
Event: {event}
Subscription-State: active
Content-Type: {kind or "text/plain"}""",
        phone.address,
        body,
    )


def message(far_end, phone, kind, body, number):
    far_end.say(
        f"""MESSAGE sip:101@{phone.address} SIP/2.0
From: <sip:far@{far_end.address}>;tag=m
To: <sip:101@{phone.address}>
Call-ID: text-{number}
CSeq: 1 MESSAGE
Max-Forwards: 70
Content-Type: {kind}""",
        phone.address,
        body,
    )


def everything_arrives_in_a_call(phone, far_end):
    """What no phone has to expect, each for the first time and while people talk."""
    call = far_end.call(f"sip:101@{phone.address}:5060")
    phone.wait_state("ringing")
    phone.ask(s.Answer())
    phone.wait_state("talking")
    far_end.wait_answered(call)
    target = f"sip:101@{phone.address}:5060"
    for package in ("dialog", "presence", "conference"):
        far_end.do(
            lambda agent, now, package=package: agent.subscriptions.subscribe(
                SubscriptionRef(package), FAR, package, now, target=target
            )
        )
    waiting = "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n"
    notify(far_end, phone, "message-summary", "application/simple-message-summary", waiting)
    notify(far_end, phone, "check-sync")
    notify(far_end, phone, "ua-profile", "application/url", "https://192.0.2.1/phone.cfg")
    notify(far_end, phone, "weather")
    for number, (kind, body) in enumerate(
        (
            ("text/plain", "Lunch?"),
            ("text/plain;charset=iso-8859-1", "caf"),
            ("application/im-iscomposing+xml", COMPOSING),
            ("message/cpim", CPIM),
            ("multipart/mixed;boundary=b", "--b\r\n\r\nIn parts\r\n--b--"),
        )
    ):
        message(far_end, phone, kind, body, number)
    far_end.do(lambda agent, now: agent.info_digit(call, "5", 160, now))
    phone.wait("what arrived", lambda status: status.calls[0].digits == "5")
    wait_for("the texts", lambda: len(phone.ask(s.Messages(), s.MessagesReply).texts) == 4)
    wait_for("the calls as they are watched", lambda: watched_calls(far_end))
    far_end.do(lambda agent, now: agent.transfers.blind(call, f"sip:far2@{far_end.server}", now))
    wait_for("the transfer", lambda: far_end.of(TransferSucceeded))
    phone.ask(s.HangUp())
    phone.wait("the end", lambda status: not status.calls)


def watched_calls(far_end):
    documents = (told.document for told in far_end.of(EventReceived))
    return any(getattr(document, "dialogs", ()) for document in documents)


def ask_everything(phone):
    """Whatever a person asks by `deskphone ctl`."""
    for request, reply in (
        (s.Status(), s.StatusReply),
        (s.Stats(), s.StatsReply),
        (s.Calls(), s.CallsReply),
        (s.Ladder(), s.LadderReply),
        (s.Screen(), s.ScreenReply),
        (s.Reload(), s.ReloadReply),
    ):
        assert isinstance(phone.ask(request, reply), reply)


def test_f42_calls_verbs_and_pictures_make_the_loop_load_nothing(start_phone, far_end, loaded):
    phone = start_phone(line("101", f"{far_end.address}:5060"))
    phone.wait_registered()
    up = time.monotonic()

    wait_for("the first picture", lambda: picture(phone))
    with Client(phone.control) as listener:
        events = listener.event_lines()
        call_out(phone, far_end)
        call_in(phone, far_end)
        ask_everything(phone)
        assert next(events)

    assert "firmware.runtime" in [module for _, module in loaded()]  # it does watch
    assert [module for when, module in loaded() if when > up] == []


def test_f42_what_arrives_for_the_first_time_in_a_call_makes_the_loop_load_nothing(
    start_phone, far_end, loaded
):
    rows = line("101", f"{far_end.address}:5060", publish_presence=True)
    phone = start_phone(rows)
    phone.wait_registered()
    wait_for("the first picture", lambda: picture(phone))
    up = time.monotonic()
    everything_arrives_in_a_call(phone, far_end)
    assert [module for when, module in loaded() if when > up] == []


def test_f42_an_encrypted_call_makes_the_loop_load_nothing(start_phone, far_end, loaded):
    far_end.encrypts = True
    rows = line("101", far_end.server, srtp="require", srtp_keys="sdes")
    phone = start_phone(rows)
    phone.wait_registered()
    wait_for("the first picture", lambda: picture(phone))
    up = time.monotonic()
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 5)
    assert [module for when, module in loaded() if when > up] == []


def with_ways(body):
    """The far end's description with a way to where it is."""
    place = body.split(b"c=IN IP4 ")[1].split()[0] + b" " + body.split(b"m=audio ")[1].split()[0]
    candidate = b"a=candidate:1 1 UDP 2130706431 " + place + b" typ host\r\n"
    return body + b"a=ice-ufrag:abcd\r\na=ice-pwd:" + b"x" * 24 + b"\r\n" + candidate


def test_f42_a_call_that_checks_its_ways_makes_the_loop_load_nothing(start_phone, far_end, loaded):
    """Also where it asks a relay, which does not answer here."""
    far_end.says = with_ways
    relay = f'turn = "{far_end.address}:9"\nturn_user = "u"\nturn_password = "p"\n\n'
    phone = start_phone(relay + line("101", far_end.server, ice="on"))
    phone.wait_registered()
    wait_for("the first picture", lambda: picture(phone))
    up = time.monotonic()
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    assert [module for when, module in loaded() if when > up] == []
