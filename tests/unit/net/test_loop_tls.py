"""asyncio without TLS, and with it again."""

import subprocess
import sys

import pytest

from tests.support.certificates import self_signed

SCRIPT = """
import sys
from firmware.base.left_out import left_out
with left_out("ssl", "_hashlib"):
    import asyncio
from firmware.net.loop_tls import bring_tls

async def greet(reader, writer):
    writer.write(await reader.readline())
    writer.close()

async def main(cert, key, bring):
    assert "ssl" not in sys.modules
    for _ in range(int(bring)):
        await bring_tls()
    import ssl
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(cert, key)
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=ours)
    theirs = ssl.create_default_context(cafile=cert)
    reader, writer = await asyncio.open_connection(
        *server.sockets[0].getsockname(), ssl=theirs, server_hostname="here")
    writer.write(b"hello\\n")
    print((await reader.readline()).decode().strip())
    writer.close()
    server.close()

asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 20))
"""


@pytest.fixture
def tried(tmp_path):
    """A connection over the loop's own TLS, which was brought as often as is said."""
    files = self_signed(tmp_path, "here")

    def run(times):
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, files.cert, files.key, str(times)],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    return run


@pytest.mark.parametrize("times", [1, 2])
def test_a_library_may_ask_the_loop_for_tls_once_it_was_brought(tried, times):
    done = tried(times)
    assert (done.stdout, done.stderr) == ("hello\n", "")


def test_without_it_there_is_none(tried):
    done = tried(0)
    assert done.stdout == ""
    assert "RuntimeError" in done.stderr
