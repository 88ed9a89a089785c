"""SRTP and SRTCP of one stream (RFC 3711, RFC 7714), over libsrtp. Pure: octets in, octets out.

A packet that does not prove itself, or that was there before, is counted and gives None; nothing
that arrives raises. libsrtp is loaded with the first key, or by `load` when nobody waits.

What is sent: an index counts per (key, SSRC) and lives in the context, so a context is kept as long
as its key is; whoever makes a new one for a key that was in use takes a new SSRC (see `Guard.use`).
What arrives: a new context begins with a roll-over counter of zero. After 65,536 packets that is
wrong, so a context can be told where its predecessor was.
"""

from collections.abc import Callable
from typing import Any

from firmware.base.suites import Heard, Keys
from firmware.rtp.packet import VERSION

__all__ = ["Guard", "Heard", "Keys", "guess", "installed", "load"]

_Unprotect = Callable[[bytes], bytes]
_SOURCES = 32
"""SSRCs one key may bring: even a far end that holds the key cannot fill our memory."""

_CONTROL_TAG = 10
"""RFC 4568 §6.2.2: SRTCP is proved by 80 bits, also where SRTP has 32."""

_HALF = 1 << 15
_MASK = 0xFFFF


class _Library:
    """pylibsrtp, and the two functions of libsrtp that it leaves out."""

    def __init__(self) -> None:
        import ctypes  # noqa: PLC0415 - as below

        import pylibsrtp  # noqa: PLC0415 - 2 MB that only an encrypted call needs
        from pylibsrtp import _binding  # noqa: PLC0415 - as above

        self.policy: Any = pylibsrtp.Policy
        self.session: Any = pylibsrtp.Session
        self.error: type[Exception] = pylibsrtp.Error
        self.address: Callable[[Any], int] = lambda session: int(
            _binding.ffi.cast("uintptr_t", session._srtp[0])  # noqa: SLF001 - it has no public name
        )
        shared = ctypes.CDLL(_binding.__file__)
        self._set_roc = shared.srtp_set_stream_roc
        self._set_roc.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
        self._counter, self._reference = ctypes.c_uint32, ctypes.byref
        self._get_roc = shared.srtp_get_stream_roc
        self._get_roc.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)
        self.profiles: dict[str, int] = {
            "AEAD_AES_256_GCM": pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
            "AEAD_AES_128_GCM": pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
            "AES_CM_128_HMAC_SHA1_80": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
            "AES_CM_128_HMAC_SHA1_32": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
        }

    def set_roc(self, session: Any, ssrc: int, roc: int) -> None:
        self._set_roc(self.address(session), ssrc, roc)

    def roc(self, session: Any, ssrc: int) -> int:
        """The roll-over counter of an SSRC, 0 if it was never heard."""
        found = self._counter(0)
        self._get_roc(self.address(session), ssrc, self._reference(found))
        return int(found.value)


_loaded: list[_Library] = []


def installed() -> bool:
    """Whether `load` would find libsrtp."""
    from importlib.util import find_spec  # noqa: PLC0415 - a line that requires it asks, once

    return find_spec("pylibsrtp") is not None


def load() -> _Library:
    """Load libsrtp now, so that the first encrypted call need not.

    Raises:
        ImportError: it is not there.
    """
    if not _loaded:
        _loaded.append(_Library())
    return _loaded[0]


class _Sealer:
    """What we send under one key."""

    __slots__ = ("_error", "_session")

    def __init__(self, suite: str, key: bytes) -> None:
        library = load()
        policy = library.policy(
            key=key,
            ssrc_type=library.policy.SSRC_ANY_OUTBOUND,
            srtp_profile=library.profiles[suite],
        )
        self._session = library.session(policy)
        self._error = library.error

    def seal(self, packet: bytes) -> bytes | None:
        try:
            sealed: bytes = self._session.protect(packet)
        except (self._error, ValueError):
            return None
        return sealed

    def seal_control(self, packet: bytes) -> bytes | None:
        try:
            sealed: bytes = self._session.protect_rtcp(packet)
        except (self._error, ValueError):
            return None
        return sealed


