"""Boards as data: TOML files, and the loader that opens them."""

from hal.boards.cards import open_card

__all__ = ["open_card"]
