"""`deskphone check`: errors are about the file, notes about this machine."""

import os
import socket
from pathlib import Path

import pytest

from firmware import cli_check
from firmware.cli import main
from firmware.codec import CODECS, CodecUnavailableError

LINE = '[[line]]\nuser = "101"\nserver = "pbx.example"\n'
QUIET = LINE + "[network]\nsip_port = 0\n[web]\nport = 0\n[audio]\ncodecs = ['pcmu']\n"
ALONE = f"127.91.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
"""Where nobody else listens: a UDP port that is free may be somebody's TCP port elsewhere."""


@pytest.fixture
def check(tmp_path: Path, capsys):
    def check(text: str) -> tuple[int, list[str]]:
        file = tmp_path / "deskphone.toml"
        file.write_text(text)
        code = main(["check", str(file)])
        said = capsys.readouterr()
        assert said.err == ""
        return code, said.out.replace(f"{file}", "f").splitlines()

    return check


@pytest.fixture(autouse=True)
def _libraries(monkeypatch):
    monkeypatch.setattr(cli_check, "_LIBRARIES", {})


def test_a_good_file_is_ok(check):
    assert check(QUIET) == (0, ["f: ok"])


def test_every_error_has_file_line_key_and_what_would_be_right(check):
    assert check(QUIET + "[phone]\nmax_calls = 0\ncontry = 1\n") == (
        2,
        [
            "f:11: phone.max_calls: 0 is out of range, write a whole number from 1 to 100",
            "f:12: phone.contry: there is no such key, did you mean `country`?",
            "f: 2 errors",
        ],
    )


def test_a_file_whose_links_go_round_in_a_circle_cannot_be_read(tmp_path, capsys):
    file = tmp_path / "deskphone.toml"
    file.symlink_to(file)
    assert main(["check", str(file)]) == 2
    assert "Too many levels of symbolic links" in capsys.readouterr().out


def test_faults_of_the_file_and_lacks_of_the_machine_are_listed_in_one_go(check, monkeypatch):
    monkeypatch.setitem(CODECS, "g722", _Unloadable("g722"))
    with socket.socket() as web:
        web.bind(("127.0.0.1", 0))
        web.listen()
        code, said = check(
            '[board]\nname = "mok"\n[phone]\ncontry = 1\ncountry = "XX"\n[[line]]\nusr = "1"\n'
            f"[network]\nsip_port = 0\n[web]\nport = {web.getsockname()[1]}\n"
            '[audio]\ncodecs = ["g722"]\ncard = "file"\nplay = "/nowhere/a.wav"\n'
            'record = "/nowhere/b.wav"\n'
        )

    assert code == 2
    assert [row.split(": ")[1] for row in said[:-1] if not row.startswith("note: ")] == [
        *("board.name", "phone.contry", "line[1].user", "line[1].server", "line[1].usr"),
        "audio.codecs",
    ]
    assert [row.split(": ")[2] for row in said if row.startswith("note: ")] == [
        *("phone.country", "web.port", "audio.codecs", "audio.play", "audio.record"),
    ]
    assert said[-1] == "f: 6 errors"


def test_a_faulty_value_is_not_judged_a_second_time_by_its_default(check):
    _, said = check(QUIET.replace("['pcmu']", "'pcmu'") + "[board]\nname = 7\n")

    assert [row.split(": ")[1] for row in said[:-1]] == ["audio.codecs", "board.name"]


def test_a_recording_that_cannot_be_written_is_a_note(check, tmp_path):
    card = QUIET + 'card = "file"\nrecord = "'
    assert check(f'{card}{tmp_path}/heard.wav"\n') == (0, ["f: ok"])
    assert check(f'{card}{tmp_path}"\n')[1][0].endswith("cannot be written here: Is a directory")
    assert check(f'{card}/proc/x/y.wav"\n')[1][0] == (
        "note: f:11: audio.record: /proc/x/y.wav cannot be written here: No such file or directory"
    )


def test_a_missing_file_is_exit_2(capsys, tmp_path):
    assert main(["check", str(tmp_path / "x.toml")]) == 2
    assert "x.toml: cannot be read: No such file" in capsys.readouterr().out


def test_an_unknown_board_is_an_error_with_the_nearest_name(check):
    code, said = check(QUIET + '[board]\nname = "mok"\n')

    assert code == 2
    assert said[0] == "f:11: board.name: there is no board mok, did you mean mock?"
    assert said[-1] == "f: 1 error"


def test_what_is_different_on_this_phone_is_checked_with_the_board(check):
    code, said = check(QUIET + '[board]\nname = "keypad"\n[board.hook]\npin = 5\npins = 6\n')

    assert code == 2
    told = [row.split(": the board cannot be built so: ") for row in said if " built so: " in row]
    assert told == [
        [
            "f:13: board.hook.pin",
            "hook.pin and keypad.rows[0] both use GPIO 5; give one another pin",
        ],
        ["f:14: board.hook.pins", "there is no such key; is it pin?"],
    ]


