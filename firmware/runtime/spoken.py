"""The log as people read it: a phrase among the messages is said in the phone's language.

Code logs `phrase("log.…")`; without this formatter (in a test, say) the log shows the text's id.
"""

import copy
import logging

from firmware.base.phrase import Phrase
from firmware.runtime.log_lines import LineFormatter
from firmware.ui.text import Texts


class SpokenFormatter(LineFormatter):
    """Gives words to phrases; the words are loaded when the first one comes."""

    texts: Texts | None = None

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, Phrase):
            if self.texts is None:
                self.texts = Texts.load()
            said = copy.copy(record)
            said.msg = self.texts.phrase(record.msg)
            return super().format(said)
        return super().format(record)


def speak(texts: Texts) -> None:
    """Log in this language from now on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, SpokenFormatter):
            handler.formatter.texts = texts
