"""Modules that a library loads in case it needs them, kept out of a process that never does.

`asyncio` loads OpenSSL for TLS that we do ourselves, `hashlib` for hashes that Python has besides,
`msgspec` prefers typing_extensions to typing. Each of them goes on without where the module is not
installed, and that is the way taken here: 4.5 MB and 15 ms of a start
(docs/adr/0012-what-is-loaded.md). Whoever imports the module later gets it.
"""

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def left_out(*names: str) -> Iterator[None]:
    """What is imported inside finds these modules missing, unless they are loaded already."""
    missing = [name for name in names if name not in sys.modules]
    # None is Python's own sign for a module that cannot be imported (its manual, "import system").
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type] # the stubs know no None
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
