import os
from pathlib import Path

import pytest

from firmware.net.port_holder import holder_of


def proc_with(tmp_path, row, *, comm="kamailio", pid="812"):
    """A /proc with one socket and one process that has it."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net/udp").write_text(f"  sl  local_address ...\n{row}\n")
    (tmp_path / pid / "fd").mkdir(parents=True)
    (tmp_path / pid / "fd/7").symlink_to("socket:[4711]")
    (tmp_path / pid / "comm").write_text(f"{comm}\n")
    return tmp_path


ROW = "  12: 00000000:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 4711 2"


def test_the_holder_is_named_with_its_process_id(tmp_path):
    assert holder_of("udp", 5060, proc_with(tmp_path, ROW)) == "kamailio (pid 812)"


def test_another_port_is_not_meant(tmp_path):
    assert holder_of("udp", 5061, proc_with(tmp_path, ROW)) == "another program"


def test_a_proc_that_tells_nothing_is_no_fault(tmp_path):
    assert holder_of("tcp", 5060, tmp_path) == "another program"


def test_a_row_that_is_cut_off_is_no_fault(tmp_path):
    assert holder_of("udp", 5060, proc_with(tmp_path, "  12: 0000")) == "another program"


def test_our_own_socket_is_found(udp_socket):
    port = udp_socket("127.0.0.1").getsockname()[1]
    name = Path("/proc/self/comm").read_text().strip()
    assert holder_of("udp", port, host="127.0.0.1") == f"{name} (pid {os.getpid()})"


def test_a_descriptor_that_was_closed_meanwhile_hides_none_of_the_others(udp_socket):
    # Listing the descriptors takes the lowest free one, which is gone once they are listed.
    hole = os.open("/dev/null", os.O_RDONLY)
    port = udp_socket("127.0.0.1").getsockname()[1]
    os.close(hole)
    assert holder_of("udp", port, host="127.0.0.1").endswith(f"(pid {os.getpid()})")


OTHERS = ROW.replace("4711", "4712").replace("00000000:13C4", "{}:13C4", 1)


@pytest.mark.parametrize(
    ("protocol", "host", "others"),
    [
        ("udp", "192.0.2.1", OTHERS.format("020200C0")),  # 192.0.2.2
        ("udp", "2001:db8::1", OTHERS.format("B80D0120000000000000000002000000")),
        ("tcp", "0.0.0.0", OTHERS.format("00000000").replace(" 07 ", " 01 ")),  # a connection
    ],
)
def test_who_has_the_same_port_elsewhere_is_not_named(tmp_path, protocol, host, others):
    proc = proc_with(tmp_path, "")
    rows = [others, ROW.replace(" 07 ", " 0A ")]
    (proc / "net" / protocol).write_text("\n".join(["  sl", *rows]) + "\n")
    (proc / "100/fd").mkdir(parents=True)
    (proc / "100/fd/3").symlink_to("socket:[4712]")
    (proc / "100/comm").write_text("stranger\n")
    assert holder_of(protocol, 5060, proc, host=host) == "kamailio (pid 812)"


@pytest.mark.parametrize(
    ("host", "row"),
    [("192.0.2.1", "010200C0"), ("2001:db8::1", "B80D0120000000000000000001000000")],
)
def test_who_has_it_at_that_address_is(tmp_path, host, row):
    rows = [OTHERS.format(row.replace("1", "3", 1)), ROW.replace("00000000:13C4", f"{row}:13C4", 1)]
    proc = proc_with(tmp_path, "\n".join(rows))
    (proc / "100/fd").mkdir(parents=True)
    (proc / "100/fd/3").symlink_to("socket:[4712]")
    (proc / "100/comm").write_text("stranger\n")
    assert holder_of("udp", 5060, proc, host=host) == "kamailio (pid 812)"
