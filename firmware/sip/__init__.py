"""The SIP user agent, sans-IO: bytes and moments in, effects and notifications out."""
