"""What cards without a clock of their own have in common: the engine's deadlines pace them."""

from collections.abc import Collection

from hal.ports import Pacing


class Unpaced:
    """Never waits, whoever leads, and has nothing to come to rest."""

    __slots__ = ()

    @property
    def pacing(self) -> Pacing:
        """See `hal.ports.PcmPort`."""
        return Pacing.NONE

    @property
    def drift_ppm(self) -> float | None:
        """See `hal.ports.PcmPort`."""
        return None

    @property
    def remark(self) -> str:
        """See `hal.ports.PcmPort`."""
        return ""

    def lead(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        """See `hal.ports.PcmPort`."""

    def rest(self) -> None:
        """See `hal.ports.PcmPort`."""

    def heard_on(self, paths: Collection[str]) -> None:
        """See `hal.ports.PcmPort`."""

    def forget(self) -> None:
        """See `hal.ports.PcmPort`."""
