"""What can be wrong with a session description."""


class SdpError(ValueError):
    """Octets that are no session description; the text says which line and why."""
