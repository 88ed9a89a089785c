"""Arithmetic on samples: tones, mixing, levels. Pure."""
