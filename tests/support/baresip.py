"""Debian's baresip as the far end: a tone for its microphone, a WAV of what it hears.

It is driven over its ctrl_tcp module: netstrings with a JSON object inside.
"""

import json
import socket
from pathlib import Path

import pytest

from tests.support.certificates import Certificate
from tests.support.namespace import Namespace, end
from tests.support.phone import Phone
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone, write_tone

_CONFIG = """\
poll_method epoll
sip_listen {address}:5060
call_local_timeout 60
call_max_calls 8
audio_player aubridge,heard
audio_source aufile,{tone}
audio_alert aubridge,alert
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels {channels}
auplay_channels {channels}
opus_bitrate 32000
opus_inbandfec yes
opus_packet_loss 10
audio_txmode thread
audio_buffer 20-160
audio_telev_pt 101
rtp_tos 184
rtcp_mux {mux}
jitter_buffer_delay 5-10
rtp_timeout 0
net_interface {address}
module_path /usr/lib/baresip/modules
{modules}
module_app account.so
module_app contact.so
module_app menu.so
ctrl_tcp_listen {address}:4444
snd_path {folder}
"""
_MODULES = ("g711.so", "g722.so", "aufile.so", "aubridge.so", "sndfile.so", "ctrl_tcp.so")
_CODECS = ("opus.so", "l16.so")
_ENCRYPTION = ("srtp.so", "dtls_srtp.so")
_WAYS = ("stun.so", "turn.so", "ice.so")
CODECS = {
    "PCMU": ("PCMU/8000/1", 8000),
    "PCMA": ("PCMA/8000/1", 8000),
    "G722": ("G722/16000/1", 16000),
    "OPUS": ("opus/48000/2", 48000),
    "L16": ("L16/16000/1", 16000),
}


class Baresip:
    """A running baresip in a namespace."""

    def __init__(
        self,
        namespace: Namespace,
        folder: Path,
        account: str,
        *,
        codec: str = "PCMU",
        tone_hz: float = 1000.0,
        answers: bool = True,
        certificate: Certificate | None = None,
        ca: Path | None = None,
        contact: str = "",
        mediaenc: str = "",
        mux: bool = False,
        nat: str = "",
        dtmf: str = "rtpevent",
    ) -> None:
        """With a certificate it takes TLS on port 5061; with `ca` it verifies whom it calls.

        `mediaenc` is its word for what it encrypts media by, `mux` lets RTCP share the port, `nat`
        is what its account says of ways through a NAT, `dtmf` how it sends keys.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.address = namespace.party()
        name, rate = CODECS[codec]
        channels = int(name[-1])
        write_tone(folder / "tone.wav", tone_hz, rate, 60, channels=channels)
        (folder / "config").write_text(
            self._secure_rows(certificate, ca)
            + _CONFIG.format(
                address=self.address,
                tone=folder / "tone.wav",
                folder=folder,
                rate=rate,
                channels=channels,
                modules="\n".join(
                    f"module {module}" for module in _MODULES + _CODECS + _ENCRYPTION + _WAYS
                ),
                mux="yes" if mux else "no",
            )
        )
        mode = "auto" if answers else "manual"
        line = f"{account};audio_codecs={name};answermode={mode};dtmfmode={dtmf}"
        line += f";mediaenc={mediaenc}" if mediaenc else ""
        line += f";{nat}\n" if nat else "\n"
        (folder / "accounts").write_text(line.replace("{address}", self.address))
        (folder / "contacts").write_text(contact and f'"Friend" <{contact}>\n')
        self.process = namespace.popen(
            "baresip", "-f", str(folder), "-v", log=folder / "baresip.log", cwd=folder
        )
        self._socket = namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(5)
        self._buffer = b""
        wait_for("baresip's control port", self._connect, 10)
        self.events: list[dict[str, object]] = []

    def _secure_rows(self, certificate: Certificate | None, ca: Path | None) -> str:
        rows = ""
        if certificate is not None:
            both = self._folder / "own.pem"
            both.write_bytes(certificate.cert.read_bytes() + certificate.key.read_bytes())
            rows += f"sip_certificate {both}\n"
        if ca is not None:
            rows += f"sip_cafile {ca}\nsip_verify_server yes\n"
        return rows

    def command(self, command: str, params: str = "") -> str:
        """Run one of its commands; returns its answer."""
        text = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self._socket.sendall(b"%d:%s," % (len(text), text))
        while True:
            message = self._next()
            if message.get("response"):
                return str(message.get("data", ""))
            self.events.append(message)

    def wait_event(self, kind: str, seconds: float = 10.0) -> dict[str, object]:
        """The next event of a type, e.g. `CALL_ESTABLISHED`; earlier ones count too."""

        def look() -> dict[str, object] | None:
            for index, event in enumerate(self.events):
                if event.get("type") == kind:
                    return self.events.pop(index)
            self._socket.settimeout(0.2)
            try:
                self.events.append(self._next())
            except TimeoutError:
                pass
            finally:
                self._socket.settimeout(5)
            return None

        return wait_for(f"baresip's {kind}\n{self.log()[-2000:]}", look, seconds)

    def wait_registered(self) -> None:
        """Until its registrar has said 200 (that may have been before we could listen)."""
        wait_for("baresip's registration", lambda: "200 OK" in self.log(), 10)

    def log(self) -> str:
        """What it said."""
        return (self._folder / "baresip.log").read_text(errors="replace")

    def quit(self) -> Path:
        """Hang up and end it; returns the WAV of what it heard, which is complete only now.

        Its recorder hears nothing any more after a re-INVITE.
        """
        self.command("hangupall")
        self.command("quit")
        self._socket.close()
        self.process.wait(10)
        heard = sorted(self._folder.glob("dump-*-dec.wav"))
        assert heard, f"baresip wrote no sound:\n{self.log()}"
        return heard[-1]

    def close(self) -> None:
        """End it whatever it does."""
        self._socket.close()
        end(self.process)

    def _connect(self) -> bool:
        assert self.process.poll() is None, self.log()
        return self._socket.connect_ex((self.address, 4444)) in (0, 106)

    def _next(self) -> dict[str, object]:
        while b":" not in self._buffer:
            self._fill()
        size, _, rest = self._buffer.partition(b":")
        while len(rest) < int(size) + 1:
            self._fill()
            rest = self._buffer.partition(b":")[2]
        self._buffer = rest[int(size) + 1 :]
        message: dict[str, object] = json.loads(rest[: int(size)])
        return message

    def _fill(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError(f"baresip is gone:\n{self.log()}")
        self._buffer += data


def both_heard(phone: Phone, far: Baresip) -> None:
    """Each side has heard the other one's tone; the call ends with it."""
    enough = phone.status().calls[0].duration + 2.5
    phone.wait("two seconds of sound", lambda status: status.calls[0].duration > enough)
    there = loudest_tone(far.quit())
    phone.wait("the end of the call", lambda status: not status.calls)
    phone.close()
    here = loudest_tone(phone.heard)
    for (hertz, _, purity), tone in ((there, 440), (here, 1000)):
        assert hertz == pytest.approx(tone, rel=0.01)
        assert purity > 0.9
