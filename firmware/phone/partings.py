"""Why the phone itself ends a call: Reason values for the far end (RFC 3326 §2) and the ladder.

A call that a person ends gives no reason.
"""

from typing import Final

from firmware.sip.headers import Reason

NO_MEDIA: Final = str(Reason("SIP", 408, "No media received"))
NO_CODEC: Final = str(Reason("SIP", 488, "No codec in common"))
NO_PORT: Final = str(Reason("SIP", 503, "No audio port"))
NOT_MOVED: Final = str(Reason("SIP", 480, "Network changed"))
