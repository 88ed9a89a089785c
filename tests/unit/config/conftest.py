"""The configuration of CONTRACT: every key once."""

import pytest

FULL = """\
[phone]
country = "US"                    # tones, emergency numbers
language = "en"
max_calls = 8
emergency = []
not_emergency = []
transfer_on_hang_up = true
conference_on_leave = "end"
never_sent_to = []
may_be_sent_to = []

[time]
zone = "UTC"
ntp = []

[network]
bind = ""
sip_port = 5060
rtp_ports = [40000, 40999]
dscp_sip = 24
dscp_rtp = 46
nat = ["10.0.0.0/8 = phone.example"]
stun = "stun.example"
turn = "turn.example"
turn_user = "u"
turn_password = ""
turn_transport = "udp"

[network.tls]
cert = ""
key = ""
ca = ""
port = 5061

[network.wifi]
ssid = ""
password = ""

[[line]]
user = "perf"
password = "perf"
server = "127.0.0.1:5080"
name = ""
display_name = "Perf"
auth_user = ""
realm = ""
proxy = ""
proxies = []
registrars = []
aka_k = ""
aka_op = ""
aka_opc = ""
aka_amf = "0000"
expires = 3600
recheck = 50
transport = "udp"
ws_path = "/"
register = true
peers = []
numbers = []
accept_any_user = false
auto_answer = "never"
auto_answer_tone = true
anonymous = false
session_expires = 1800
redirects = true
redirect_to = []
click_to_dial = false
gruu = false
dtmf = "auto"
reject_anonymous = false
watch_registration = false
pickup = ""
mwi = false
voicemail = ""
watch = []
buddies = []
publish_presence = false
publish_calls = false
quality_reports = ""
srtp = "off"
srtp_keys = "auto"
ice = "off"
symmetric_rtp = false

[line.tls]
ca = ""
cert = ""
key = ""
server_name = ""
verify = true

[board]
name = "mock"
without = []
gpio = {}
keypad = {}
buttons = {}
hook = {}
rotary = {}
display = {}
lamps = {}
ringer = {}
headset = {}
serial = {}
usb = {}
panel = {}
cards = {}
mixer = {}

[audio]
codecs = ["opus", "g722", "pcmu", "pcma"]
card = "file"
play = ""
record = ""
loop = false
leave_out_silence = true

[audio.handset]
card = ""
volume = 70
gain = 6
sidetone = -20
echo_cancellation = true
noise_suppression = true
automatic_gain = true
[audio.headset]
card = ""
volume = 70
gain = 6
sidetone = -20
echo_cancellation = true
noise_suppression = true
automatic_gain = true
[audio.speaker]
card = "id:Device"
volume = 70
gain = 6
sidetone = -20
echo_cancellation = true
noise_suppression = true
automatic_gain = true
[audio.ringer]
card = ""
volume = 70

[recording]
calls = "always"
tone = true
longest = 60
keep_free = 500

[web]
enabled = true
listen = "127.0.0.1"
port = 8080

[control]
path = ""
"""


@pytest.fixture
def full() -> str:
    return FULL


@pytest.fixture(scope="session")
def full_text() -> str:
    """The same for hypothesis, which wants fixtures that outlive an example."""
    return FULL
