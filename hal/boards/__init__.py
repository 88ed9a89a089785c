"""Boards as data: TOML files, and the modules that open them.

`loader.load_board(name_or_path)` reads, `opening.open_board(spec, post)` opens keys, screen, lamps
and bell in the phone process, `cards.open_card(spec, descriptors, rate)` opens a sound card in the
audio process. Nothing is imported here: the audio process has no use for keys and TOML.
"""
