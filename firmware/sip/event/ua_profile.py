"""ua-profile: where our configuration lies (RFC 6080).

The body names a URL, by content indirection (`message/external-body`, RFC 4483) or, as servers for
plug-and-play do it, as `application/url`. A profile that is sent whole is not taken: fetching and
judging one is provisioning's business.
"""

import re
from typing import Final

from firmware.sip.event.package import BodyError, Document, Package, kind_of, parameter

EXTERNAL: Final = "message/external-body"
PLAIN: Final = "application/url"
# A16: nothing but the web; no blanks, no controls, no user and password before the host.
_URL: Final = re.compile(r"https?://[A-Za-z0-9\-._~\[\]:]+(?:/[!-~]*)?", re.IGNORECASE)
_LONGEST: Final = 2000


class Profile(Document, frozen=True):
    """Where a profile can be fetched: an absolute http or https URL."""

    url: str


class ProfileReader:
    """Each body is the whole truth (RFC 6080 §6.5)."""

    def read(self, content_type: str, body: bytes) -> Profile:
        """The URL.

        Raises:
            BodyError: there is none that may be fetched.
        """
        if kind_of(content_type) == EXTERNAL:
            if parameter(content_type, "access-type").upper() != "URL":
                raise BodyError("not by URL")
            url = parameter(content_type, "url")
        else:
            url = body[: _LONGEST + 3].decode("ascii", "replace")
        url = url.strip()
        if len(url) > _LONGEST or _URL.fullmatch(url) is None:
            raise BodyError("no URL")
        return Profile(url)


PACKAGE: Final = Package("ua-profile", (EXTERNAL, PLAIN), ProfileReader, expires=86400)
