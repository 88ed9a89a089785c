"""Files, sqlite and the one writer thread."""
