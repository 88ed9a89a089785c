"""Transfers in an office: three phones with somebody at each, the practice exchange between."""

import pytest

from firmware.phone import actions as a
from firmware.phone.view import Mode
from tests.support.office import Office
from tests.support.sip_link import Wire

KEY = a.Transfer()


@pytest.fixture
def office():
    office = Office(7, Wire())
    office.everybody_registered(10)
    return office


@pytest.fixture
def three(office):
    """(the office's clock, who transfers, who is transferred, who is the target)."""
    boss, ann, bob, *_ = office.phones
    return office.world, boss, ann, bob


def talk(world, caller, callee):
    """The caller calls, the callee lifts."""
    caller.dial(callee.user)
    world.until(lambda: callee.mode is Mode.RINGING, 10)
    callee.lift()
    world.until(lambda: caller.mode is callee.mode is Mode.TALKING, 10)


def types(phone, digits):
    for digit in digits:
        phone.tell(a.Digit(digit))


def partner(phone):
    """Whom the call in front is with, as the phone shows it."""
    call = phone.phone.view().front_call
    return call and call.user


def said(phone):
    notice = phone.phone.view().notice
    return notice and notice.text


def hears(phone):
    """Where the sound of its calls comes from."""
    return {stream.remote[0] for stream in phone.ledger.configured.values()}


def together(world, one, other):
    """The two talk with each other, and their calls are the same one."""
    world.until(lambda: hears(one) == {other.endpoint.host}, 20)
    world.until(lambda: hears(other) == {one.endpoint.host}, 20)
    assert one.mode is other.mode is Mode.TALKING
    assert len(one.phone) == len(other.phone) == 1


def everybody_rests(world, *phones):
    for phone in phones:
        phone.put_down()
    world.until(lambda: all(phone.at_rest() for phone in phones), 30)
    world.run(60)


def test_blind_transfer(three, office):
    """RFC 5359 §2.4: the boss presses transfer, dials and presses it again."""
    world, boss, ann, bob = three
    talk(world, boss, ann)
    boss.tell(KEY)
    types(boss, bob.user)
    boss.tell(KEY)
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    world.run(0.2)
    assert boss.phone.view().transfer.stage.value == "ringing"
    assert ann.mode is Mode.CALLING
    bob.lift()
    together(world, ann, bob)
    assert said(boss) == "transfer_done"
    assert len(boss.phone) == 0
    everybody_rests(world, boss, ann, bob)
    assert len(office.pbx.exchange) == 0


def test_blind_transfer_by_the_callee(three):
    """Who was called transfers too; tags the other way round."""
    world, boss, ann, bob = three
    talk(world, ann, boss)
    boss.tell(a.Transfer(bob.user))
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    bob.lift()
    together(world, ann, bob)
    everybody_rests(world, boss, ann, bob)


def test_attended_transfer_by_key(three, office):
    """RFC 5359 §2.5: the boss asks Bob first."""
    world, boss, ann, bob = three
    talk(world, boss, ann)
    boss.tell(KEY)
    types(boss, bob.user)
    boss.tell(a.DialNow())
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    bob.lift()
    world.until(lambda: boss.mode is Mode.TALKING and partner(boss) == bob.user, 10)
    assert ann.phone.view().front_call.held_by_them
    boss.tell(KEY)
    together(world, ann, bob)
    world.until(lambda: said(boss) == "transfer_done", 5)
    assert len(boss.phone) == 0
    everybody_rests(world, boss, ann, bob)
    assert len(office.pbx.exchange) == 0


def test_complaint_25_attended_transfer_by_hanging_up(three):
    """The boss puts the handset down: Ann and Bob have each other, whoever called whom."""
    world, boss, ann, bob = three
    talk(world, ann, boss)
    boss.tell(KEY)
    types(boss, bob.user)
    boss.tell(a.DialNow())
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    bob.lift()
    world.until(lambda: partner(boss) == bob.user and boss.mode is Mode.TALKING, 10)
    world.run(2)
    boss.put_down()
    together(world, ann, bob)
    world.until(boss.at_rest, 10)
    everybody_rests(world, ann, bob)


