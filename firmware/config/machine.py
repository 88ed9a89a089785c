"""What the machine lacks for these settings, as far as it can be asked without any I/O of ours."""

from collections.abc import Iterable, Iterator

from firmware.codec import CODECS, available
from firmware.config.problems import Wrong


def missing_codecs(names: Iterable[str]) -> Iterator[Wrong]:
    """A note for each codec that no offer can hold: not built yet, or its library is not there."""
    for name in names:
        if available((name,)):
            continue
        package = CODECS[name].package
        if package:
            yield Wrong("note_codec", (("name", name), ("package", package)))
        else:
            yield Wrong("note_codec_unbuilt", (("name", name),))
