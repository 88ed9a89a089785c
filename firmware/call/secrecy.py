"""What a call may do for its secrecy: the line's policy, and where its own keys come from.

Our SRTP keys are not kept: each is made of the call's seed when it is needed, for one suite and one
generation. So whoever answers an offer twice answers the same, and a new generation (another
address of ours, another far end) has other keys for all suites.
"""

import hmac

from msgspec import Struct

from firmware.base.suites import SUITES
from firmware.base.values import replace
from firmware.sdp.keying import Handshake, Keying, Means, Policy


class Material(Struct, frozen=True):
    """What the edge gives a call: 32 random octets, and our certificate's fingerprint.

    Either may be empty: then there are no keys in SDP, no DTLS.
    """

    seed: bytes = b""
    fingerprint: str = ""

    def __repr__(self) -> str:
        """Without the seed (A24)."""
        return f"Material({self.fingerprint})"


NO_MATERIAL = Material()


class Secrecy(Struct, frozen=True):
    """The rules of one call; `protected` = its signalling travels encrypted.

    `inline` = our keys may stand in SDP; `generation` counts our keys.
    """

    policy: Policy = Policy.OFF
    material: Material = NO_MATERIAL
    inline: bool = False
    handshake: bool = False
    protected: bool = False
    generation: int = 0

    def means(self, current: Keying | None, profile: str) -> Means:
        """What an offer or answer may use; `current` and `profile` are what holds now."""
        if self.policy is Policy.OFF:
            return Means()
        return Means(
            policy=self.policy,
            keys=self._keys() if self.inline and self.material.seed else (),
            fingerprint=self.material.fingerprint if self.handshake else "",
            current=current,
            profile=profile,
        )

    def rekeyed(self) -> "Secrecy":
        """The same with other keys of our own."""
        return replace(self, generation=self.generation + 1)

    def hides(self, keying: Keying) -> bool:
        """Whether nobody who listens on the way can have the keys."""
        return self.protected or isinstance(keying, Handshake)

    def _keys(self) -> tuple[tuple[str, bytes], ...]:
        return tuple((name, self._key(name, suite.octets)) for name, suite in SUITES.items())

    def _key(self, name: str, octets: int) -> bytes:
        label = f"{name} {self.generation}".encode()
        return hmac.digest(self.material.seed, label, "sha512")[:octets]


IN_THE_CLEAR = Secrecy()


def secrecy_of(
    srtp: str, ways: str, material: Material, *, protected: bool, emergency: bool
) -> Secrecy:
    """The rules for a call on a line with these settings (`srtp`, `srtp_keys`).

    An emergency call is encrypted if it can be, and is made in any case.
    """
    policy = Policy(srtp)
    if emergency and policy is Policy.REQUIRE:
        policy = Policy.PREFER
    return Secrecy(
        policy=policy,
        material=material,
        # RFC 4568 §8.3, RFC 8643 §4: keys in SDP want signalling that nobody else can read.
        inline=ways == "sdes" or (ways == "auto" and protected),
        handshake=ways in ("dtls", "auto"),
        protected=protected,
    )
