"""Log lines that nobody can forge: what came from the network cannot begin a new one (A23)."""

import logging
import re

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, line and paragraph separators, reversals of direction, lone surrogates."""
_LONGEST = 2000


class LineFormatter(logging.Formatter):
    """Writes each message on one line of printable characters; tracebacks are ours and stay."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line, without the traceback."""
        text = _UNPRINTABLE.sub(_escaped, super().formatMessage(record))
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _escaped(found: re.Match[str]) -> str:
    # Not by a codec: while the interpreter ends, none is found that was not used before.
    letter = found.group()
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(letter)
    return short or (f"\\x{ord(letter):02x}" if letter < "\u0100" else f"\\u{ord(letter):04x}")
