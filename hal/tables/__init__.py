"""The tables of a board file, each read into the part that it describes. Pure.

A reader is given its table and what it needs besides; what is wrong goes to the table's problems.
Which tables there are, and what becomes of the problems: `hal.boards.loader`.
"""
