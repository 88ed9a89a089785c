"""Two user agents watch each other over a bad wire: nothing raises, nothing stays behind.

Each walk is a seed. Now one subscribes, fetches, refreshes or ends; now the state changes, a
subscription is decided about or ended by the notifier. When the wire is good again the watcher has
the latest state; when all is ended every store is empty.
"""

import random

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.event.package import Reason
from firmware.sip.notifications import EventReceived, SubscriptionChanged
from firmware.sip.notifications import SubscriptionProgress as Progress
from tests.support.sip_link import LINE, Desk, Wire, World

WIRES = {
    "good": Wire(),
    "lossy": Wire(loss=0.2, double=0.1, jitter=0.2),
    "awful": Wire(loss=0.4, double=0.2, jitter=1.5),
    "bending": Wire(bend=0.2, loss=0.05, jitter=0.1),
}
REFS = ("a", "b", "c")


class Mailbox:
    """A service whose state is a number."""

    package = "message-summary"
    media_types = ("application/simple-message-summary",)
    interval = 1.0

    def __init__(self, desk, dice):
        self.desk = desk
        self.dice = dice
        self.count = 0
        desk.agent.notifiers.serve(self)

    def admit(self, *_):
        return self.dice.choice((200, 200, 200, 202, 403))

    def content(self, *_):
        text = f"Messages-Waiting: yes\r\nVoice-Message: {self.count}/0\r\n"
        return self.media_types[0], text.encode()

    def on_over(self, *_):
        pass

    def act(self):
        notifiers, now, dice = self.desk.agent.notifiers, self.desk.now, self.dice
        held = notifiers.watchers(self.package)
        if dice.random() < 0.5:
            self.count += 1
            for line in self.desk.agent._core.lines.values():
                notifiers.changed(self.package, line, now)
        elif held:
            usage = dice.choice(held)
            if dice.random() < 0.5:
                usage.allow(now)
            else:
                usage.end(now, dice.choice((None, *Reason)), dice.choice((None, 3)))


class Watcher:
    """Watches, now and then."""

    def __init__(self, desk, dice):
        self.desk = desk
        self.dice = dice
        self.progress = {}
        self.counts = {}
        desk.script = self.hear

    def hear(self, heard):
        match heard:
            case SubscriptionChanged(ref, progress=progress):
                before = self.progress.get(ref)
                assert before is not Progress.ENDED or progress is Progress.TRYING
                self.progress[ref] = progress
            case EventReceived(ref, document=document):
                assert ref == "" or self.progress[ref] is not Progress.ENDED
                self.counts[ref] = document.voice and document.voice.new
            case _:
                pass

    def act(self):
        watch, now, dice = self.desk.agent.subscriptions, self.desk.now, self.dice
        ref = dice.choice(REFS)
        match dice.randrange(4):
            case 0:
                watch.unsubscribe(ref, now)
            case 1:
                watch.refresh(ref, now)
            case _ if ref in watch:
                with pytest.raises(LocalError):
                    watch.subscribe(ref, LINE, "message-summary", now)
            case _:
                expires = dice.choice((60, 600, 10))
                once = dice.random() < 0.2
                watch.subscribe(
                    *(ref, LINE, "message-summary", now), target="101", expires=expires, once=once
                )


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.seeds(12)
def test_watchers_and_notifiers_agree_and_leave_nothing(wire, seed):
    world = World(seed, WIRES[wire])
    dice = random.Random(seed)  # noqa: S311 - a seed must repeat
    left, right = Desk(world, "192.0.2.1"), Desk(world, "192.0.2.2")
    for desk, far in ((left, right), (right, left)):
        desk.line(far.endpoint.host, register=False, accept_any_user=True)
    watcher, mailbox = Watcher(left, dice), Mailbox(right, dice)
    for _ in range(60):
        dice.choice((watcher, mailbox)).act()
        world.run(dice.choice((0.0, 0.01, 0.3, 2.0, 8.0, 70.0)))
    world.wire = Wire()
    mailbox.admit = lambda *_: 200
    world.run(4000.0)
    for usage in right.agent.notifiers.watchers("message-summary"):
        usage.allow(world.now)
    mailbox.count += 1
    right.agent.notifiers.changed("message-summary", right.agent._core.lines[LINE], world.now)
    world.run(5.0)
    for ref in REFS:
        if ref in left.agent.subscriptions:
            left.agent.subscriptions.refresh(ref, world.now)
    world.run(5.0)
    for ref in REFS:
        if ref in left.agent.subscriptions:
            assert watcher.progress[ref] is Progress.ACTIVE
            assert watcher.counts[ref] == mailbox.count
            left.agent.subscriptions.unsubscribe(ref, world.now)
    world.run(800.0)
    assert len(left.agent) == 0
    assert len(right.agent) == 0
    assert len(left.agent._core.deadlines._heap) < 100
