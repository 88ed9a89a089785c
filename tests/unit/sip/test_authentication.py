"""Challenges as servers really send them: several at once, proofs of the server, next nonces."""

import re

import pytest

from firmware.sip.auth.digest import Algorithm, parse_credentials, verify
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    FailureCause,
    MessageOutcome,
    OfferWanted,
    RegistrationChanged,
)
from firmware.sip.notifications import RegistrationState as State


def challenge(realm="pbx", nonce="one", algorithm="SHA-256", qop='"auth"', **more):
    extra = "".join(f", {name}={value}" for name, value in more.items())
    tail = f", qop={qop}" if qop else ""
    return f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}{tail}{extra}'


def asking(pbx, *rows, status=401):
    return lambda request: pbx.verdict(request, status, *rows)


def proof(request, body=b"", password="secret", qop="auth", **more):  # noqa: S107 - a test
    """An Authentication-Info as a server that knows the password writes it."""
    claim = parse_credentials(request.headers.get("Authorization"))
    algorithm = claim.algorithm
    key = algorithm.digest(f"{claim.username}:{claim.realm}:{password}".encode())
    covered = f":{claim.uri}" if qop == "auth" else f":{claim.uri}:{algorithm.digest(body)}"
    target = algorithm.digest(covered.encode())
    count = f"{claim.nonce_count:08x}"
    text = f"{key}:{claim.nonce}:{count}:{claim.cnonce}:{qop}:{target}"
    rows = {"rspauth": algorithm.digest(text.encode()), "cnonce": claim.cnonce, **more}
    return (
        ", ".join(f'{name}="{value}"' for name, value in rows.items()) + f", qop={qop}, nc={count}"
    )


def register(world, desk, sip):
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    return desk.last(RegistrationChanged)


@pytest.mark.parametrize("algorithm", [each.value for each in Algorithm if not each.aka])
@pytest.mark.parametrize("qop", ['"auth"', '"auth-int"', '"auth-int,auth"', ""])
def test_every_algorithm_and_quality(world, desk, pbx, sip, algorithm, qop):
    """RFC 8760 §2.1, §2.2, §2.6, RFC 7616 §3.4, §3.4.2: the answer proves the password."""
    pbx.verdicts = [asking(pbx, ("WWW-Authenticate", challenge(algorithm=algorithm, qop=qop)))]
    assert register(world, desk, sip).state is State.REGISTERED
    sent = pbx.requests("REGISTER")[1]
    row = sent.headers.get("Authorization")
    claim = verify(row, "REGISTER", sent.body, lambda *_: "secret")
    assert claim is not None
    assert claim.algorithm.value == algorithm
    assert claim.qop is None or claim.qop.value in qop


@pytest.mark.parametrize("order", [("MD5", "SHA-256"), ("SHA-512-256", "SHA-256", "MD5")])
def test_a06_md5_is_answered_last_whatever_the_order(world, desk, pbx, sip, order):
    """RFC 8760 §2.4: the first that we like; nobody talks us down to MD5."""
    rows = [("WWW-Authenticate", challenge(algorithm=name)) for name in order]
    pbx.verdicts = [asking(pbx, *rows)]
    register(world, desk, sip)
    (row,) = pbx.requests("REGISTER")[1].headers.all("Authorization")
    chosen = next(name for name in order if name != "MD5")
    assert f"algorithm={chosen}" in row


def test_several_realms_are_answered_at_once(world, desk, pbx, sip):
    """RFC 3261 §22.3: one set of credentials for each realm."""
    rows = [("WWW-Authenticate", challenge(realm)) for realm in ("pbx", "office")]
    pbx.verdicts = [asking(pbx, *rows)]
    assert register(world, desk, sip).state is State.REGISTERED
    sent = pbx.requests("REGISTER")[1].headers.all("Authorization")
    assert {parse_credentials(row).realm for row in sent} == {"pbx", "office"}


@pytest.mark.parametrize("status", [401, 407])
def test_proxy_and_server_may_ask_in_one_response(world, desk, pbx, sip, status):
    """RFC 3261 §22.3: a forking proxy collects the challenges of both kinds."""
    rows = (("WWW-Authenticate", challenge("pbx")), ("Proxy-Authenticate", challenge("edge")))
    pbx.verdicts = [asking(pbx, *rows, status=status)]
    assert register(world, desk, sip).state is State.REGISTERED
    headers = pbx.requests("REGISTER")[1].headers
    assert parse_credentials(headers.get("Authorization")).realm == "pbx"
    assert parse_credentials(headers.get("Proxy-Authorization")).realm == "edge"


