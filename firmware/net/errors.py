"""Errors of the network edge, translated once from the operating system's words."""


class NetError(Exception):
    """Root of the network edge's errors."""


class PortTakenError(NetError, OSError):
    """A port is in use; the message says by whom, as far as this user may know."""


class ListenError(NetError, OSError):
    """An address cannot be listened on, for another reason than somebody else on the port."""


class NoMediaPortError(NetError, OSError):
    """Every port of the configured range is taken, or the address cannot be bound."""
