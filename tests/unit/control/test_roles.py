"""Root, the phone, its page, its group and strangers: who may do what."""

import asyncio
import grp
import json
import os
import pwd
import socket
import sys
from types import SimpleNamespace

import pytest

from firmware.control.roles import PAGE_USER, Roles
from firmware.control.schema import Role
from firmware.control.server import ControlServer
from firmware.control.socket_file import GROUP, Peer, peer_of

OWN, PAGE, SHARED = 990, 991, 980
HOUSE = Roles(frozenset({0, OWN}), page=PAGE, group=SHARED)


@pytest.mark.parametrize(
    ("peer", "role"),
    [
        (Peer(1, 0, 0), Role.ADMIN),
        (Peer(1, OWN, OWN), Role.ADMIN),
        (Peer(1, PAGE, PAGE, (SHARED,)), Role.PHONE),
        (Peer(1, 1000, 1000, (27, SHARED)), Role.ADMIN),
        (Peer(1, 1000, SHARED), Role.ADMIN),
        (Peer(1, 1000, 1000, (27,)), Role.VIEW),
    ],
    ids=["root", "itself", "its page", "its group", "its group first", "a stranger"],
)
def test_a_client_has_the_role_of_its_user(peer, role):
    assert HOUSE(peer) is role


def test_a_machine_without_the_group_gives_nobody_its_rights():
    assert Roles(frozenset({0}))(Peer(1, 1000, 1000, (27,))) is Role.VIEW


def test_the_users_of_this_machine_are_looked_up_by_name(monkeypatch):
    users, groups = {PAGE_USER: SimpleNamespace(pw_uid=PAGE)}, {}
    monkeypatch.setattr(pwd, "getpwnam", users.__getitem__)
    monkeypatch.setattr(grp, "getgrnam", groups.__getitem__)
    assert Roles.of_this_machine() == Roles(frozenset({0, os.getuid()}), page=PAGE)
    users.clear()
    groups[GROUP] = SimpleNamespace(gr_gid=SHARED)
    assert Roles.of_this_machine() == Roles(frozenset({0, os.getuid()}), group=SHARED)


async def ask(reader, writer, request):
    writer.write(json.dumps(request).encode() + b"\n")
    return json.loads(await reader.readline())


async def test_the_pages_user_may_use_the_phone_but_not_rule_it(phone, path):
    server = ControlServer(phone, Roles(frozenset(), page=os.getuid(), group=os.getgid()))
    await server.start(path)
    reader, writer = await asyncio.open_unix_connection(path)

    used = await ask(reader, writer, {"verb": "dial", "target": "600", "role": "admin"})
    ruled = await ask(reader, writer, {"verb": "reload", "role": "admin"})
    writer.close()
    await server.stop()

    assert used["ok"]
    assert (ruled["ok"], ruled["kind"]) == (False, "not_allowed")
    assert [type(each).__name__ for each in phone.asked] == ["Dial"]


async def test_whoever_runs_the_phone_may_rule_it(phone, path):
    server = ControlServer(phone)
    await server.start(path)
    reader, writer = await asyncio.open_unix_connection(path)

    ruled = await ask(reader, writer, {"verb": "reload"})
    writer.close()
    await server.stop()

    assert ruled["ok"]


STRANGER = """
import os, socket, sys
there = socket.socket(fileno=int(sys.argv[1]))
if os.getuid() == 0:
    os.setgroups([4711, 4712])
    os.setresgid(4713, 4713, 4713)
    os.setresuid(4714, 4714, 4714)
there.connect("\\0" + sys.argv[2])
there.recv(1)
"""


async def test_the_kernel_says_who_and_in_which_groups(path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as there:
        # A name that is no file: the folders of a test are closed to others.
        listener.bind(f"\0{path}")
        listener.listen(1)
        listener.settimeout(0)
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-c", STRANGER, str(there.fileno()), str(path)),
            pass_fds=[there.fileno()],
        )
        async with asyncio.timeout(10):
            here, _ = await asyncio.get_running_loop().sock_accept(listener)
        with here:
            peer = peer_of(here)
            here.send(b".")
        assert await started.wait() == 0
    assert peer.pid == started.pid
    who = (peer.uid, peer.gid, peer.groups)
    if os.getuid() == 0:  # only root may become somebody else
        assert who == (4714, 4713, (4711, 4712))
        assert HOUSE(peer) is Role.VIEW
    else:
        assert who == (os.getuid(), os.getgid(), tuple(os.getgroups()))
