"""TLS for asyncio's own connections, in a phone whose asyncio was loaded without it.

Our TLS lines and their listeners do TLS above their own connections (`tls`), so a phone starts
without asyncio's (`firmware.base.left_out`). A library that asks the loop for TLS calls this first.
"""

import asyncio
import importlib
from asyncio import base_events, selector_events, sslproto
from types import ModuleType


async def bring_tls() -> None:
    """Make `ssl=` of asyncio's connections work; loads OpenSSL off the loop, once."""
    if vars(sslproto)["ssl"] is not None:
        return
    ssl = await asyncio.to_thread(importlib.import_module, "ssl")
    if vars(sslproto)["ssl"] is None:
        _give(ssl)


def _give(ssl: ModuleType) -> None:
    # The errors that it names are looked up when it is loaded; no connection of it can be up yet.
    importlib.reload(sslproto)
    for module in (base_events, selector_events):
        vars(module)["ssl"] = ssl