def test_first_the_proxy_then_the_server(world, desk, pbx, sip):
    """RFC 3261 §22.2: the same request again, with credentials and the next CSeq."""
    pbx.verdicts = [
        asking(pbx, ("Proxy-Authenticate", challenge("edge")), status=407),
        asking(pbx, ("WWW-Authenticate", challenge("pbx"))),
    ]
    assert register(world, desk, sip).state is State.REGISTERED
    headers = pbx.requests("REGISTER")[2].headers
    assert headers.all("Authorization")
    assert headers.all("Proxy-Authorization")


def test_two_challenges_of_one_realm_in_one_row_get_one_answer(world, desk, pbx, sip):
    row = f"{challenge(algorithm='SHA-256')}, {challenge(algorithm='MD5')}"
    pbx.verdicts = [asking(pbx, ("WWW-Authenticate", row))]
    assert register(world, desk, sip).state is State.REGISTERED
    assert len(pbx.requests("REGISTER")[1].headers.all("Authorization")) == 1


def test_a_user_name_may_travel_hashed(world, desk, pbx, sip):
    """RFC 7616 §3.4.4: where the server says userhash=true."""
    pbx.verdicts = [asking(pbx, ("WWW-Authenticate", challenge(userhash="true")))]
    assert register(world, desk, sip).state is State.REGISTERED
    row = pbx.requests("REGISTER")[1].headers.get("Authorization")
    assert '"101"' not in row
    found = verify(row, "REGISTER", b"", lambda *_: "secret", users=["100", "101"])
    assert found.username == "101"
    assert verify(row, "REGISTER", b"", lambda *_: "secret", users=["100"]) is None


def test_a_name_in_utf_8_is_read_in_its_encoded_form():
    """RFC 7616 §3.4, RFC 5987 §3.2: username*."""
    row = (
        'Digest username*=UTF-8\'\'J%C3%A4s%C3%B8n%20Doe, realm="r", nonce="n", uri="sip:r", '
        'response="x", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c"'
    )
    assert parse_credentials(row).username == "Jäsøn Doe"
    assert parse_credentials(row.replace("UTF-8", "KOI8-R")) is None
    assert parse_credentials(row.replace("''", "")) is None


