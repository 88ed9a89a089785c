"""RTP and RTCP packets, sequence numbers and the jitter buffer. Pure."""
