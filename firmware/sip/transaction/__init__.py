"""The four transaction machines of RFC 3261 §17 with RFC 6026, as tables."""