class TestProofOfTheServer:
    """RFC 7616 §3.5: Authentication-Info."""

    def answering(self, pbx, **how):
        def verdict(request):
            response = pbx.verdict(request, 200)
            response.headers.add("Authentication-Info", proof(request, **how))
            return response

        return [asking(pbx, ("WWW-Authenticate", challenge())), verdict]

    @pytest.mark.parametrize("qop", ["auth", "auth-int"])
    def test_a_right_proof_changes_nothing(self, world, desk, pbx, sip, qop):
        pbx.verdicts = self.answering(pbx, qop=qop)
        assert register(world, desk, sip).state is State.REGISTERED

    def test_a07_a_server_that_does_not_know_our_password_is_not_believed(
        self, world, desk, pbx, sip
    ):
        pbx.verdicts = self.answering(pbx, password="guess")
        failed = register(world, desk, sip)
        assert (failed.state, failed.phrase) == (State.FAILED, "not our server")

    def test_a_proof_for_another_request_is_none(self, world, desk, pbx, sip):
        pbx.verdicts = self.answering(pbx, cnonce="somebody else's")
        assert register(world, desk, sip).state is State.FAILED

    def test_the_next_nonce_is_used_next(self, world, desk, pbx, sip):
        pbx.verdicts = self.answering(pbx, nextnonce="two")
        register(world, desk, sip)
        register(world, desk, sip)
        row = pbx.requests("REGISTER")[2].headers.get("Authorization")
        assert 'nonce="two"' in row
        assert "nc=00000001" in row

    def test_one_time_nonces_for_a_day_cost_no_extra_round(self, world, desk, pbx, sip):
        pbx.grants = 600
        numbers = iter(range(1000))

        def once(request):
            response = pbx.verdict(request, 200)
            more = {"nextnonce": f"n{next(numbers)}"}
            response.headers.add("Authentication-Info", proof(request, **more))
            return response

        pbx.verdicts = [asking(pbx, ("WWW-Authenticate", challenge())), *[once] * 400]
        register(world, desk, sip)
        world.run(86400.0)
        rows = [each.headers.get("Authorization") for each in pbx.requests("REGISTER")[1:]]
        nonces = [re.search('nonce="(.*?)"', row).group(1) for row in rows]
        assert len(nonces) == len(set(nonces)) > 150

    def elsewhere(self, pbx, sip, method, asks, row_name, **how):
        """Challenge a method and answer it with a proof."""
        register_ = pbx.reply
        header = "Proxy-Authorization" if asks == 407 else "Authorization"

        def reply(message):
            if getattr(message, "method", "") != method:
                return register_(message)
            claim = message.headers.get(header)
            if claim is None:
                name = "Proxy-Authenticate" if asks == 407 else "WWW-Authenticate"
                return [sip.answer_to(message, asks, (name, challenge()))]
            message.headers.set("Authorization", claim)
            rows = [(row_name, proof(message, **how)), ("Contact", "<sip:b@192.0.2.9>")]
            if method == "INVITE":
                rows.append(("Content-Type", "application/sdp"))
            response = sip.answer_to(message, 200, *rows)
            response.body = sip.ANSWER if method == "INVITE" else b""
            return [response]

        pbx.reply = reply

    def invite(self, world, desk, sip):
        desk.script = lambda heard: (
            desk.agent.offer(heard.call, sip.OFFER, desk.now)
            if isinstance(heard, OfferWanted)
            else None
        )
        desk.agent.invite(CallRef("out"), sip.LINE, "600", world.now)
        world.run(1.0)

    @pytest.mark.parametrize(
        ("asks", "row_name"), [(401, "Authentication-Info"), (407, "Proxy-Authentication-Info")]
    )
    def test_a07_a_call_answered_by_somebody_else_ends_before_a_word(
        self, registered, sip, asks, row_name
    ):
        world, desk, pbx = registered
        self.elsewhere(pbx, sip, "INVITE", asks, row_name, password="guess")
        self.invite(world, desk, sip)
        assert not desk.of(CallAnswered)
        assert desk.last(CallEnded).phrase == "not our server"
        assert len(pbx.requests("ACK")) == 2, "of the challenge, and of the answer"
        assert pbx.requests("BYE")
        world.run(60.0)
        assert desk.of(CallEnded) == [desk.last(CallEnded)]

    @pytest.mark.parametrize(
        ("asks", "row_name"), [(401, "Authentication-Info"), (407, "Proxy-Authentication-Info")]
    )
    def test_a_call_with_a_right_proof_is_answered(self, registered, sip, asks, row_name):
        world, desk, pbx = registered
        self.elsewhere(pbx, sip, "INVITE", asks, row_name)
        self.invite(world, desk, sip)
        assert desk.of(CallAnswered)

    def test_a07_a_text_taken_by_somebody_else_was_not_delivered(self, registered, sip):
        world, desk, pbx = registered
        self.elsewhere(pbx, sip, "MESSAGE", 401, "Authentication-Info", password="guess")
        desk.agent.messages.send("m", sip.LINE, "600", "hello", world.now)
        world.run(1.0)
        assert desk.last(MessageOutcome).cause is FailureCause.SERVER_ERROR

    def test_uses_of_a_nonce_are_counted_over_all_methods(self, registered, sip):
        """RFC 7616 §3.4: nc belongs to the nonce; a server may refuse one that is repeated."""
        world, desk, pbx = registered
        pbx.verdicts = [asking(pbx, ("WWW-Authenticate", challenge()))]
        register(world, desk, sip)
        desk.agent.messages.send("m", sip.LINE, "600", "hello", world.now)
        world.run(1.0)
        self.invite(world, desk, sip)
        register(world, desk, sip)
        sent = {  # a repeated datagram is the same use
            each.headers.get("Via"): (each.method, re.search("nc=(.*?)(,|$)", row).group(1))
            for each in pbx.inbox
            if (row := each.headers.get("Authorization"))
        }.values()
        counts = [count for _, count in sent]
        assert {method for method, _ in sent} == {"REGISTER", "MESSAGE", "INVITE"}
        assert counts == sorted(set(counts))
        assert counts[0] == "00000001"

    @pytest.mark.parametrize("row", ["", "x", 'nextnonce="', "rspauth=", '"' * 50, "=,=,="])
    def test_garbage_is_no_proof_and_no_fault(self, world, desk, pbx, sip, row):
        def verdict(request):
            response = pbx.verdict(request, 200)
            response.headers.add("Authentication-Info", row)
            return response

        pbx.verdicts = [asking(pbx, ("WWW-Authenticate", challenge())), verdict]
        assert register(world, desk, sip).state is State.REGISTERED


