"""What this device can do, for callers who prefer one that can (RFC 3840 §5, §9)."""

from typing import Final

from firmware.sip.account import Account
from firmware.sip.methods import ALLOWED

_ALWAYS: Final = f';audio;methods="{",".join(ALLOWED)}"'


def capabilities(account: Account) -> str:
    """The parameters of the Contact that a registration says it with.

    RFC 3840 §10, RFC 4504 §2.16: what people here read is one of them, if anybody said it.
    """
    language = f';language="{account.language}"' if account.language else ""
    # RFC 5768 §4: the feature tag, not the option tag, says that we can.
    ice = ";+sip.ice" if account.ice else ""
    return f"{_ALWAYS}{ice}{language}"
