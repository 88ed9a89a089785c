"""What keeps the ways to our registrars open: keep-alives and probes."""
