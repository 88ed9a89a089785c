"""The two phones that are measured, started alike: ours and Debian's baresip."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.support.namespace import Namespace, end
from tests.support.wav import write_tone

BIN = Path(sys.executable).parent


class Measured(Protocol):
    """A phone under measurement."""

    name: str
    pid: int
    address: str
    user: str
    codec: str

    def stop(self) -> None:
        """End it."""


_OURS = """\
[phone]
max_calls = 100
[network]
bind = "{address}"
[[line]]
user = "perf"
password = "perf"
server = "{server}"
register = {register}
peers = ["10.99.0.0/16"]
auto_answer = "always"
{more}
[board]
name = "mock"
[audio]
codecs = ["{codec}"]
card = "null"
loop = true
[web]
enabled = false
"""
_BARESIP = """\
poll_method epoll
sip_listen {address}:5060
call_max_calls 100
audio_player aubridge,lo
audio_source aubridge,lo
audio_alert aubridge,alert
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels {channels}
auplay_channels {channels}
opus_stereo no
opus_sprop_stereo no
opus_bitrate 32000
opus_inbandfec yes
opus_packet_loss 5
opus_complexity 5
opus_application voip
audio_txmode thread
audio_buffer 20-160
jitter_buffer_delay 5-10
net_interface {address}
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aubridge.so
module_app account.so
module_app menu.so
"""


_FULL_NAMES = {"PCMU": "PCMU/8000/1", "G722": "G722/16000/1", "OPUS": "opus/48000/2"}


class Ours:
    """deskphone."""

    name = "deskphone"
    user = "perf"

    def __init__(
        self,
        namespace: Namespace,
        server: str,
        codec: str,
        *,
        register: bool,
        more: str = "",
        program: tuple[str, ...] = (str(BIN / "deskphone"),),
    ) -> None:
        """`more` are further rows of the line; `program` takes what `deskphone` takes."""
        self._folder = Path(tempfile.mkdtemp(prefix="dpb-"))
        self.address = namespace.party()
        config = self._folder / "deskphone.toml"
        config.write_text(
            _OURS.format(
                address=self.address,
                server=server,
                codec=codec.lower(),
                register=str(register).lower(),
                more=more,
            )
        )
        self.codec = codec
        self.started = time.perf_counter()
        self._process = namespace.popen(
            *(*program, "run", "-c", str(config)),
            *("--control", str(self._folder / "c.sock")),
            log=self._folder / "log",
        )
        self.pid = self._process.pid

    def log(self) -> str:
        """What it said."""
        return (self._folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        end(self._process)
        shutil.rmtree(self._folder)


class Baresip:
    """baresip from Debian, echoing through its aubridge."""

    name = "baresip"
    user = "perf"

    def __init__(self, namespace: Namespace, server: str, codec: str, *, register: bool) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dpb-"))
        self.address = namespace.party()
        full = _FULL_NAMES[codec]
        rate, channels = int(full.split("/")[1]), int(full[-1])
        write_tone(self._folder / "tone.wav", 440, rate, 1, channels=channels)
        (self._folder / "config").write_text(
            _BARESIP.format(address=self.address, rate=rate, channels=channels)
        )
        interval = 600 if register else 0
        (self._folder / "accounts").write_text(
            f"<sip:perf@{server}>;auth_pass=perf;regint={interval};answermode=auto;"
            f"audio_codecs={full}\n"
        )
        self.codec = codec
        self.started = time.perf_counter()
        self._process = namespace.popen(
            "baresip", "-f", str(self._folder), log=self._folder / "log", cwd=self._folder
        )
        self.pid = self._process.pid

    def log(self) -> str:
        """What it said."""
        return (self._folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        end(self._process)
        shutil.rmtree(self._folder)


PHONES: tuple[Callable[..., Measured], ...] = (Ours, Baresip)
