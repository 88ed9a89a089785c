"""The event packages we understand as a subscriber, by name.

A row is a function, so that a package nobody uses is not loaded. To add a package: one file here,
one row, one test file.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from firmware.sip.event.package import Package


def _message_summary() -> Package:
    from firmware.sip.event import message_summary  # noqa: PLC0415 - loaded when it is used

    return message_summary.PACKAGE


def _dialog() -> Package:
    from firmware.sip.event import dialog_info  # noqa: PLC0415 - as above

    return dialog_info.PACKAGE


def _reg() -> Package:
    from firmware.sip.event import reg  # noqa: PLC0415 - as above

    return reg.PACKAGE


def _conference() -> Package:
    from firmware.sip.event import conference  # noqa: PLC0415 - as above

    return conference.PACKAGE


def _ua_profile() -> Package:
    from firmware.sip.event import ua_profile  # noqa: PLC0415 - as above

    return ua_profile.PACKAGE


def _presence() -> Package:
    from firmware.sip.event import presence  # noqa: PLC0415 - as above

    return presence.PACKAGE


PACKAGES: Final[Mapping[str, Callable[[], Package]]] = MappingProxyType(
    {
        "conference": _conference,
        "dialog": _dialog,
        "message-summary": _message_summary,
        "presence": _presence,
        "reg": _reg,
        "ua-profile": _ua_profile,
    }
)
"""Package name to the package."""


def package(name: str) -> Package | None:
    """The package of this name, loaded if need be; None if we have none."""
    row = PACKAGES.get(name)
    return None if row is None else row()