class _Opener:
    """What we receive under one key; `before` is how far an earlier engine had come with it."""

    __slots__ = (
        "_error",
        "_library",
        "_mki",
        "_newest",
        "_session",
        "_sources",
        "_tags",
        "before",
    )

    def __init__(self, suite: str, key: bytes, before: Heard | None, mki: int) -> None:
        library = load()
        self._mki = mki
        # RFC 3711 §3.1: the MKI stands before the proof; RFC 7714 §8.2, §9.4: GCM has it last.
        self._tags = (0, 0) if "GCM" in suite else (int(suite[-2:]) // 8, _CONTROL_TAG)
        self._library = library
        profile = library.profiles[suite]
        self._error = library.error
        any_source = library.policy(
            key=key, ssrc_type=library.policy.SSRC_ANY_INBOUND, srtp_profile=profile
        )
        self._session = library.session(any_source)
        self._sources: set[int] = set()
        self._newest: dict[int, int] = {}
        self.before = before
        if before is not None:
            one = library.policy(
                key=key,
                ssrc_type=library.policy.SSRC_SPECIFIC,
                ssrc_value=before.ssrc,
                srtp_profile=profile,
            )
            self._session.add_stream(one)

    def _bare(self, datagram: bytes, tag: int) -> bytes:
        """Without the name of the key: there is one key."""
        end = len(datagram) - tag
        return datagram[: max(0, end - self._mki)] + datagram[end:]

    def open(self, datagram: bytes) -> bytes | None:
        if self._mki:
            datagram = self._bare(datagram, self._tags[0])
        ssrc = int.from_bytes(datagram[8:12])
        before = self.before
        if before is not None and before.ssrc == ssrc and not self._follows(before, datagram):
            return None
        packet = self._accepted(ssrc, self._session.unprotect, datagram)
        if packet is not None:
            sequence = int.from_bytes(datagram[2:4])
            if (sequence - self._newest.get(ssrc, sequence)) & _MASK < _HALF:
                self._newest[ssrc] = sequence
            if before is not None and before.ssrc == ssrc:
                self.before = None
        return packet

    def open_control(self, datagram: bytes) -> bytes | None:
        if self._mki:
            datagram = self._bare(datagram, self._tags[1])
        ssrc = int.from_bytes(datagram[4:8])
        return self._accepted(ssrc, self._session.unprotect_rtcp, datagram)

    def _accepted(self, ssrc: int, unprotect: _Unprotect, datagram: bytes) -> bytes | None:
        known = ssrc in self._sources
        if not known and len(self._sources) >= _SOURCES:
            return None
        try:
            packet = unprotect(datagram)
        except (self._error, ValueError):
            return None
        if not known:
            self._sources.add(ssrc)
        return packet

    def _follows(self, before: Heard, datagram: bytes) -> bool:
        """Set the counter for the first packet; one the earlier engine has heard is a replay."""
        index = guess(before.index, int.from_bytes(datagram[2:4]))
        if index <= before.index:
            return False
        self._library.set_roc(self._session, before.ssrc, index >> 16)
        return True

    def index(self, ssrc: int, sequence: int) -> int:
        """The packet index of a sequence number of an SSRC that is not older than half a round."""
        newest = self._newest.get(ssrc, sequence)
        highest = self._library.roc(self._session, ssrc) << 16 | newest
        return guess(highest, sequence)


def guess(highest: int, sequence: int) -> int:
    """The packet index a sequence number stands for (RFC 3711 §3.3.1), -1 if there was none yet."""
    index = (highest & ~_MASK) | sequence
    if index - highest > _HALF:
        return index - 0x10000 if index >= 0x10000 else index
    return index + 0x10000 if highest - index > _HALF else index


class Guard:
    """Both directions of a stream; `refused` counts what did not prove itself or came twice.

    `in_a_row` is how many of them came since something was accepted.
    """

    __slots__ = ("_former", "_opener", "_sealer", "_used", "in_a_row", "keys", "refused")

    def __init__(self) -> None:
        self.keys: Keys | None = None
        self.refused = self.in_a_row = 0
        self._sealer: _Sealer | None = None
        self._opener: _Opener | None = None
        self._former: _Opener | None = None
        self._used: set[bytes] = set()

    def use(self, keys: Keys, before: Heard | None = None) -> bool:
        """Take these keys; a direction whose key stays keeps its counters.

        Returns whether we sealed with this key before and have lost count since: then no packet
        may be sealed under the old SSRC (RFC 3711 §9.1).
        """
        old = self.keys
        again = False
        if old is None or (old.suite, old.send) != (keys.suite, keys.send):
            again = keys.send in self._used
            self._used.add(keys.send)
            self._sealer = _Sealer(keys.suite, keys.send)
        if old is None or old.suite != keys.suite or old.receive != keys.receive:
            # RFC 4568 §7.1.4: packets under way still carry the old key.
            self._former = self._opener
            self._opener = _Opener(keys.suite, keys.receive, before, keys.mki)
        self.keys = keys
        return again

    def forget(self) -> None:
        """No key holds any more."""
        self.keys = self._sealer = self._opener = self._former = None

    def seal(self, packet: bytes) -> bytes | None:
        """An RTP packet as it may leave; None: it may not."""
        return None if self._sealer is None else self._sealer.seal(packet)

    def seal_control(self, packet: bytes) -> bytes | None:
        """An RTCP packet as it may leave; None: it may not."""
        return None if self._sealer is None else self._sealer.seal_control(packet)

    def open_any(self, datagram: bytes) -> bytes:
        """What a datagram holds; nothing if it should have proved itself and could not (A10)."""
        if not datagram or datagram[0] >> 6 != VERSION:
            return datagram
        # RFC 5761 §4: the types of RTCP, where both share a port.
        control = len(datagram) > 1 and 192 <= datagram[1] <= 223
        opened = self.open_control(datagram) if control else self.open(datagram)
        return opened or b""

    def open(self, datagram: bytes) -> bytes | None:
        """The RTP packet in an SRTP packet; None: it is counted and forgotten."""
        packet = None
        if self._opener is not None:
            packet = self._opener.open(datagram)
            if packet is not None:
                self._former = None
            elif self._former is not None:
                packet = self._former.open(datagram)
        return self._judged(packet)

    def open_control(self, datagram: bytes) -> bytes | None:
        """The RTCP packet in an SRTCP packet; None: it is counted and forgotten."""
        packet = None
        if self._opener is not None:
            packet = self._opener.open_control(datagram)
            if packet is None and self._former is not None:
                packet = self._former.open_control(datagram)
        return self._judged(packet)

    def _judged(self, packet: bytes | None) -> bytes | None:
        if packet is None:
            self.refused += 1
            self.in_a_row += 1
        else:
            self.in_a_row = 0
        return packet

    def heard(self, ssrc: int | None, sequence: int) -> Heard | None:
        """How far the SSRC that is heard has come, for whoever goes on in our place."""
        if self._opener is None:
            return None
        before = self._opener.before
        if before is not None and ssrc in (None, before.ssrc):
            return before
        if ssrc is None:
            return None
        return Heard(ssrc, self._opener.index(ssrc, sequence))
