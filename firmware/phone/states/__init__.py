"""One handler per state of the phone."""