@pytest.mark.parametrize(
    ("more", "line"),
    [("", 10), ("[board.hook]\npin = 4\n", 12), ('[board.hook]\nlifted = "auto"\n', 13)],
)
def test_a_hook_that_is_guessed_at_each_start_is_a_note(check, more, line):
    code, said = check(QUIET + '[board]\nname = "keypad"\n' + more)
    (note,) = [row for row in said if "board.hook.lifted" in row]
    assert code == 0
    assert note.startswith(f"note: f:{line}: board.hook.lifted: is found out at each start")


SILENT = "with no [ringer], cards.ringer or cards.speaker it comes on screen and lamps alone"


@pytest.mark.parametrize(
    ("file", "own", "note"),
    [
        ("[hook]\npin = 17\n", "", "f:11: board.name: no call is heard: {}: cards: "),
        (
            '[hook]\npin = 17\n\n[cards]\nhandset = { kind = "null" }\n',
            "",
            "f:11: board.name: no call is heard: {}:4: cards: ",
        ),
        (
            '[hook]\npin = 17\n[cards.handset]\nkind = "null"\n',
            "",
            "f:11: board.name: no call is heard: {}:3: cards: ",
        ),
        (
            "[hook]\npin = 17\n",
            '[board.cards.handset]\nkind = "null"\n',
            "f:12: board.cards.handset: no call is heard: ",
        ),
        (
            '[ringer]\nkind = "buzzer"\npins = [12]\n',
            'without = ["ringer"]\n',
            "f:12: board.without: no call is heard: ",
        ),
    ],
)
def test_a_board_that_can_ring_nowhere_is_a_note_where_that_can_be_changed(
    check, tmp_path, file, own, note
):
    board = tmp_path / "desk.toml"
    board.write_text(file)
    code, said = check(f'{QUIET}[board]\nname = "desk.toml"\n{own}')
    assert code == 0, "it is no error"
    assert [row for row in said if "heard" in row] == [f"note: {note.format(board)}{SILENT}"]


@pytest.mark.parametrize(
    "rings",
    [
        '[ringer]\nkind = "buzzer"\npins = [12]\n',
        '[serial]\nport = "/dev/serial0"\nbell = true\n',
        "[panel]\nbell = true\n",
        '[cards.ringer]\nkind = "null"\n',
        '[cards.speaker]\nkind = "null"\n',
    ],
)
def test_whatever_rings_is_enough(check, tmp_path, rings):
    (tmp_path / "desk.toml").write_text(f"[hook]\npin = 17\n{rings}")
    code, said = check(f'{QUIET}[board]\nname = "desk.toml"\n')
    assert code == 0
    assert not [row for row in said if "heard" in row]


def test_a_hook_that_is_known_is_no_note(check):
    for more in ('[board.hook]\nlifted = "closed"\n', 'without = ["hook"]\n'):
        _, said = check(QUIET + '[board]\nname = "keypad"\n' + more)
        assert not [row for row in said if "hook" in row]


def test_a_part_that_no_board_has_is_told_with_the_nearest(check):
    code, said = check(QUIET + '[board]\nname = "keypad"\nwithout = ["lamp"]\n[board.hok]\n')

    assert code == 2
    errors = [row for row in said if not row.startswith("note: ")]
    assert "lamps" in errors[0]
    assert errors[1].startswith("f:13: board.hok: ")
    assert "hook" in errors[1]


def test_a_board_file_of_ones_own_may_be_on_another_machine(check):
    code, said = check(QUIET + '[board]\nname = "/boot/my.toml"\n')

    assert code == 0
    (note,) = [row for row in said if "my.toml" in row]
    assert note.startswith("note: f:11: board.name: there is no /boot/my.toml on this machine, ")


