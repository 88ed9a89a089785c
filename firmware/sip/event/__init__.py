"""Event packages (RFC 6665), one a file: what they carry, not how it is asked for."""
