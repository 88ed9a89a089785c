"""Two user agents on real sockets of loopback: register, call, hang up."""

import asyncio
import logging
import socket

import pytest

from firmware.net.errors import ListenError, PortTakenError
from firmware.net.resolver import LookUpError
from firmware.net.security import Security
from firmware.net.stream import Door
from firmware.sip.flow import TlsTerms, Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CertificateEnds,
    FailureCause,
    IncomingCall,
    RegistrationChanged,
    RegistrationState,
)
from tests.support.certificates import Authority
from tests.support.driver_party import CALL, LINE, SDP


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_phone_registers_calls_and_hangs_up(pair, transport):
    phone, pbx = pair
    phone.have(phone.server, transport=transport)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    assert len(pbx.contacts) == 1

    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    assert (await phone.hears(CallAnswered)).body == SDP
    assert (await pbx.hears(IncomingCall)).offer == SDP
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await pbx.hears(CallEnded)
    await phone.hears(CallEnded)
    assert {flow.transport for _, data, flow in phone.traced if len(data) > 4} == {transport}
    assert {sent for sent, _, _ in phone.traced} == {True, False}


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_the_pbx_calls_the_phone_back_the_way_it_registered(pair, transport):
    phone, pbx = pair
    phone.have(phone.server, transport=transport)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)

    pbx.agent.invite(CALL, LINE, pbx.contacts[0], pbx.now)
    pbx.driver.settle()
    await pbx.hears(CallAnswered)
    pbx.agent.end(CALL, pbx.now)
    pbx.driver.settle()
    await phone.hears(CallEnded)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


async def secure_line(pair, office, transport, *names, **more):
    """The PBX opens a door with a certificate for names, the phone gets a line to it."""
    phone, pbx = pair
    own = office.issue(*names, **more)
    door = Door(transport, 0, TlsTerms(cert=str(own.cert), key=str(own.key)))
    await pbx.driver.open_door(door)
    host = phone.server.rpartition(":")[0]
    tls = TlsTerms(ca=str(office.file), server_name="pbx.example")
    phone.have(f"{host}:{pbx.driver.port_of(transport)}", transport=transport, tls=tls)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    return phone, pbx


@pytest.mark.parametrize("transport", [Transport.TLS, Transport.WS, Transport.WSS])
async def test_calls_go_over_every_secure_transport(pair, office, transport):
    phone, pbx = await secure_line(pair, office, transport, "DNS:pbx.example")
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    assert (await phone.hears(CallAnswered)).body == SDP
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await pbx.hears(CallEnded)
    assert {flow.transport for _, data, flow in phone.traced if len(data) > 4} == {transport}


async def test_the_pbx_calls_a_phone_back_over_the_connection_it_opened(pair, office):
    phone, pbx = await secure_line(pair, office, Transport.TLS, "DNS:pbx.example")
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    pbx.agent.invite(CALL, LINE, pbx.contacts[0], pbx.now)
    pbx.driver.settle()
    await pbx.hears(CallAnswered)
    assert {flow.transport for _, data, flow in pbx.traced if len(data) > 4} == {Transport.TLS}


async def test_f26_the_driver_says_whose_certificate_it_was(pair, office):
    phone, pbx = await secure_line(pair, office, Transport.TLS, "DNS:other.example")
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert (failed.cause, failed.phrase) == (FailureCause.CERT_NAME, "other.example")
    assert not pbx.heard


async def test_f11_the_driver_waits_for_the_clock_that_a_certificate_waits_for(pair, office):
    pair[0].driver._streams.security = Security(lambda: False)
    phone, _ = await secure_line(pair, office, Transport.TLS, "DNS:pbx.example", begins=2)
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is FailureCause.CLOCK_NOT_SET
    phone.heard.clear()
    phone.driver._clock_watch._was_set()  # what the watch does when it is set
    again = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert again.cause is FailureCause.CLOCK_NOT_SET, "it was tried again at once"


