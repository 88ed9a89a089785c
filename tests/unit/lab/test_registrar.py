"""Phones register with the practice PBX: RFC 3261 §10.3, with digest of RFC 7616."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.base.tokens import Tokens
from firmware.lab.registrar import (
    LONGEST,
    MOST_BINDINGS,
    MOST_NONCES,
    NONCE_SECONDS,
    REALM,
    SHORTEST,
    Registrar,
)
from firmware.sip.auth.digest import (
    Algorithm,
    answer,
    parse_challenges,
    parse_info,
    server_proves,
)
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.message import Headers, Request
from firmware.sip.uri import parse_uri

PBX = Endpoint("127.0.0.1", 5080)
URI = "sip:127.0.0.1:5080"
HERE = Flow(Transport.UDP, PBX, Endpoint("127.0.0.1", 5060))
SHA, MD5 = Algorithm.SHA_256, Algorithm.MD5


class Phone:
    """A registering phone: knows its password, answers challenges, counts its requests."""

    def __init__(self, registrar, user="100", call_id="abc", flow=HERE):
        self.registrar, self.user, self.call_id, self.flow = registrar, user, call_id, flow
        self.number = 0
        self.algorithm = SHA
        self.password = user
        self.login = user

    def ask(self, *contacts, now=0.0, number=None, credentials=None, **headers):
        """One REGISTER as it is; returns the registrar's answer."""
        if number is None:
            self.number += 1
            number = self.number
        rows = [("To", f"<sip:{self.user}@pbx>"), ("From", f"<sip:{self.user}@pbx>;tag=1")]
        rows += [("Call-ID", self.call_id), ("CSeq", f"{number} REGISTER")]
        rows += [("Contact", contact) for contact in contacts]
        rows += [(name.replace("_", "-"), value) for name, value in headers.items()]
        if credentials is not None:
            rows.append(("Authorization", credentials))
        return self.registrar.register(Request("REGISTER", URI, Headers(rows)), self.flow, now)

    def credentials(self, refused):
        """The answer to the challenge of a 401."""
        rows = [value for name, value in refused.headers if name == "WWW-Authenticate"]
        one = next(c for c in parse_challenges(rows) if c.algorithm is self.algorithm)
        return answer(one, self.login, self.password, "REGISTER", URI, b"", "cnonce", 1)

    def register(self, *contacts, now=0.0, **headers):
        """Ask, be challenged, ask again."""
        refused = self.ask(now=now)
        assert refused.status == 401
        proof = self.credentials(refused)
        return self.ask(*contacts, now=now, credentials=proof, **headers)


@pytest.fixture
def registrar():
    return Registrar(Tokens(b"registrar-secret"))


@pytest.fixture
def phone(registrar):
    return Phone(registrar)


def contacts(reply):
    return [value for name, value in reply.headers if name == "Contact"]


@pytest.mark.parametrize("algorithm", [SHA, MD5])
def test_a_phone_proves_its_password_and_is_reachable(registrar, phone, algorithm):
    phone.algorithm = algorithm
    reply = phone.register("<sip:x@127.0.0.1:5060>")
    assert reply.status == 200
    assert contacts(reply) == [f"<sip:x@127.0.0.1:5060>;expires={LONGEST}"]
    assert registrar.ways_to("100", 1.0) == ["sip:x@127.0.0.1:5060"]


def test_the_better_algorithm_is_offered_first(phone):
    rows = [v for n, v in phone.ask("<sip:x@127.0.0.1>").headers if n == "WWW-Authenticate"]
    assert [c.algorithm for c in parse_challenges(rows)] == [SHA, MD5]


def test_a_wrong_password_is_challenged_again_and_binds_nothing(registrar, phone):
    phone.password = "guessed"
    assert phone.register("<sip:x@127.0.0.1>").status == 401
    assert len(registrar) == 0


def test_nobody_registers_as_somebody_else(registrar, phone):
    phone.login = phone.password = "200"
    assert phone.register("<sip:x@127.0.0.1>").status == 403
    assert len(registrar) == 0


