"""Which extended reports two ends of a stream want of each other (RFC 3611 §5). Pure.

We send one kind, VoIP metrics. A description that lists kinds and leaves this one out does not want
it; one without the attribute says nothing, and then a report needs no agreement. So we ask in
offers only where somebody collects the answers: an INVITE with credentials has hardly 28 octets
left before it would have to go by TCP (RFC 3261 §18.1.1).
"""

from firmware.sdp.description import Attribute, Media, Session

_NAME = "rtcp-xr"
_METRICS = "voip-metrics"
WISH = Attribute(_NAME, _METRICS)
"""Please send us yours (RFC 3611 §5.2)."""


def speaks_of_them(session: Session, media: Media) -> bool:
    """Whether a description has the attribute: then its writer understands ours."""
    return _kinds(session, media) is not None


def wants_metrics(session: Session, media: Media) -> bool:
    """Whether VoIP metrics may be sent to its writer."""
    # RFC 3611 §5.1: with the attribute only what it lists, without it they need no signalling (§5).
    kinds = _kinds(session, media)
    return kinds is None or _METRICS in kinds


def _kinds(session: Session, media: Media) -> tuple[str, ...] | None:
    """The kinds listed for a medium, its own list before the session's; None = no list."""
    for attributes in (media.attributes, session.attributes):
        lists = [item.value or "" for item in attributes if item.name == _NAME]
        if lists:
            # RFC 3611 §5.1: `voip-metrics` has no argument, others have one after `=`.
            return tuple(word.partition("=")[0] for each in lists for word in each.split())
    return None
