import pytest

from firmware.config.schema import Settings, WebSettings
from firmware.runtime import page as module
from firmware.runtime.page import TOKEN_VARIABLE, Page

ON = Settings(web=WebSettings(enabled=True, port=8081))
OFF = Settings(web=WebSettings(enabled=False))


@pytest.fixture
def children(monkeypatch):
    """The children that were started, as `(name, command, environment)`."""
    started = []

    class Child:
        def __init__(self, *facts):
            self.facts = facts

        def start(self):
            started.append(self.facts)

        async def stop(self):
            started.remove(self.facts)

    monkeypatch.setattr(module, "Child", Child)
    return started


@pytest.fixture
def page(tmp_path):
    """A page of a phone that runs in an environment; `told` is what its process heard."""
    told = []

    def make(**environment):
        made = Page(tmp_path / "control.sock", told.append, lambda: 1.0, environment)
        made.told = told
        return made

    return make


async def test_the_page_is_a_child_with_a_token_of_its_own(page, children, tmp_path):
    first, second = page(), page()
    first.use(ON)
    second.use(ON)
    tokens = {environment[TOKEN_VARIABLE] for _, _, environment in children}
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 22
    command = children[0][1]
    assert command[2:4] == ["firmware", "web"]
    assert command[-2:] == ["--control", str(tmp_path / "control.sock")]
    assert not any(token in " ".join(command) for token in tokens)
    await first.stop()
    assert len(children) == 1


def test_a_given_token_is_used(page, children):
    page(**{TOKEN_VARIABLE: "given"}).use(ON)
    assert children[0][2][TOKEN_VARIABLE] == "given"


async def test_under_systemd_the_page_is_a_unit_and_the_phone_starts_none(page, children):
    unit = page(INVOCATION_ID="0123456789abcdef")
    unit.use(ON)
    assert children == []
    assert unit.event().enabled
    await unit.stop()


def test_a_page_that_is_switched_off_is_not_started(page, children):
    page().use(OFF)
    assert children == []


def test_it_is_started_once_and_told_of_changes(page, children):
    one = page()
    one.use(ON)
    one.use(ON)
    one.use(Settings(web=WebSettings(enabled=True, port=8082)))
    one.use(OFF)
    assert len(children) == 1
    assert [(event.enabled, event.port) for event in one.told] == [
        (True, 8081),
        (True, 8082),
        (False, 8080),
    ]