def test_credentials_for_another_realm_count_for_nothing(phone):
    proof = phone.credentials(phone.ask()).replace(f'realm="{REALM}"', 'realm="bank"')
    assert phone.ask("<sip:x@127.0.0.1>", credentials=proof).status == 401


def test_an_old_nonce_is_called_stale_and_the_next_one_works(registrar, phone):
    proof = phone.credentials(phone.ask(now=0.0))
    assert phone.ask("<sip:x@127.0.0.1>", now=NONCE_SECONDS, credentials=proof).status == 200
    late = phone.ask("<sip:x@127.0.0.1>", now=NONCE_SECONDS + 1, credentials=proof)
    assert late.status == 401
    assert all("stale=true" in v for n, v in late.headers if n == "WWW-Authenticate")
    again = phone.ask("<sip:x@127.0.0.1>", now=301.0, credentials=phone.credentials(late))
    assert again.status == 200


def test_a_wrong_password_with_an_old_nonce_is_not_called_stale(phone):
    phone.password = "guessed"
    proof = phone.credentials(phone.ask(now=0.0))
    late = phone.ask(now=2 * NONCE_SECONDS, credentials=proof)
    assert not any("stale=true" in v for _, v in late.headers)


def test_a_nonce_that_was_never_given_is_not_taken(phone, registrar):
    elsewhere = Phone(Registrar(Tokens(b"another-registrar")))
    proof = elsewhere.credentials(elsewhere.ask())
    assert phone.ask("<sip:x@127.0.0.1>", credentials=proof).status == 401
    assert len(registrar) == 0


def test_credentials_that_were_overheard_are_not_taken_again(registrar, phone):
    """RFC 7616 §3.4: each use of a nonce has a higher count."""
    proof = phone.credentials(phone.ask())
    assert phone.ask("<sip:a@h>", credentials=proof).status == 200
    again = phone.ask("<sip:thief@h>", credentials=proof)
    assert again.status == 401
    assert all("stale=true" in value for name, value in again.headers)
    assert len(registrar) == 1


def test_each_200_proves_that_the_exchange_knows_the_password(phone):
    """RFC 7616 §3.5."""
    proof = phone.credentials(phone.ask())
    answered = phone.ask("<sip:a@h>", credentials=proof)
    info = parse_info(dict(answered.headers)["Authentication-Info"])
    assert server_proves(info, proof, "100", "100", b"")
    assert not server_proves(info, proof, "100", "guess", b"")


def test_nonces_do_not_pile_up(registrar, phone):
    for second in range(3 * MOST_NONCES):
        phone.ask(now=second / 100)
    assert len(registrar._nonces) <= MOST_NONCES + 1
    phone.ask(now=10_000.0)
    assert len(registrar._nonces) == 1


def test_without_contacts_the_answer_says_who_is_bound(phone):
    phone.register("<sip:x@127.0.0.1>")
    assert contacts(phone.register()) == [f"<sip:x@127.0.0.1>;expires={LONGEST}"]


def test_expiry_by_parameter_by_header_and_by_default(phone):
    reply = phone.register("<sip:a@h>;expires=60", "<sip:b@h>", Expires="90")
    assert contacts(reply) == ["<sip:a@h>;expires=60", "<sip:b@h>;expires=90"]
    reply = phone.register("<sip:c@h>;expires=999999")
    assert contacts(reply)[2] == f"<sip:c@h>;expires={LONGEST}"


@pytest.mark.parametrize("word", ["soon", "-1", "1.5", ""])
def test_a_malformed_expiry_counts_as_an_hour(phone, word):
    """RFC 3261 §20.19, §20.10."""
    reply = phone.register(f"<sip:a@h>;expires={word}", Expires="whenever")
    assert contacts(reply) == ["<sip:a@h>;expires=3600"]


