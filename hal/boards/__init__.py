"""Boards as data: TOML files, and the loader that opens them.

`load_board(name_or_path)` reads, `open_board(spec, post)` opens keys, screen, lamps and bell in
the phone process, `open_card(spec, descriptors, rate)` opens a sound card in the audio process.
"""

from hal.boards.cards import open_card
from hal.boards.loader import board_names, load_board
from hal.boards.opening import open_board

__all__ = ["board_names", "load_board", "open_board", "open_card"]