def test_a06_a_bye_answered_with_401_gets_no_digest(world, desk, pbx, sip):
    """The far end of a call is nobody's registrar: it may ask, it learns nothing."""
    far = sip.Stranger(world, "192.0.2.77")

    def answers(message):
        match getattr(message, "method", ""):
            case "INVITE":
                contact = ("Contact", "<sip:far@192.0.2.77>")
                return [sip.answer_to(message, 200, contact, tag="far")]
            case "BYE":
                return [sip.answer_to(message, 401, ("WWW-Authenticate", challenge()))]
        return []

    far.reply = answers
    call = CallRef("out")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    desk.agent.invite(call, sip.LINE, "sip:far@192.0.2.77", world.now)
    world.run(0.1)
    desk.agent.offer(call, sip.OFFER, world.now)
    world.run(1.0)
    assert desk.of(CallAnswered)
    desk.agent.end(call, world.now)
    world.run(60.0)
    assert desk.of(CallEnded)
    assert len(far.requests("BYE")) == 1
    assert not any(b"uthorization:" in data for _, _, to, data in world.log if "77" in to)


@pytest.mark.parametrize("realm", ["other", "PBX", ""])
def test_a06_a_realm_that_is_not_ours_gets_no_digest(world, desk, pbx, sip, realm):
    desk.line(sip.PBX, password="secret", realm="pbx")
    pbx.verdicts = [asking(pbx, ("WWW-Authenticate", challenge(realm)))]
    assert register(world, desk, sip).state is State.FAILED
    assert not any("Authorization" in each.headers for each in pbx.requests("REGISTER"))


class TestForgedAnswers:
    """A7: who did not see the request cannot answer it."""

    @pytest.fixture
    def forger(self, world, sip):
        return sip.Stranger(world, "192.0.2.66")

    def forge(self, sip, pbx, branch=None, sender=None):
        """A 200 to the last REGISTER, as somebody writes it who knows all but what is changed."""
        pbx.reply = lambda _: []
        request = pbx.requests("REGISTER")[-1]
        contact = request.headers.get("Contact")
        answer = sip.answer_to(request, 200, ("Contact", f"{contact};expires=3600"))
        via = answer.headers.get("Via")
        if branch is not None:
            answer.headers.set("Via", re.sub("branch=[^;]*", f"branch={branch}", via))
        if sender is not None:
            answer.headers.set("Via", via.replace("192.0.2.1:5060", sender))
        return answer

    @pytest.fixture
    def waiting(self, world, desk, pbx, sip):
        """A REGISTER that the registrar has not answered yet."""
        pbx.verdicts = [lambda request: sip.answer_to(request, 100)]
        desk.agent.register(sip.LINE, world.now)
        world.run(0.1)
        assert desk.last(RegistrationChanged).state is State.TRYING

    @pytest.mark.usefixtures("waiting")
    def test_a07_from_another_address(self, world, desk, pbx, forger, sip):
        forger.tell(self.forge(sip, pbx), desk)
        world.run(0.1)
        assert desk.last(RegistrationChanged).state is State.TRYING

    @pytest.mark.usefixtures("waiting")
    @pytest.mark.parametrize("change", [{"branch": "z9hG4bKguess"}, {"sender": "192.0.2.2:5060"}])
    def test_a07_with_a_guessed_branch_or_for_another_sender(self, world, desk, pbx, sip, change):
        """RFC 3261 §17.1.3, §18.1.2."""
        pbx.tell(self.forge(sip, pbx, **change), desk)
        world.run(0.1)
        assert desk.last(RegistrationChanged).state is State.TRYING

    @pytest.mark.usefixtures("waiting")
    def test_a07_the_right_one_is_taken(self, world, desk, pbx, sip):
        pbx.tell(self.forge(sip, pbx), desk)
        world.run(0.1)
        assert desk.last(RegistrationChanged).state is State.REGISTERED
