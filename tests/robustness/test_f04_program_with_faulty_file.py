"""F4: the program is started with a configuration that has faults."""

import os
import subprocess
from functools import partial

import pytest

from firmware.control import schema as s
from firmware.control.client import Client
from firmware.control.errors import ControlError, RefusedError
from firmware.ui.canvas import Canvas, art_of
from firmware.ui.widgets import body_bottom, paragraph
from tests.support.namespace import end
from tests.support.phone import BIN, line
from tests.support.waiting import wait_for

FAULTS = {
    "corrupt": (b"\x00\x01\x02[[[= \xff\xfe", 1),
    "unknown keys": (b'[phone]\ncontry = "DE"\n[[line]]\nusr = "101"\nserver = "pbx"\n', 3),
    "cut off": (b'[[line]]\nuser = "101"\nserver = "127.0.0', 1),
}
FAULTY = (
    b'[phone]\ncontry = "DE"\n[board]\nname = "mock"\n[network]\nsip_port = 0\n[web]\nport = 0\n'
)


def sentence(path, count, consequence):
    """What is shown and logged while a file has faults."""
    faults = "a fault" if count == 1 else f"{count} faults"
    return f"{path.name} has {faults}{consequence}: deskphone check {path}"


BEFORE = "; the settings of before are used"
NONE = ", so no line is set up"


@pytest.mark.parametrize("fault", FAULTS)
def test_f04_without_a_good_copy_it_says_all_faults_and_ends_with_2(tmp_path, fault):
    path = tmp_path / "deskphone.toml"
    content, count = FAULTS[fault]
    path.write_bytes(content)
    done = subprocess.run(
        [BIN / "deskphone", "run", "-c", path, "--control", tmp_path / "control.sock"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    faults = [row for row in done.stderr.splitlines() if row.startswith(str(path))]
    assert len(faults) == count
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "control.sock").exists()


def test_f04_with_a_good_copy_the_phone_runs_as_before_and_says_so(start_phone, far_end):
    phone = start_phone(line("101", f"{far_end.address}:5060"))
    far_end.wait_registered()
    phone.close()
    good = phone.config.read_text()
    for content, count in FAULTS.values():
        before = len(far_end.registrations)
        phone.config.write_bytes(content)
        phone.start()
        far_end.wait_registered(before + 1)
        phone.wait_registered()
        said = sentence(phone.config, count, BEFORE)
        assert phone.status().reason == said
        wait_for("the sentence in the log", lambda said=said: said in phone.log())
        wait_for("the sentence on the screen", partial(said_on, phone, said))
        phone.config.write_text(good)
        phone.ask(s.Reload(), s.ReloadReply)
        assert phone.status().reason == ""
        phone.close()


def said_on(phone, words):
    """Whether these words are what stands on the screen, between the clock and the soft keys."""
    screen = phone.ask(s.Screen(), s.ScreenReply)
    canvas = Canvas((screen.width, screen.height))
    top, bottom = 12, body_bottom(canvas)
    paragraph(canvas, words, top, bottom)
    return screen.text.splitlines()[top:bottom] == art_of(canvas.image).splitlines()[top:bottom]


def test_f04_an_empty_file_is_a_phone_without_lines(start_phone, far_end):
    phone = start_phone("")
    status = phone.status()
    assert (status.state, status.lines) == ("idle", ())
    assert "Traceback" not in phone.log()


class Service:
    """A phone as systemd would start it; there is no copy of a good file."""

    def __init__(self, folder, content):
        self.config = folder / "deskphone.toml"
        if content is not None:
            self.config.write_bytes(content)
        self.socket = folder / "control.sock"
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [BIN / "deskphone", "run", "-c", self.config, "--control", self.socket],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "XDG_STATE_HOME": str(folder / "state"),
                    "NOTIFY_SOCKET": str(folder / "nobody"),
                },
            )
        wait_for("the control socket", self._answers, 15)

    def ask(self, request, result):
        with Client(self.socket) as client:
            return client.ask(request, result)

    def log(self):
        return self._log.read_text(errors="replace")

    def _answers(self):
        assert self.process.poll() is None, self.log()
        try:
            return self.ask(s.Status(), s.StatusReply)
        except ControlError:
            return None


@pytest.fixture
def service(tmp_path_factory):
    """Starts phones as systemd would."""
    started = []

    def start(content):
        started.append(Service(tmp_path_factory.mktemp("f"), content))
        return started[-1]

    yield start
    for each in started:
        end(each.process, 10)


def test_f04_a_service_without_a_good_copy_shows_why_and_takes_the_file_once_it_is_mended(
    service, far_end
):
    phone = service(FAULTY)
    said = sentence(phone.config, 1, NONE)

    status = phone.ask(s.Status(), s.StatusReply)
    assert (status.state, status.lines, status.reason) == ("idle", (), said)
    wait_for("the sentence in the log", lambda: said in phone.log())
    wait_for("the sentence on the screen", partial(said_on, phone, said))
    assert f"{phone.config}:2: phone.contry: there is no such key" in phone.log()

    with pytest.raises(RefusedError, match=r"phone\.contry"):
        phone.ask(s.Reload(), s.ReloadReply)
    assert phone.ask(s.Status(), s.StatusReply).reason == said

    mended = FAULTY.replace(b"contry", b"country")
    phone.config.write_bytes(mended + line("101", f"{far_end.address}:5060").encode())
    phone.ask(s.Reload(), s.ReloadReply)

    far_end.wait_registered()
    wait_for("the line", lambda: phone.ask(s.Status(), s.StatusReply).lines[0].registered)
    assert phone.ask(s.Status(), s.StatusReply).reason == ""
    wait_for("the clock on the screen", lambda: not said_on(phone, said))


def test_f04_a_service_whose_board_is_none_runs_without_it_and_says_so(service):
    phone = service(FAULTY.replace(b"contry", b"country").replace(b"mock", b"mokc"))

    status = phone.ask(s.Status(), s.StatusReply)

    assert status.reason.startswith("board mokc failed: board.name: there is no board 'mokc'")
    wait_for("the reason in the log", lambda: status.reason in phone.log())
