"""One subscription, either side: the machines below the usages that keep many."""
