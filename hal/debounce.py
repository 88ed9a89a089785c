"""Contact bounce becomes one edge: act on the leading edge, then lock out and re-read. Pure."""
