"""Sound cards: one PCM port and its siblings."""
