"""One RTP stream: what is sent, what is expected, what was counted. Pure."""
