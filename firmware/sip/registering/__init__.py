"""One registration of a line: what it asks, is granted, and waits for (RFC 3261 §10)."""
