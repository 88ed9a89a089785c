"""The settings: schema, defaults, validation, change plan. Pure.

`load` and `parse` make `Settings` or raise `ConfigErrors` with every fault of the file at once.
"""

from firmware.config.forms import split_server
from firmware.config.load import Examination, examine, examine_bytes, examine_file, load, parse
from firmware.config.problems import ConfigErrors, Problem
from firmware.config.rules import line_blocked, plays_auto_answer_tone
from firmware.config.schema import Settings

__all__ = [
    "ConfigErrors",
    "Examination",
    "Problem",
    "Settings",
    "examine",
    "examine_bytes",
    "examine_file",
    "line_blocked",
    "load",
    "parse",
    "plays_auto_answer_tone",
    "split_server",
]
