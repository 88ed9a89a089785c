"""How far a client of the control socket may go, by the kernel's word on who it is.

The file's rights (0660, group `deskphone`) say who may connect at all. A request may ask for less
than its client has (`role` in the request), never for more.
"""

import grp
import os
import pwd
from collections.abc import Callable
from typing import Self

from msgspec import Struct

from firmware.control.schema import Role
from firmware.control.socket_file import GROUP, Peer

PAGE_USER = "deskphone-web"
"""Whom systemd runs the page as (systemd/sysusers.d)."""
_ROOT = 0


class Roles(Struct, frozen=True):
    """Call it with a peer; users and groups are numbers, None = there is none on this machine."""

    admins: frozenset[int]
    page: int | None = None
    group: int | None = None

    @classmethod
    def of_this_machine(cls) -> Self:
        """Root and the phone's own user are admins; the page's user and the group by name.

        The names are looked up once: a directory of users on the network may be slow.
        """
        admins = frozenset({_ROOT, os.getuid()})
        page = _number(lambda: pwd.getpwnam(PAGE_USER).pw_uid)
        return cls(admins, page, _number(lambda: grp.getgrnam(GROUP).gr_gid))

    def __call__(self, peer: Peer) -> Role:
        """The role of a client.

        The group may rewrite the configuration (systemd/tmpfiles.d), so it may reload it as well;
        the page's user is in the group to reach the socket, and shall do no more than a person at
        the phone. Whoever else got in, because the machine has no such group, may look.
        """
        if peer.uid in self.admins:
            return Role.ADMIN
        if peer.uid == self.page:
            return Role.PHONE
        if self.group in (peer.gid, *peer.groups):
            return Role.ADMIN
        return Role.VIEW


def _number(look_up: Callable[[], int]) -> int | None:
    try:
        return look_up()
    except KeyError:
        return None