def test_too_short_an_expiry_is_refused_with_the_shortest(registrar, phone):
    reply = phone.register("<sip:a@h>;expires=60", f"<sip:b@h>;expires={SHORTEST - 1}")
    assert reply.status == 423
    assert ("Min-Expires", str(SHORTEST)) in reply.headers
    assert len(registrar) == 0, "all Contacts or none"


def test_a_binding_ends_when_its_time_is_over(registrar, phone):
    phone.register("<sip:x@127.0.0.1>;expires=60", now=100.0)
    assert registrar.ways_to("100", 159.9)
    assert not registrar.ways_to("100", 160.0)
    assert contacts(phone.register(now=161.0)) == []
    assert len(registrar) == 0


def test_a_refresh_does_not_double(registrar, phone):
    phone.register("<sip:x@127.0.0.1>;expires=60", now=0.0)
    reply = phone.register("<sip:x@127.0.0.1>;expires=60", now=30.0)
    assert contacts(reply) == ["<sip:x@127.0.0.1>;expires=60"]
    assert registrar.ways_to("100", 80.0)


def test_contacts_are_the_same_by_meaning_not_by_letter(registrar, phone):
    phone.register("<sip:x@Phone.Example:5060;lr>")
    phone.register("<sip:x@phone.example:5060>")
    assert len(registrar) == 1


def test_expires_zero_unregisters_that_contact_alone(registrar, phone):
    phone.register("<sip:a@h>", "<sip:b@h>")
    assert contacts(phone.register("<sip:a@h>;expires=0")) == [f"<sip:b@h>;expires={LONGEST}"]
    assert phone.register("<sip:b@h>", Expires="0").status == 200
    assert len(registrar) == 0


def test_star_with_zero_unregisters_everything(registrar, phone):
    phone.register("<sip:a@h>", "<sip:b@h>")
    reply = phone.register("*", Expires="0")
    assert (reply.status, contacts(reply)) == (200, [])
    assert len(registrar) == 0


@pytest.mark.parametrize("expires", [{}, {"Expires": "60"}])
def test_star_without_zero_is_refused(registrar, phone, expires):
    phone.register("<sip:a@h>")
    assert phone.register("*", **expires).status == 400
    assert len(registrar) == 1


def test_star_beside_another_contact_is_refused(registrar, phone):
    phone.register("<sip:a@h>")
    assert phone.register("*", "<sip:a@h>", Expires="0").status == 400
    assert len(registrar) == 1


@pytest.mark.parametrize("wish", ["<sip:a@h>", "<sip:a@h>;expires=0", "*"])
def test_a_request_older_than_the_binding_changes_nothing(registrar, phone, wish):
    phone.register("<sip:a@h>")
    before = phone.number
    for number in (before, before - 1):
        proof = phone.credentials(phone.ask())
        late = phone.ask(wish, number=number, credentials=proof, Expires="0")
        assert late.status == 500
    assert len(registrar) == 1


def test_a_restarted_phone_counts_from_one_again(registrar, phone):
    phone.register("<sip:a@h>")
    reborn = Phone(registrar, call_id="fresh")
    assert reborn.register("<sip:a@h>").status == 200
    assert len(registrar) == 1


def test_the_newest_place_is_tried_first(registrar):
    desk = Phone(registrar, flow=Flow(Transport.UDP, PBX, Endpoint("127.0.0.2", 5060)))
    sofa = Phone(registrar, call_id="sofa", flow=Flow(Transport.UDP, PBX, Endpoint("::1", 5070)))
    desk.register("<sip:desk@10.0.0.1>")
    sofa.register("<sip:sofa@[2001:db8::7]>")
    assert registrar.ways_to("100", 1.0) == ["sip:sofa@[::1]:5070", "sip:desk@127.0.0.2:5060"]


