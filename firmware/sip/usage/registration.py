"""Keeps one line registered, whatever happens: all its bindings, and what the phone hears of them.

A line with one server has one binding. With several outbound proxies it has one by each (RFC 5626),
with further registrars one at each; it counts as registered while any of them stands, and calls
go by the first that does.
"""

from firmware.sip.core import Core
from firmware.sip.flow import Flow
from firmware.sip.line import Line
from firmware.sip.notifications import RegistrationChanged, RegistrationState
from firmware.sip.reach.keepalive import Keepalives
from firmware.sip.registering.binding import Binding, News

State = RegistrationState


class Registration:
    """The registration of one line."""

    def __init__(self, core: Core, line: Line, keepalives: Keepalives) -> None:
        self.line = line
        self.state = State.OFF
        self._core = core
        self._silent = False
        self._bindings = [
            Binding(core, line, number, self, keepalives)
            for number in range(1, len(line.account.homes) + 1)
        ]

    # --- intents ----------------------------------------------------------------------------

    def register(self, now: float) -> None:
        """Register now, or again now."""
        for binding in self._bindings:
            binding.register(now)

    def unregister(self, now: float) -> None:
        """Remove our bindings."""
        for binding in self._bindings:
            binding.unregister(now)

    def retire(self, now: float) -> None:
        """The line is removed or has changed: remove the bindings, and say nothing more."""
        self._silent = True
        self.unregister(now)

    def suspect(self, now: float) -> None:
        """Something made us doubt that a registrar still knows us (F17, or RFC 3680 said so)."""
        for binding in self._bindings:
            binding.suspect(now)

    def probed(self, flow: Flow, now: float, *, alive: bool) -> None:
        """A probe on a flow was answered, or was not."""
        for binding in self._bindings:
            binding.probed(flow, now, alive=alive)

    def address_known(self, now: float) -> None:
        """Our outer address is known, or another one."""
        for binding in self._bindings:
            binding.address_known(now)

    def told(self, document: object) -> None:
        """A document of the registration package that our registrar sent (RFC 3680).

        Addresses of record that are not ours and Contacts of other phones change nothing.
        """
        from firmware.sip.event.reg import RegInfo  # noqa: PLC0415 - hardly any line watches it

        if not isinstance(document, RegInfo):
            return
        for contact in (each for address in document.addresses for each in address.contacts):
            ended = not contact.active or contact.event == "shortened"
            news = News(contact.event, contact.expires, contact.retry_after)
            for binding in self._bindings if ended else ():
                binding.told(contact.uri, news)

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A flow is gone."""
        for binding in self._bindings:
            binding.flow_lost(flow, now)

    def network_changed(self, now: float) -> None:
        """Addresses may be others now (F9)."""
        for binding in self._bindings:
            binding.network_changed(now)

    def clock_set(self, now: float) -> None:
        """The wall clock has been set (F11)."""
        for binding in self._bindings:
            binding.clock_set(now)

    # --- what bindings report ---------------------------------------------------------------

    def others_stand(self, binding: Binding) -> bool:
        """Whether another binding is registered."""
        return any(each.state is State.REGISTERED for each in self._bindings if each is not binding)

    def changed(self, binding: Binding) -> None:
        """A binding has a new outcome: the phone hears of it unless a better one stands."""
        chosen = min(self._bindings, key=lambda each: _RANK[each.state])
        if chosen.state is binding.state:
            chosen = binding  # the latest news of the best there is
        elif chosen.state is self.state:
            return
        self.state = chosen.state
        if self._silent:
            return
        outcome, account = chosen.outcome, self.line.account
        self._core.notify(
            RegistrationChanged(
                self.line.name,
                outcome.state,
                outcome.cause,
                outcome.status,
                outcome.phrase,
                account.where_is(chosen.home),
                outcome.expires_in,
                outcome.retry_in,
            )
        )


_RANK = {State.REGISTERED: 0, State.TRYING: 1, State.FAILED: 2, State.OFF: 3}
