"""Codecs as people know them; SDP and the control API have names of their own."""

_USUAL = {"PCMU": "G.711 µ", "PCMA": "G.711 A", "G722": "G.722", "OPUS": "Opus"}


def codec_name(encoding: str) -> str:
    """The usual name of an encoding of SDP; one without another keeps its own."""
    return _USUAL.get(encoding.upper(), encoding)
