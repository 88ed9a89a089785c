"""A stage for call flows: addresses of the test's own, SIPp actors, and the phone they meet."""

from pathlib import Path

from tests.support.agent_phone import AgentPhone
from tests.support.ground import Ground
from tests.support.phone import Phone, line
from tests.support.sipp import Actor


class Stage:
    """Addresses, actors and the phone of one flow; scenario files are in `scenarios`."""

    def __init__(self, folder: Path, ground: Ground, scenarios: Path) -> None:
        self.folder = folder
        self.ground = ground
        self.pbx = ground.address()
        self.desk = ground.address()
        self._scenarios = scenarios
        self._opened: list[Phone | Actor] = []

    def actor(self, name: str, *, at: str = "", calls: str = "", **keys: str) -> Actor:
        """SIPp plays `name`; it calls the user `calls` at the phone, or waits."""
        target = {"target": f"{self.desk}:5060", "user": calls} if calls else {}
        scenario = self._scenarios / f"{name}.xml"
        actor = Actor(self.folder / name, scenario, address=at or self.pbx, **target, **keys)
        self._opened.append(actor)
        return actor

    def phone(self, user: str, server: str = "", *, max_calls: int = 8, **more: object) -> Phone:
        """The whole phone; `more` goes into its line, which does not register unless told."""
        table = line(user, server or f"{self.pbx}:5060", **{"register": False, **more})
        phone = Phone(self.folder / "phone", table, address=self.desk, max_calls=max_calls)
        self._opened.append(phone)
        return phone

    def agent(self, server: str = "", **more: object) -> AgentPhone:
        """The user agent alone; use it as a context."""
        return AgentPhone(self.desk, server or f"{self.pbx}:5060", **more)

    def close(self) -> None:
        """End whatever is left, the phone while there is still somebody to tell."""
        for each in reversed(self._opened):
            each.close()
