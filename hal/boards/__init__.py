"""Boards as data: TOML files, and the loader that opens them."""