def test_over_tcp_its_connection_leads_to_a_phone_then_its_contact(registrar):
    """RFC 5626 §5.3: the flow it registered over comes first."""
    flow = Flow(Transport.TCP, PBX, Endpoint("127.0.0.1", 41234), 7)
    Phone(registrar, flow=flow).register("<sip:x@127.0.0.1:5060;transport=tcp>")
    assert registrar.ways_to("100", 1.0) == [
        "sip:x@127.0.0.1:41234;transport=tcp",
        "sip:x@127.0.0.1:5060;transport=tcp",
    ]


def test_a_user_part_with_odd_letters_stays_one_user_part(registrar, phone):
    phone.register("<sip:a%40b%3E@127.0.0.1:5060>")
    assert registrar.ways_to("100", 1.0) == ["sip:a%40b%3E@127.0.0.1:5060"]


def test_a_full_registrar_refuses_the_new_and_keeps_the_old(registrar):
    many = [f"<sip:c{n}@h>" for n in range(MOST_BINDINGS)]
    phone = Phone(registrar)
    assert phone.register(*many).status == 200
    reply = Phone(registrar, "200").register("<sip:x@h>")
    assert reply.status == 503
    assert any(name == "Retry-After" for name, _ in reply.headers)
    assert phone.register("<sip:c7@h>").status == 200, "a refresh needs no room"
    assert phone.register("*", Expires="0").status == 200
    assert Phone(registrar, "200").register("<sip:x@h>").status == 200


def test_ten_thousand_registrations_leave_nothing(registrar):
    for number in range(2_500):
        phone = Phone(registrar, str(number % 50))
        phone.call_id = str(number)
        assert phone.register("<sip:x@h>", now=number).status == 200
        assert phone.register("<sip:x@h>;expires=0", now=number).status == 200
    assert len(registrar) == 0


GARBAGE = [
    {"To": "<"},
    {"To": "<sip:pbx>"},
    {"To": ""},
    {"To": "<tel:+15551234>"},
    {"CSeq": "REGISTER"},
    {"CSeq": "-4 REGISTER"},
    {"Contact": "<sip:"},
    {"Contact": "*,*"},
    {"Contact": '"x'},
    {"Expires": "\ufffd"},
    {"Authorization": "Digest"},
    {"Authorization": 'Digest username="'},
    {"Authorization": "Basic eHg6eHg="},
    {"Authorization": f'Digest realm="{REALM}", nonce=, username=, uri=, response='},
]


@pytest.mark.parametrize("headers", GARBAGE)
def test_garbage_is_answered_and_binds_nothing(registrar, headers):
    rows = {"To": "<sip:100@pbx>", "Call-ID": "1", "CSeq": "1 REGISTER", "Contact": "<sip:x@h>"}
    request = Request("REGISTER", URI, Headers(list((rows | headers).items())))
    assert 400 <= registrar.register(request, HERE, 0.0).status < 500
    assert len(registrar) == 0


header = st.sampled_from(["To", "Contact", "Expires", "Authorization", "CSeq", "Call-ID"])
pieces = st.sampled_from(
    [
        "<sip:100@h>",
        "*",
        ";expires=",
        "0",
        ",",
        '"',
        "<",
        ">",
        "Digest ",
        'realm="practice"',
        "%",
        "é",
    ]
)
value = st.one_of(st.text(max_size=40), st.lists(pieces, max_size=6).map("".join))


@given(st.lists(st.tuples(header, value), max_size=8))
def test_nothing_that_a_request_says_raises(rows):
    registrar = Registrar(Tokens(b"registrar-secret"))
    request = Request("REGISTER", URI, Headers())
    for name, text in rows:
        try:
            request.headers.add(name, text)
        except ValueError:
            continue
    assert 200 <= registrar.register(request, HERE, 0.0).status < 700


@given(st.lists(pieces, max_size=8).map("".join))
def test_a_phone_with_a_password_may_say_anything_in_its_contact(text):
    registrar = Registrar(Tokens(b"registrar-secret"))
    reply = Phone(registrar).register(text)
    assert reply.status in (200, 400, 423)
    for way in registrar.ways_to("100", 1.0):
        assert parse_uri(way).is_sip
