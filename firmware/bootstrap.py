"""Composition root of the phone: settings to a wired, running phone."""
