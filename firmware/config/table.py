"""Every setting: its kind, unit, and when a change of it takes effect.

The validation, the manual (docs/settings.md), the notes of `deskphone check` and the change plan
come from this table; the defaults stand in `firmware.config.schema`, the sentences in
`firmware.ui.text`. A new setting is a field, a row here and a sentence.
"""

import enum

from msgspec import Struct

from firmware.base.phrase import Phrase
from firmware.codec import CODECS
from firmware.config import forms
from firmware.config.kinds import BoardPart, Choice, Flag, Kind, Many, PortRange, Text, Whole
from firmware.config.schema import LineSettings, Settings
from hal.parts import TABLES


class Applies(enum.Enum):
    """When a changed value takes effect on a running phone; `applies.` and the value is a text."""

    NOW = "now"
    NEXT_CALL = "next_call"
    LINE = "line"
    IDLE = "idle"
    RESTART = "restart"


class Setting(Struct, frozen=True):
    """One key of the file; `key` is its path, with `line` for the `[[line]]` list."""

    key: str
    kind: Kind
    applies: Applies
    unit: str = ""
    secret: bool = False
    required: bool = False
    works: bool = True
    """Whether this version does something with it; else `check` says so."""

    @property
    def sentence(self) -> Phrase:
        """What it is for."""
        return Phrase(f"setting.{self.key}")

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
TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss", "auto")

_GENERAL = (
    Setting("phone.country", Text(forms.COUNTRY, may_be_empty=False), _NOW),
    Setting("phone.language", Text(forms.LANGUAGE, may_be_empty=False), _NOW),
    Setting("phone.max_calls", Whole(1, 100), _NEXT, "calls"),
    Setting("phone.emergency", Many(Text(forms.EMERGENCY, may_be_empty=False)), _NOW),
    Setting("phone.not_emergency", Many(Text(forms.EMERGENCY, may_be_empty=False)), _NOW),
    Setting("phone.transfer_on_hang_up", Flag(), _NOW),
    Setting("phone.conference_on_leave", Choice(("join", "end")), _NOW),
    Setting("phone.never_sent_to", Many(Text(forms.NUMBER_GLOB, may_be_empty=False)), _NOW),
    Setting("phone.may_be_sent_to", Many(Text(forms.NUMBER_GLOB, may_be_empty=False)), _NOW),
    Setting("time.zone", Text(forms.ZONE, may_be_empty=False), _NOW),
    Setting("time.ntp", Many(Text(forms.HOST, may_be_empty=False)), _NOW, works=False),
    Setting("network.bind", Many(Text(forms.ADDRESS, may_be_empty=False), or_one=True), _RESTART),
    Setting("network.sip_port", Whole(0, 65535), _RESTART, "port"),
    Setting("network.rtp_ports", PortRange(), _NEXT, "ports"),
    Setting("network.dscp_sip", Whole(0, 63), _RESTART, "code point"),
    Setting("network.dscp_rtp", Whole(0, 63), _NEXT, "code point"),
    Setting("network.nat", Many(Text(forms.NAT_RULE, may_be_empty=False)), _NOW),
    Setting("network.stun", Text(forms.SERVER), _NOW),
    Setting("network.turn", Text(forms.SERVER), _NEXT),
    Setting("network.turn_user", _TEXT, _NEXT),
    Setting("network.turn_password", _TEXT, _NEXT, secret=True),
    Setting("network.turn_transport", Choice(("udp", "tcp", "tls")), _NEXT),
    Setting("network.tls.cert", _FILE, _RESTART),
    Setting("network.tls.key", _FILE, _RESTART),
    Setting("network.tls.ca", _FILE, _RESTART),
    Setting("network.tls.port", Whole(0, 65535), _RESTART, "port"),
    Setting("network.wifi.ssid", Text(forms.SSID), _NOW, works=False),
    Setting("network.wifi.password", Text(forms.WIFI_PASSWORD), _NOW, secret=True, works=False),
)