def test_a_board_file_beside_the_settings_is_found_from_anywhere(check, tmp_path, monkeypatch):
    """As docs/boards.md has it, and as systemd starts a phone: in another folder."""
    board = tmp_path / "desk.toml"
    board.write_text("[hook]\npin = 17\n[buttons]\nmute = 17\nmutte = 4\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, said = check(QUIET + '[board]\nname = "./desk.toml"\n')

    assert code == 2
    assert [row.partition("desk.toml:")[2] for row in said if "cannot be built so" in row] == [
        "5: buttons.mutte: there is no key 'mutte'; is it 'mute'?",
        "2: hook.pin: hook.pin and buttons.mute both use GPIO 17; give one another pin",
    ]
    assert all(row.startswith("f:11: board.name: ") for row in said if "cannot be built so" in row)
    board.write_text("[hook]\npin = 17\n")
    assert check(QUIET + '[board]\nname = "desk.toml"\n')[0] == 0


def test_a_port_that_is_taken_is_a_note_that_says_by_whom(check):
    with socket.socket() as web, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        web.bind((ALONE, 0))
        web.listen()
        sip.bind((ALONE, 0))
        web_port, sip_port = web.getsockname()[1], sip.getsockname()[1]
        code, said = check(
            LINE
            + f'[network]\nbind = "{ALONE}"\nsip_port = {sip_port}\n'
            + f'[web]\nlisten = "{ALONE}"\nport = {web_port}\n'
            + "[audio]\ncodecs = ['pcmu']\n"
        )

    assert code == 0
    assert len(said) == 3
    assert said[0].startswith(f"note: f:6: network.sip_port: port {sip_port}/udp is taken by ")
    assert "pid" in said[0]
    assert said[1].startswith(f"note: f:9: web.port: port {web_port}/tcp is taken by ")


def test_an_address_that_is_not_ours_is_a_note(check):
    code, said = check(
        LINE + '[network]\nbind = "192.0.2.1"\nsip_port = 5999\n[web]\nport = 0\n'
        "[audio]\ncodecs = ['pcmu']\n"
    )

    assert code == 0
    assert said[0] == "note: f:5: network.bind: 192.0.2.1 is no address of this machine"


def test_a_file_that_is_not_here_is_a_note(check):
    code, said = check(QUIET + 'card = "file"\nplay = "/nowhere/a.wav"\n')

    assert code == 0
    assert said[0] == (
        "note: f:11: audio.play: /nowhere/a.wav cannot be read here: No such file or directory"
    )


def test_a_certificate_that_is_not_here_is_a_note_at_its_line(check):
    _, said = check(QUIET.replace("[network]", '[line.tls]\nca = "/nowhere/ca.pem"\n[network]'))

    assert said[0].startswith("note: f:5: line[1].tls.ca: /nowhere/ca.pem cannot be read here")


def test_a_zone_this_machine_does_not_know_is_a_note(check):
    _, said = check(QUIET + '[time]\nzone = "Europe/Berlun"\n')

    assert said[0].startswith("note: f:11: time.zone: Europe/Berlun is no zone")
    assert "Europe/Berlin" in said[0] or "UTC" in said[0]


def test_a_missing_library_names_the_package(check, monkeypatch):
    monkeypatch.setattr(cli_check, "_LIBRARIES", {"libnowhere.so.9": "note_no_speexdsp"})

    code, said = check(QUIET)

    assert code == 0
    assert said[0] == (
        "note: f: libspeexdsp.so.1 is missing (a plain resampler is used), "
        "install the package libspeexdsp1"
    )


def test_a_codec_that_cannot_be_loaded_is_a_note_none_left_an_error(check, monkeypatch):
    monkeypatch.setitem(CODECS, "g722", _Unloadable("g722"))

    code, said = check(QUIET.replace("'pcmu'", "'g722', 'pcmu'"))
    assert code == 0
    assert said[0] == (
        "note: f:9: audio.codecs: g722 is left out of calls: install the package libg722"
    )

    code, said = check(QUIET.replace("'pcmu'", "'g722'"))
    assert code == 2
    assert any("none of these codecs can be loaded here" in line for line in said)


class _Unloadable:
    def __init__(self, name: str):
        self.name = name
        self.package = f"lib{name}"

    def load(self):
        raise CodecUnavailableError(self.name, self.package)


@pytest.mark.parametrize("key", ["network", "web"])
def test_an_address_that_is_not_ours_is_a_note_with_any_port_too(check, key):
    name = "bind" if key == "network" else "listen"
    _, said = check(QUIET.replace(f"[{key}]", f'[{key}]\n{name} = "192.0.2.1"'))

    assert any(f"{key}.{name}: 192.0.2.1 is no address of this machine" in row for row in said)


def test_a_country_without_known_emergency_numbers_is_a_note_that_says_what_is_dialled(check):
    _, said = check(QUIET + '[phone]\ncountry = "XX"\nemergency = ["117"]\n')

    assert said[0] == (
        "note: f:11: phone.country: nothing is known of XX (known are AU, BR, DE, ES, FR, GB, ID, "
        "IN, IT, JP, RU, US): the tones are those of US and 112, 117, 911 are emergency numbers, "
        "write the others into `emergency`"
    )
    assert not any("country" in row for row in check(QUIET + '[phone]\ncountry = "CA"\n')[1])


def test_a_language_without_texts_is_a_note(check):
    assert check(QUIET + '[phone]\nlanguage = "tl"\n')[1][0] == (
        "note: f:11: phone.language: there are no texts in tl yet: screen and page speak English"
    )
