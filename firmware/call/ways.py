"""What a call's descriptions say of the ways between both ends, as long as it goes on (RFC 8839).

    first offer or answer   all our candidates; who offered first controls
    a way is nominated      from then on our end of it alone
    restart, ours or theirs another name and password, and all candidates again

Nothing here is loaded for a phone without such a line: what it works with comes as a value, and
what has to be looked up is found by whoever made that.
"""

from typing import TYPE_CHECKING

from firmware.base.values import replace
from firmware.call.media import Media, Way
from firmware.sdp.description import Session
from firmware.sdp.negotiate import LocalMedia, Negotiated

if TYPE_CHECKING:
    from firmware.sdp.ice import Terms


def settled(local: LocalMedia, way: Way, *, controls: bool) -> LocalMedia:
    """Our place once a way is nominated."""
    if local.ice is None or local.ice.credentials != way.ours:
        return local
    partners = way.theirs if controls else ()
    return replace(local, ice=replace(local.ice, selected=way.local, partners=partners))


def restarted(local: LocalMedia) -> LocalMedia:
    """Our place under another name."""
    return local if local.ice is None else replace(local, ice=local.ice.restarted)


def to_offer(local: LocalMedia, media: Media | None, *, controlling: bool | None) -> LocalMedia:
    """Our place as an offer has it."""
    if local.ice is None or media is None or media.ways is not None:
        return local
    if controlling is None:
        # RFC 8839 §4.3.3: the far end does without, and so does this call.
        return replace(local.shown, ice=None)
    # RFC 8839 §4.4.3.1: an answer without was unexpected; the next offer begins anew.
    return restarted(local)


def to_answer(local: LocalMedia, media: Media | None, offer: Session) -> LocalMedia:
    """Our place as an answer has it: a far end that starts again finds us under another name."""
    if local.ice is None or media is None or media.ways is None:
        return local
    known = media.ways.theirs.credentials
    everything = (offer.attributes, *(medium.attributes for medium in offer.media))
    said = {
        (one.name, one.value)
        for attributes in everything
        for one in attributes
        if one.name in ("ice-ufrag", "ice-pwd")
    }
    stays = {("ice-ufrag", known.ufrag), ("ice-pwd", known.password)} & said
    # RFC 8839 §4.4.1.1.1: both are others.
    return restarted(local) if said and not stays else local


def terms(
    local: LocalMedia, agreed: Negotiated, *, controlling: bool | None, offered: bool
) -> "Terms | None":
    """What finding a way needs; None where the far end does without."""
    if local.ice is None or agreed.ice is None:
        return None
    # RFC 8445 §6.1.1: who offered first, and whoever has a lite far end; it stays so.
    controls = agreed.ice.lite or (offered if controlling is None else controlling)
    return local.ice.terms(agreed.ice, controlling=controls, muxed=agreed.muxed)
