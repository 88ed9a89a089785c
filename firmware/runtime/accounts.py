"""The lines of the configuration as the SIP stack wants them."""

import ipaddress
from dataclasses import replace
from typing import Protocol

from firmware.config.forms import split_nat_rule
from firmware.config.rules import line_blocked, ways_of
from firmware.config.schema import LineSettings, Settings
from firmware.phone.toll import Toll
from firmware.sip.account import Account, AkaKeys
from firmware.sip.flow import TlsTerms, Transport
from firmware.sip.notifications import LineName
from firmware.sip.route.appearance import NatRule


class Identities(Protocol):
    """What a line keeps over restarts, made once and never again (RFC 5626 §4.1, A4)."""

    def contact_user(self, line: str) -> str:
        """The random user part of its Contact."""

    def instance_id(self, line: str) -> str:
        """Its `+sip.instance`, a URN."""

    def card_numbers(self, line: str) -> tuple[int, ...]:
        """The sequence numbers that its SIM card has seen (RFC 3310)."""


def nat_rules(settings: Settings) -> tuple[NatRule, ...]:
    """What far ends of other networks know us by."""
    rows = map(split_nat_rule, settings.network.nat)
    return tuple(NatRule(ipaddress.ip_network(net, strict=False), host) for net, host in rows)


def concern_lines(old: Settings, new: Settings) -> bool:
    """Whether the SIP stack must learn of a change: it, too, knows whom others may make us call."""
    if new.phone.language != old.phone.language:
        return True
    return new.lines != old.lines or Toll.of(new.phone) != Toll.of(old.phone)


def accounts_of(settings: Settings, identities: Identities) -> tuple[Account, ...]:
    """The lines that may run; one that is blocked stays down rather than weaker than asked."""
    toll = Toll.of(settings.phone)
    return tuple(
        replace(account_of(line, identities, toll), language=settings.phone.language)
        for line in settings.lines
        if line_blocked(line) is None
    )


def account_of(line: LineSettings, identities: Identities, toll: Toll) -> Account:
    """One line."""
    return Account(
        line=LineName(line.name),
        user=line.user,
        server=line.server,
        password=line.password,
        auth_user=line.auth_user,
        realm=line.realm,
        display_name=line.display_name,
        proxy=line.proxy,
        proxies=line.proxies,
        registrars=line.registrars,
        aka=_card(line),
        transport=Transport.UDP if line.transport == "auto" else Transport(line.transport),
        any_transport=line.transport == "auto",
        expires=line.expires,
        recheck=line.recheck,
        register=line.register,
        peers=line.peers,
        numbers=line.numbers,
        accept_any_user=line.accept_any_user,
        ice=ways_of(line) != "off",
        anonymous=line.anonymous,
        session_expires=line.session_expires,
        redirects=line.redirects,
        publish_calls=line.publish_calls and line.register,
        redirect_to=line.redirect_to,
        click_to_dial=line.click_to_dial,
        toll=toll,
        gruu=line.gruu,
        contact_user=identities.contact_user(line.name),
        instance_id=identities.instance_id(line.name),
        card_numbers=identities.card_numbers(line.name),
        tls=TlsTerms(
            ca=line.tls.ca,
            cert=line.tls.cert,
            key=line.tls.key,
            server_name=line.tls.server_name,
            verify=line.tls.verify,
        ),
        ws_path=line.ws_path,
    )


def _card(line: LineSettings) -> AkaKeys | None:
    """The SIM card of a line, if it has one."""
    if not line.aka_k:
        return None
    octets = bytes.fromhex
    return AkaKeys(
        octets(line.aka_k), octets(line.aka_op), octets(line.aka_opc), octets(line.aka_amf)
    )
