"""The settings as a frozen tree; attribute names are the keys of deskphone.toml.

Defaults are the values a person need not write. How a value is checked, described and applied
stands beside it in `firmware.config`.
"""

from pathlib import Path
from typing import Final

from msgspec import Struct, field

from firmware.base.values import replace
from hal.parts import TABLES

Part = dict[str, object]
"""A table of a board file as it was written; what its keys must be the board's reader knows."""


_SECRETS: Final = {"password", "turn_password", "aka_k", "aka_op", "aka_opc"}


class Table(Struct, frozen=True):
    """A table of the file; its secrets are not among what is shown of it (A24)."""

    def __repr__(self) -> str:
        names = (name for name in self.__struct_fields__ if name not in _SECRETS)
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"


class PhoneSettings(Table, frozen=True):
    """`[phone]`."""

    country: str = "US"
    language: str = "en"
    max_calls: int = 8
    emergency: tuple[str, ...] = ()
    not_emergency: tuple[str, ...] = ()
    transfer_on_hang_up: bool = True
    conference_on_leave: str = "join"
    never_sent_to: tuple[str, ...] = ()
    may_be_sent_to: tuple[str, ...] = ()


class TimeSettings(Table, frozen=True):
    """`[time]`."""

    zone: str = "UTC"
    ntp: tuple[str, ...] = ()


class WifiSettings(Table, frozen=True):
    """`[network.wifi]`."""

    ssid: str = ""
    password: str = ""


class ListenTlsSettings(Table, frozen=True):
    """`[network.tls]`; without a certificate nobody is listened to."""

    cert: str = ""
    key: str = ""
    ca: str = ""
    port: int = 5061


class NetworkSettings(Table, frozen=True):
    """`[network]`; `bind` empty = every address."""

    bind: tuple[str, ...] = ()
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (40000, 40999)
    dscp_sip: int = 24
    dscp_rtp: int = 46
    nat: tuple[str, ...] = ()
    stun: str = ""
    turn: str = ""
    turn_user: str = ""
    turn_password: str = ""
    turn_transport: str = "udp"
    tls: ListenTlsSettings = field(default_factory=ListenTlsSettings)
    wifi: WifiSettings = field(default_factory=WifiSettings)


class TlsSettings(Table, frozen=True):
    """`[line.tls]`."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    verify: bool = True


class LineSettings(Table, frozen=True):
    """`[[line]]`; `name` is unique in the file (`user@server` if it is not given)."""

    user: str
    server: str
    password: str = ""
    name: str = ""
    display_name: str = ""
    auth_user: str = ""
    realm: str = ""
    proxy: str = ""
    proxies: tuple[str, ...] = ()
    registrars: tuple[str, ...] = ()
    aka_k: str = ""
    aka_op: str = ""
    aka_opc: str = ""
    aka_amf: str = "0000"
    expires: int = 3600
    recheck: int = 50
    transport: str = "udp"
    ws_path: str = "/"
    register: bool = True
    peers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    accept_any_user: bool = False
    auto_answer: str = "never"
    auto_answer_tone: bool | None = None
    anonymous: bool = False
    session_expires: int = 1800
    redirects: bool = True
    redirect_to: tuple[str, ...] = ()
    click_to_dial: bool = False
    gruu: bool = False
    dtmf: str = "auto"
    reject_anonymous: bool = False
    watch_registration: bool = False
    pickup: str = ""
    mwi: bool = False
    voicemail: str = ""
    watch: tuple[str, ...] = ()
    buddies: tuple[str, ...] = ()
    publish_presence: bool = False
    publish_calls: bool = False
    quality_reports: str = ""
    srtp: str = "off"
    srtp_keys: str = "auto"
    ice: str = "off"
    symmetric_rtp: bool = False
    tls: TlsSettings = field(default_factory=TlsSettings)


class BoardSettings(Table, frozen=True):
    """`[board]`: which one, and what of its file is different on this phone."""

    name: str = "mock"
    without: tuple[str, ...] = ()
    gpio: Part = field(default_factory=dict)
    keypad: Part = field(default_factory=dict)
    buttons: Part = field(default_factory=dict)
    hook: Part = field(default_factory=dict)
    rotary: Part = field(default_factory=dict)
    display: Part = field(default_factory=dict)
    lamps: Part = field(default_factory=dict)
    ringer: Part = field(default_factory=dict)
    headset: Part = field(default_factory=dict)
    serial: Part = field(default_factory=dict)
    usb: Part = field(default_factory=dict)
    panel: Part = field(default_factory=dict)
    cards: Part = field(default_factory=dict)
    mixer: Part = field(default_factory=dict)

    @property
    def own(self) -> Part:
        """The tables that are different, by name."""
        return {table: part for table in TABLES if (part := getattr(self, table))}

    def beside(self, folder: Path) -> "BoardSettings":
        """This board where the settings file lies in `folder`: its path is as seen from there."""
        is_file = "/" in self.name or self.name.endswith(".toml")
        return replace(self, name=str(folder / self.name)) if is_file else self


class PathSettings(Table, frozen=True):
    """`[audio.ringer]`, and what its siblings have too; `card` overrides `audio.card`."""

    card: str = ""
    volume: int = 70


class TalkPathSettings(PathSettings, frozen=True):
    """`[audio.handset]` and headset: a path with a microphone. Gains are in dB."""

    gain: int = 0
    sidetone: int = 0
    echo_cancellation: bool = False
    noise_suppression: bool = False
    automatic_gain: bool = False


class SpeakerSettings(TalkPathSettings, frozen=True):
    """`[audio.speaker]`: its microphone hears its loudspeaker."""

    echo_cancellation: bool = True


class AudioSettings(Table, frozen=True):
    """`[audio]`; `card` empty = what the board has."""

    codecs: tuple[str, ...] = ("opus", "g722", "pcmu", "pcma")
    card: str = ""
    play: str = ""
    record: str = ""
    loop: bool = False
    leave_out_silence: bool = False
    handset: TalkPathSettings = field(default_factory=TalkPathSettings)
    headset: TalkPathSettings = field(default_factory=TalkPathSettings)
    speaker: SpeakerSettings = field(default_factory=SpeakerSettings)
    ringer: PathSettings = field(default_factory=PathSettings)


class RecordingSettings(Table, frozen=True):
    """`[recording]`; `longest` in minutes, `keep_free` in megabytes."""

    calls: str = "asked"
    tone: bool = True
    longest: int = 120
    keep_free: int = 200


class WebSettings(Table, frozen=True):
    """`[web]`."""

    enabled: bool = True
    listen: str = "127.0.0.1"
    port: int = 8080


class ControlSettings(Table, frozen=True):
    """`[control]`; `path` empty = the default place."""

    path: str = ""


class Settings(Table, frozen=True):
    """The whole file."""

    phone: PhoneSettings = field(default_factory=PhoneSettings)
    time: TimeSettings = field(default_factory=TimeSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    lines: tuple[LineSettings, ...] = ()
    board: BoardSettings = field(default_factory=BoardSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    web: WebSettings = field(default_factory=WebSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
