"""What the machine lacks for these settings, as far as it can be asked without any I/O of ours."""

from collections.abc import Iterable, Iterator

from firmware.base.values import replace
from firmware.codec import CODECS, available
from firmware.config.load import Examination
from firmware.config.problems import Wrong


def with_codecs(found: Examination) -> Examination:
    """A file that leaves no codec for a call has a fault more."""
    if available(found.draft.audio.codecs) or found.document is None:
        return found
    fault = found.place("audio.codecs", Wrong("no_codec"))
    if fault.key in {problem.key for problem in found.problems}:
        return found
    return replace(found, settings=None, problems=(*found.problems, fault))


def missing_codecs(names: Iterable[str]) -> Iterator[Wrong]:
    """A note for each codec that no offer can hold, because its library is not there."""
    for name in names:
        if not available((name,)):
            yield Wrong("note_codec", (("name", name), ("package", CODECS[name].package)))