async def test_f27_a_client_certificate_that_ends_soon_is_news(pair, office):
    phone, pbx = pair
    soon = office.issue("DNS:phone.example", ends=5)
    tls = TlsTerms(cert=str(soon.cert), key=str(soon.key))
    await phone.driver.open_door(Door(Transport.TLS, 0, tls))
    assert await phone.hears(CertificateEnds) == CertificateEnds(str(soon.cert), 4)
    del pbx


async def test_a_server_that_is_not_there_is_refused_at_once_over_tcp(parties):
    phone = parties()
    await phone.driver.listen(("127.0.0.1",), 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # it is ours and nobody listens there
        phone.have(f"127.0.0.1:{port}", transport=Transport.TCP)
        phone.agent.register(LINE, phone.now)
        phone.driver.settle()
        failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is FailureCause.REFUSED
    assert failed.retry_in > 0


async def test_f07_without_a_route_the_line_says_no_network(parties):
    phone = parties()
    await phone.driver.listen(("127.0.0.1",), 0)
    phone.have("[2001:db8::1]:5060")  # no IPv6 socket to send from
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is FailureCause.NO_NETWORK


@pytest.mark.parametrize(
    ("missing", "cause"),
    [(True, FailureCause.NAME_NOT_FOUND), (False, FailureCause.NO_NETWORK)],
)
async def test_f14_f15_a_name_without_address_is_told_apart_from_a_dead_name_server(
    parties, missing, cause
):
    class Names:
        async def services(self, _name):
            return ()

        async def addresses(self, name):
            raise LookUpError(f"{name}: no", missing=missing)

    phone = parties()
    phone.driver._resolver = Names()
    await phone.driver.listen(("127.0.0.1",), 0)
    phone.have("pbx.invalid")
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.cause is cause


async def test_one_port_for_udp_and_tcp_on_every_address(parties):
    phone = parties()
    await phone.driver.listen(("127.0.0.1", "::1"), 0)
    port = phone.driver.port
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as sock, pytest.raises(OSError, match="in use"):
                sock.bind((host, port))


async def test_a_free_port_is_free_on_udp_and_tcp(parties, monkeypatch):
    phone, first = parties(), []
    bind = phone.driver._streams.listen

    async def taken_at_first(host, port):
        first.append(port)
        if len(first) <= 2:
            raise PortTakenError(f"TCP port {port} is taken")
        return await bind(host, port)

    monkeypatch.setattr(phone.driver._streams, "listen", taken_at_first)
    await phone.driver.listen(("127.0.0.1", "::1"), 0)
    assert len(set(first)) >= 3
    assert len(phone.driver._udp) == 2


async def test_a_taken_port_is_an_error_and_leaves_nothing_bound(parties, udp_socket):
    taken = udp_socket("127.0.0.1").getsockname()[1]
    phone = parties()
    with pytest.raises(PortTakenError, match=f"UDP port {taken} is taken by"):
        await phone.driver.listen(("127.0.0.2", "127.0.0.1"), taken)
    udp_socket("127.0.0.2", taken)


async def test_f54_a_machine_without_ipv6_has_a_phone_all_the_same(parties, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    from firmware.net import sip_driver  # noqa: PLC0415 - its name is replaced

    real = sip_driver.UdpSocket

    def no_ipv6(host, *rest):
        if ":" in host:
            raise ListenError("Address family not supported by protocol")
        return real(host, *rest)

    monkeypatch.setattr(sip_driver, "UdpSocket", no_ipv6)
    phone = parties()
    await phone.driver.listen(("0.0.0.0", "::"), 0)
    assert phone.driver.port
    assert "this machine has no IPv6" in caplog.text
    with pytest.raises(ListenError):
        await parties().driver.listen(("::1",), 0)


async def test_after_closing_nothing_is_performed(pair):
    phone, _ = pair
    phone.have(phone.server, transport=Transport.TCP)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    await phone.driver.close()
    count, tasks = len(phone.traced), asyncio.all_tasks()
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    assert asyncio.all_tasks() == tasks  # nobody is left to do it later
    assert len(phone.traced) == count
    assert phone.driver._timer is None or phone.driver._timer.cancelled()


# --- F43: a fault in the stack or above it ------------------------------------------------------
