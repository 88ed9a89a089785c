"""Which texts are said neither on a screen nor by the page: how their ids begin."""

OFF_SCREEN = (
    "applies.",
    "board.",
    "check.",
    "config.",
    "ctl.",
    "form.",
    "kind.",
    "ladder.",
    "log.",
    "machine.",
    "refused.",
    "setting.",
    "storage.",
    "type.",
)