def test_semi_attended_transfer(three):
    """RFC 5359 §2.5 with nobody to ask yet: Bob rings, the boss hangs up."""
    world, boss, ann, bob = three
    talk(world, boss, ann)
    boss.tell(KEY)
    types(boss, bob.user)
    boss.tell(a.DialNow())
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    boss.put_down()
    world.until(lambda: partner(bob) == ann.user, 10)
    assert bob.mode is Mode.RINGING
    bob.lift()
    together(world, ann, bob)
    world.until(boss.at_rest, 10)
    everybody_rests(world, ann, bob)


def test_a_transfer_to_somebody_busy_comes_back(three):
    """602 is always busy: the boss has Ann again."""
    world, boss, ann, _ = three
    talk(world, boss, ann)
    boss.tell(a.Transfer("602"))
    world.until(lambda: said(boss) == "transfer_busy", 10)
    world.until(lambda: ann.mode is Mode.TALKING, 10)
    assert partner(ann) == boss.user
    boss.tell(a.Resume())
    world.run(1)
    assert not ann.phone.view().front_call.held_by_them
    everybody_rests(world, boss, ann)


def test_a_transfer_to_a_number_that_is_none_comes_back(three):
    world, boss, ann, _ = three
    talk(world, boss, ann)
    boss.tell(a.Transfer("999123"))
    world.until(lambda: said(boss) == "transfer_not_found", 10)
    assert partner(ann) == boss.user
    everybody_rests(world, boss, ann)


def test_the_boss_goes_back_and_forth_before_joining_them(three):
    """RFC 5359 §2.5 with swapping in between."""
    world, boss, ann, bob = three
    talk(world, boss, ann)
    first = boss.phone.view().front
    boss.tell(KEY)
    types(boss, bob.user)
    boss.tell(a.DialNow())
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    bob.lift()
    world.until(lambda: partner(boss) == bob.user and boss.mode is Mode.TALKING, 10)
    second = boss.phone.view().front
    for ref in (first, second, first):
        boss.tell(a.Resume(ref))
        world.run(1)
        assert boss.phone.view().front == ref
    boss.tell(KEY)
    together(world, ann, bob)
    everybody_rests(world, boss, ann, bob)


@pytest.mark.parametrize("seed", range(4))
def test_attended_transfers_on_a_bad_wire(seed):
    """Lost, doubled and late packets: it works, or everybody knows that it did not."""
    office = Office(seed, Wire(loss=0.1, double=0.1, jitter=0.2))
    office.everybody_registered(120)
    world, (boss, ann, bob, *_) = office.world, office.phones
    boss.dial(ann.user)
    world.until(lambda: ann.mode is Mode.RINGING, 60)
    ann.lift()
    world.until(lambda: boss.mode is ann.mode is Mode.TALKING, 60)
    boss.tell(KEY)
    types(boss, bob.user)
    boss.tell(a.DialNow())
    world.until(lambda: bob.mode is Mode.RINGING, 60)
    bob.lift()
    world.until(lambda: boss.mode is Mode.TALKING and partner(boss) == bob.user, 60)
    world.run(5)
    boss.tell(KEY)
    world.until(lambda: boss.phone.view().transfer is None, 120)
    for phone in (boss, ann, bob):
        phone.put_down()
    world.run(400)
    assert all(len(phone.phone) <= 1 for phone in (boss, ann, bob))


def test_f40_the_hook_flaps_while_a_transfer_ends(three):
    """Down, up, down at the moment of success: no half call."""
    world, boss, ann, bob = three
    talk(world, boss, ann)
    boss.tell(a.Transfer(bob.user))
    world.until(lambda: bob.mode is Mode.RINGING, 10)
    bob.lift()
    for _ in range(5):
        boss.put_down()
        world.run(0.004)
        boss.lift()
        world.run(0.004)
    boss.put_down()
    together(world, ann, bob)
    world.until(boss.at_rest, 10)
    everybody_rests(world, ann, bob)
