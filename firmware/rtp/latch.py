"""Who may be heard on an RTP socket, and where we send: symmetric RTP with a lock.

RFC 4961 has both directions on one port, so behind a NAT the source of the packets is the better
address than the one in the SDP. It is also what a stranger would forge. So: the SDP's address is
always right; another one is learned once, from the first packets of a call, and only from several
that follow one another; after that the lock moves only for the same source (SSRC) going on with
its sequence after its old address fell silent, as when a NAT forgets. To be asked about valid
packets of negotiated payload types only. Addresses are numeric host and port.
"""

from typing import TypeAlias

Address: TypeAlias = tuple[str, int]

_IN_A_ROW = 3
_SILENT = 1.0
_STEP = 16
"""Two packets follow one another if the number grew by no more: some may be lost."""
_REACH = 1000
"""So many packets a moving source may be ahead of where it was (20 s)."""


class SourceLatch:
    """The lock of one stream; `strangers` counts packets that were refused."""

    __slots__ = (
        "_candidate",
        "_last",
        "_locked",
        "_remote",
        "_row",
        "_sequence",
        "_ssrc",
        "_symmetric",
        "strangers",
    )

    def __init__(self, remote: Address | None = None, *, symmetric: bool = True) -> None:
        """Begin unlocked; `remote` is the SDP's address, None before the answer."""
        self._remote = remote
        self._symmetric = symmetric
        self._locked: Address | None = None
        self._ssrc: int | None = None
        self._sequence = 0
        self._last = 0.0
        self._candidate: tuple[Address, int, int] | None = None
        self._row = 0
        self.strangers = 0

    @property
    def locked(self) -> Address | None:
        """Where media really comes from, once known."""
        return self._locked

    @property
    def destination(self) -> Address | None:
        """Where to send; None before anything is known."""
        if self._symmetric and self._locked is not None:
            return self._locked
        return self._remote

    def configure(self, remote: Address | None) -> None:
        """A new offer/answer: another address opens the lock, the same one changes nothing."""
        if remote == self._remote:
            return
        self._remote = remote
        if remote is not None and self._locked != remote:
            self._locked = self._ssrc = None
            self._candidate = None

    def learn(self, place: Address) -> None:
        """The far end has proved by other means that it is there; no media has come yet."""
        if self._locked is None:
            self._locked = place

    def admit(self, source: Address, ssrc: int, sequence: int, now: float) -> bool:
        """Whether a packet may be heard; keeps the lock."""
        known = source in (self._locked, self._remote)
        if known or self._moves(source, ssrc, sequence, now):
            self._locked = source
            self._ssrc = ssrc
            self._sequence = sequence
            self._last = now
            return True
        self.strangers += 1
        return False

    def _moves(self, source: Address, ssrc: int, sequence: int, now: float) -> bool:
        """Whether another address has earned the lock."""
        heard = self._locked is not None and self._ssrc is not None
        if heard and not self._goes_on(ssrc, sequence, now):
            return False
        candidate = self._candidate
        follows = (
            candidate is not None
            and candidate[:2] == (source, ssrc)
            and 0 < (sequence - candidate[2]) & 0xFFFF <= _STEP
        )
        self._row = self._row + 1 if follows else 1
        self._candidate = (source, ssrc, sequence)
        if self._row < _IN_A_ROW:
            return False
        self._candidate = None
        return True

    def _goes_on(self, ssrc: int, sequence: int, now: float) -> bool:
        """Whether this may be the source we know, from behind another port."""
        ahead = (sequence - self._sequence) & 0xFFFF
        return ssrc == self._ssrc and 0 < ahead <= _REACH and now - self._last >= _SILENT


class ReportLatch:
    """Whose RTCP counts: that of the host which media comes from, or which SDP names.

    RFC 3550 §8.2 takes it that both come from one host. Behind a NAT it may be neither: as long as
    none of them has been heard the first other is believed, and nobody after it.
    """

    __slots__ = ("_learned", "_sure", "strangers")

    def __init__(self) -> None:
        self.strangers = 0
        self.forget()

    def forget(self) -> None:
        """A new far end."""
        self._learned = ""
        self._sure = False

    def admit(self, source: Address, *, named: bool, heard: bool) -> bool:
        """Whether a report may be believed.

        `named` = it comes from a host of the far end's; `heard` = its media has been heard.
        """
        self._sure = self._sure or named or heard
        if not named and not self._sure:
            self._learned = self._learned or source[0]
        if named or (not self._sure and source[0] == self._learned):
            return True
        self.strangers += 1
        return False


def normal(address: Address) -> Address:
    """The address as the kernel writes it, so that equal addresses are equal tuples."""
    host, port = address
    if ":" not in host:
        return address  # an IPv4 address can be written in one way only
    import ipaddress  # noqa: PLC0415 - a third of a megabyte, for IPv6 alone

    bare, _, scope = host.partition("%")
    try:
        return (str(ipaddress.ip_address(bare)) + (f"%{scope}" if scope else ""), port)
    except ValueError:
        return address
