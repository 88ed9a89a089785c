"""Call transfer: REFER sent and received (RFC 3515, RFC 5589)."""
