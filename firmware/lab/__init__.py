"""The practice PBX, built on our own SIP core."""
