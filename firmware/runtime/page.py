"""The page as the phone sees it: a child that is kept alive, or under systemd a unit of its own.

Where it is served the phone only tells (`PageEvent`); the page's process follows by itself.
"""

import base64
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from firmware.config.schema import Settings
from firmware.control.schema import PageEvent
from firmware.runtime.child import Child

TOKEN_VARIABLE = "DESKPHONE_WEB_TOKEN"  # noqa: S105 - the name of a variable


class Page:
    """Starts and stops the page's process; `tell` reaches one that runs."""

    def __init__(
        self,
        control: Path,
        tell: Callable[[PageEvent], None],
        wall: Callable[[], float],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._command = [sys.executable, "-m", "firmware", "web", "--control", str(control)]
        self._is_unit = "INVOCATION_ID" in environment
        self._tell = tell
        self._wall = wall
        # Made here, so that the address is still the same when the page was started again (P12).
        token = environment.get(TOKEN_VARIABLE) or _token()
        self._environment = {**environment, TOKEN_VARIABLE: token}
        self._child: Child | None = None
        self.wanted = PageEvent(0.0, enabled=False)

    def use(self, settings: Settings) -> None:
        """Serve it so from now on."""
        before, self.wanted = self.wanted, self._event(settings)
        if self.wanted.differs(before):
            self._tell(self.wanted)
        if self.wanted.enabled and self._child is None and not self._is_unit:
            self._child = Child("the page", self._command, self._environment)
            self._child.start()

    def event(self) -> PageEvent:
        """Where it is to be served, for whoever asks now."""
        return self.wanted

    async def stop(self) -> None:
        """End the process, if it is ours."""
        if self._child is not None:
            await self._child.stop()

    def _event(self, settings: Settings) -> PageEvent:
        page = settings.web
        language = settings.phone.language
        return PageEvent(self._wall(), page.enabled, page.listen, page.port, language)


def _token() -> str:
    """144 bits of the system's own; `secrets` would say it shorter and load much."""
    return base64.urlsafe_b64encode(os.urandom(18)).decode()
