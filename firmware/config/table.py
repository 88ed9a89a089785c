"""Every setting: its kind, sentence, unit, and when a change of it takes effect.

The validation, the manual (docs/settings.md), the notes of `deskphone check` and the change plan
come from this table; the defaults stand in `firmware.config.schema`. A new setting is a field
there and a row here.
"""

import enum
from dataclasses import dataclass, fields, is_dataclass

from firmware.config import forms
from firmware.config.kinds import Choice, Flag, Kind, Many, PortRange, Text, Whole
from firmware.config.schema import LineSettings, Settings


class Applies(enum.Enum):
    """When a changed value takes effect on a running phone; the value says it to a person."""

    NOW = "at once"
    NEXT_CALL = "from the next call on"
    LINE = "at once; the line registers anew"
    IDLE = "as soon as no call is up"
    RESTART = "at the next start"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the file; `key` is its path, with `line` for the `[[line]]` list."""

    key: str
    kind: Kind
    sentence: str
    applies: Applies
    unit: str = ""
    secret: bool = False
    required: bool = False
    works: bool = True
    """Whether this version does something with it; else `check` says so."""

    @property
    def default(self) -> object:
        """What holds when the key is not written; None if it must be, or depends on others."""
        if self.required:
            return None
        value: object = Settings(lines=(_MODEL_LINE,))
        for part in self.key.split("."):
            value = (
                value.lines[0]
                if part == "line" and isinstance(value, Settings)
                else (getattr(value, part))
            )
        return value


_MODEL_LINE = LineSettings(user="", server="")

_NOW, _NEXT, _LINE = Applies.NOW, Applies.NEXT_CALL, Applies.LINE
_IDLE, _RESTART = Applies.IDLE, Applies.RESTART
_FLAG = Flag()
_VOLUME = Whole(0, 100)
_TEXT = Text()
_FILE = Text(limit=1024)
CODECS = ("opus", "g722", "pcmu", "pcma")
TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")

_GENERAL = (
    Setting("phone.country", Text(forms.COUNTRY, may_be_empty=False),
            "Sets tones and emergency numbers.", _NOW),
    Setting("phone.language", Text(forms.LANGUAGE, may_be_empty=False),
            "Language of screen and page.", _NOW),
    Setting("phone.max_calls", Whole(1, 100),
            "So many calls at once; further callers hear busy (486).", _NEXT, "calls"),
    Setting("phone.emergency", Many(Text(forms.EMERGENCY, may_be_empty=False)),
            "Emergency numbers besides the country's own.", _NOW),
    Setting("phone.not_emergency", Many(Text(forms.EMERGENCY, may_be_empty=False)),
            "The country's emergency numbers that are ordinary numbers here.", _NOW),
    Setting("time.zone", Text(forms.ZONE, may_be_empty=False),
            "Zone of the clock on the screen.", _NOW),
    Setting("time.ntp", Many(Text(forms.HOST, may_be_empty=False)),
            "Time servers; empty leaves the clock to the system.", _NOW, works=False),
    Setting("network.bind", Many(Text(forms.ADDRESS, may_be_empty=False), or_one=True),
            "Own addresses for SIP and media; empty means all.", _RESTART),
    Setting("network.sip_port", Whole(0, 65535),
            "Own SIP port, UDP and TCP; 0 takes any free one.", _RESTART, "port"),
    Setting("network.rtp_ports", PortRange(), "First and last port for media.", _NEXT, "ports"),
    Setting("network.wifi.ssid", Text(forms.SSID), "Wi-Fi network; empty for none.", _NOW,
            works=False),
    Setting("network.wifi.password", Text(forms.WIFI_PASSWORD), "Wi-Fi password.", _NOW,
            secret=True, works=False),
)  # fmt: skip

_LINE_ROWS = (
    Setting("line.user", Text(forms.USER, may_be_empty=False, sample="101"),
            "User or extension: what stands before the @ of its address.", _LINE, required=True),
    Setting("line.server", Text(forms.SERVER, sample="pbx.example"),
            "The PBX: host, host:port, or a domain that is looked up by SRV.", _LINE,
            required=True),
    Setting("line.password", _TEXT, "Password for the server.", _LINE, secret=True),
    Setting("line.name", Text(limit=64), "Name of the line here; user@server if not given.",
            _LINE),
    Setting("line.display_name", _TEXT, "Name shown to the person called.", _NEXT),
    Setting("line.auth_user", _TEXT, "User for the password check, if it is not `user`.", _LINE),
    Setting("line.realm", _TEXT, "Answer password challenges of this realm only; empty for any.",
            _LINE),
    Setting("line.proxy", Text(forms.SERVER), "Send everything through this host.", _LINE),
    Setting("line.expires", Whole(30, 86400), "How long a registration is asked for.", _LINE,
            "seconds"),
    Setting("line.transport", Choice(TRANSPORTS), "How SIP travels to the server.", _LINE),
    Setting("line.register", _FLAG, "Whether the line registers; without, `peers` may call.",
            _LINE),
    Setting("line.peers", Many(Text(forms.NETWORK, may_be_empty=False)),
            "Addresses or networks trusted besides the server.", _NOW),
    Setting("line.numbers", Many(Text(forms.NUMBER_GLOB, may_be_empty=False), limit=256),
            "Other numbers that ring this line, such as direct dial-in numbers.", _NOW),
    Setting("line.accept_any_user", _FLAG, "Ring for every number the server sends here.", _NOW),
    Setting("line.auto_answer", Choice(("never", "trusted", "always")),
            "Answer by itself: never, when a trusted caller asks for it, or always.", _NOW),
    Setting("line.auto_answer_tone", _FLAG,
            "Sound a tone before answering by itself; if not given, true for `trusted` and false "
            "for `always`.", _NOW),
    Setting("line.srtp", Choice(("off", "prefer", "require")), "Encryption of the media.", _LINE),
    Setting("line.tls.ca", _FILE, "File with the authority that signed the server's certificate; "
            "empty for the system's.", _LINE),
    Setting("line.tls.cert", _FILE, "Client certificate file.", _LINE),
    Setting("line.tls.key", _FILE, "Key file of the client certificate.", _LINE),
    Setting("line.tls.server_name", Text(forms.HOST), "Name the certificate must carry, if it is "
            "not the server's.", _LINE),
    Setting("line.tls.verify", _FLAG, "Whether the server's certificate is verified.", _LINE),
)  # fmt: skip

_DEVICES = (
    Setting("board.name", Text(forms.BOARD, may_be_empty=False),
            "The board this phone is built on.", _RESTART),
    Setting("audio.codecs", Many(Choice(CODECS), may_be_empty=False),
            "Speech codecs, the preferred one first.", _NEXT),
    Setting("audio.card", Choice(("", "alsa", "file", "browser", "null")),
            "Sound card of every path; empty for the board's own.", _IDLE),
    Setting("audio.play", _FILE, 'With card = "file": WAV that is looped as the microphone.',
            _IDLE),
    Setting("audio.record", _FILE, 'With card = "file": WAV of what is heard.', _IDLE),
    Setting("audio.loop", _FLAG, "Send each call's own audio back to it.", _NEXT),
    *(
        row
        for path in ("handset", "headset", "speaker", "ringer")
        for row in (
            Setting(f"audio.{path}.card", Text(forms.CARD_DEVICE),
                    f"Sound card of the {path}; empty for `audio.card`.", _IDLE),
            Setting(f"audio.{path}.volume", _VOLUME,
                    f"Volume of the {path} until a volume key changes it.", _NOW, "per cent"),
        )
    ),
)  # fmt: skip

_SERVICES = (
    Setting("web.enabled", _FLAG, "Whether the phone has its web page.", _NOW),
    Setting("web.listen", Text(forms.LISTEN, may_be_empty=False),
            "Address the page is served on.", _NOW),
    Setting("web.port", Whole(0, 65535), "Port of the page; 0 takes any free one.", _NOW, "port"),
    Setting("control.path", Text(forms.SOCKET_PATH), "Control socket; empty for the default "
            "place.", _RESTART),
)  # fmt: skip

SETTINGS: dict[str, Setting] = {
    setting.key: setting for setting in (*_GENERAL, *_LINE_ROWS, *_DEVICES, *_SERVICES)
}


def schema_keys() -> set[str]:
    """Every key that the settings tree has, by walking it."""
    return _keys(Settings(), "") - {"lines"} | _keys(_MODEL_LINE, "line.")


def _keys(tree: object, prefix: str) -> set[str]:
    found: set[str] = set()
    if not is_dataclass(tree):
        return found
    for field in fields(tree):
        value: object = getattr(tree, field.name)
        inner = _keys(value, f"{prefix}{field.name}.")
        found |= inner or {f"{prefix}{field.name}"}
    return found
