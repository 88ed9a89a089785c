"""The parts that a board may have: the tables of a board file. Pure, and of no size.

The settings know these names and nothing else of boards, so that reading them loads no hardware.
"""

TABLES = (
    *("gpio", "keypad", "buttons", "hook", "rotary", "display", "lamps", "ringer", "headset"),
    *("serial", "usb", "panel", "cards", "mixer"),
)