_LINE_ROWS = (
    Setting("line.user", Text(forms.USER, may_be_empty=False, sample="101"), _LINE, required=True),
    Setting("line.server", Text(forms.SERVER, sample="pbx.example"), _LINE, required=True),
    Setting("line.password", _TEXT, _LINE, secret=True),
    Setting("line.name", Text(limit=64), _LINE),
    Setting("line.display_name", _TEXT, _NEXT),
    Setting("line.auth_user", _TEXT, _LINE),
    Setting("line.realm", _TEXT, _LINE),
    Setting("line.proxy", Text(forms.SERVER), _LINE),
    Setting("line.proxies", Many(Text(forms.SERVER, may_be_empty=False), limit=3), _LINE),
    Setting("line.registrars", Many(Text(forms.SERVER, may_be_empty=False), limit=3), _LINE),
    Setting("line.aka_k", Text(forms.SIM_KEY), _LINE, secret=True),
    Setting("line.aka_op", Text(forms.SIM_KEY), _LINE, secret=True),
    Setting("line.aka_opc", Text(forms.SIM_KEY), _LINE, secret=True),
    Setting("line.aka_amf", Text(forms.SIM_AMF, may_be_empty=False), _LINE),
    Setting("line.expires", Whole(30, 86400), _LINE, "seconds"),
    Setting("line.recheck", Whole(0, 86400), _LINE, "seconds"),
    Setting("line.transport", Choice(TRANSPORTS), _LINE),
    Setting("line.ws_path", Text(forms.WS_PATH, may_be_empty=False), _LINE),
    Setting("line.register", _FLAG, _LINE),
    Setting("line.peers", Many(Text(forms.NETWORK, may_be_empty=False)), _NOW),
    Setting("line.numbers", Many(Text(forms.NUMBER_GLOB, may_be_empty=False), limit=256), _NOW),
    Setting("line.accept_any_user", _FLAG, _NOW),
    Setting("line.auto_answer", Choice(("never", "trusted", "always")), _NOW),
    Setting("line.auto_answer_tone", _FLAG, _NOW),
    Setting("line.anonymous", _FLAG, _NEXT),
    Setting("line.session_expires", Whole(0, 86400), _NEXT, "seconds"),
    Setting("line.redirects", _FLAG, _NEXT),
    Setting("line.redirect_to", Many(Text(forms.DOMAIN_GLOB, may_be_empty=False)), _NEXT),
    Setting("line.click_to_dial", _FLAG, _NOW),
    Setting("line.gruu", _FLAG, _LINE),
    Setting("line.dtmf", Choice(("auto", "rtp", "info", "inband")), _NOW),
    Setting("line.reject_anonymous", _FLAG, _NOW),
    Setting("line.watch_registration", _FLAG, _NOW),
    Setting("line.pickup", Text(forms.CODE), _NOW),
    Setting("line.mwi", _FLAG, _NOW),
    Setting("line.voicemail", Text(forms.BUDDY), _NOW),
    Setting("line.watch", Many(Text(forms.BUDDY, may_be_empty=False), limit=64), _NOW),
    Setting("line.buddies", Many(Text(forms.BUDDY, may_be_empty=False), limit=64), _NOW),
    Setting("line.publish_presence", _FLAG, _NOW),
    Setting("line.publish_calls", _FLAG, _NOW),
    Setting("line.quality_reports", Text(forms.SIP_URI), _NEXT),
    Setting("line.srtp", Choice(("off", "prefer", "require")), _NEXT),
    Setting("line.srtp_keys", Choice(("auto", "sdes", "dtls")), _NEXT),
    Setting("line.symmetric_rtp", _FLAG, _NEXT),
    Setting("line.ice", Choice(("off", "on", "relay")), _LINE),
    Setting("line.tls.ca", _FILE, _LINE),
    Setting("line.tls.cert", _FILE, _LINE),
    Setting("line.tls.key", _FILE, _LINE),
    Setting("line.tls.server_name", Text(forms.HOST), _LINE),
    Setting("line.tls.verify", _FLAG, _LINE),
)

_DEVICES = (
    Setting("board.name", Text(forms.BOARD, may_be_empty=False), _RESTART),
    Setting("board.without", Many(Choice(TABLES)), _RESTART),
    *(Setting(f"board.{table}", BoardPart(table), _RESTART) for table in TABLES),
    Setting("audio.codecs", Many(Choice(tuple(CODECS)), may_be_empty=False), _NEXT),
    Setting("audio.card", Choice(("", "alsa", "file", "browser", "null")), _IDLE),
    Setting("audio.play", _FILE, _IDLE),
    Setting("audio.record", _FILE, _IDLE),
    Setting("audio.loop", _FLAG, _NEXT),
    Setting("audio.leave_out_silence", _FLAG, _NEXT),
    *(
        row
        for path in ("handset", "headset", "speaker", "ringer")
        for row in (
            Setting(f"audio.{path}.card", Text(forms.CARD_DEVICE), _IDLE),
            Setting(f"audio.{path}.volume", _VOLUME, _NOW, "per cent"),
        )
    ),
    *(
        row
        for path in ("handset", "headset", "speaker")
        for row in (
            Setting(f"audio.{path}.gain", Whole(-20, 30), _IDLE, "dB"),
            Setting(f"audio.{path}.sidetone", Whole(-40, 0), _IDLE, "dB"),
            Setting(f"audio.{path}.echo_cancellation", _FLAG, _IDLE),
            Setting(f"audio.{path}.noise_suppression", _FLAG, _IDLE),
            Setting(f"audio.{path}.automatic_gain", _FLAG, _IDLE),
        )
    ),
)

_SERVICES = (
    Setting("recording.calls", Choice(("never", "asked", "always")), _NOW),
    Setting("recording.tone", _FLAG, _NOW),
    Setting("recording.longest", Whole(1, 720), _NEXT, "minutes"),
    Setting("recording.keep_free", Whole(10, 1_000_000), _NEXT, "MB"),
    Setting("web.enabled", _FLAG, _NOW),
    Setting("web.listen", Text(forms.LISTEN, may_be_empty=False), _NOW),
    Setting("web.port", Whole(0, 65535), _NOW, "port"),
    Setting("control.path", Text(forms.SOCKET_PATH), _RESTART),
)

SETTINGS: dict[str, Setting] = {
    setting.key: setting for setting in (*_GENERAL, *_LINE_ROWS, *_DEVICES, *_SERVICES)
}
