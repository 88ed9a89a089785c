"""The life of the phone: start in the right order, run, stop in the reverse order.

First what a call needs (sockets, audio process, REGISTER), then what a person needs (control
socket, screen, page). A phone that is still painting its first picture can already be called.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.base.phrase import Phrase, phrase
from firmware.config.plan import plan
from firmware.config.rules import ways_of
from firmware.config.schema import NetworkSettings, Settings
from firmware.control.schema import AnyEvent, ScreenEvent
from firmware.control.server import ControlServer
from firmware.media.messages import AnyReport, EngineAlive, PathName
from firmware.net.addresses import AddressWatch
from firmware.net.engine_link import EngineLink
from firmware.net.media_ports import MediaPorts
from firmware.net.systemd_notify import notify
from firmware.phone.events import (
    ConfigJudged,
    EngineLost,
    NetworkChanged,
    SettingsChanged,
    Started,
    StopAsked,
    TextsKept,
)
from firmware.phone.machine import Phone
from firmware.phone.view import Notice, PhoneView
from firmware.runtime import later
from firmware.runtime.accounts import concern_lines
from firmware.runtime.desk import Desk
from firmware.runtime.early import Early, Places, begin, part
from firmware.runtime.house import House
from firmware.runtime.keeper import Keeper
from firmware.runtime.loop import PhoneLoop
from firmware.runtime.news import changes
from firmware.runtime.page import Page
from firmware.runtime.pulse import Pulse
from firmware.runtime.recordings import Recordings
from firmware.runtime.reload import Faults, Reloader
from firmware.runtime.screen import Screen
from firmware.runtime.sounds import Sounds
from firmware.runtime.spoken import speak
from firmware.runtime.watched_selector import WatchedSelector
from firmware.storage.last_good import LastGood
from firmware.ui.text import Texts
from hal.board import Board
from hal.ports import Picture, Post

if TYPE_CHECKING:
    from firmware.runtime.encryption import Encryption
    from firmware.runtime.ice import WayFinder
    from firmware.runtime.outer_address import OuterAddress

_LOG = logging.getLogger(__name__)


class Program:
    """One phone, from start to stop."""

    def __init__(
        self,
        settings: Settings,
        places: Places,
        open_board: Callable[[Post], Board],
        early: Early | None = None,
        turns: WatchedSelector | None = None,
        fault: Notice | None = None,
    ) -> None:
        self._fault = fault
        self.faults: Faults = lambda _found: ()
        """What of a changed configuration cannot be, beyond what its reader knows."""
        self._settings = settings
        self._places = places
        self._early = early
        self._turns = turns
        self._open_board = open_board
        self._stop = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._xruns = 0
        self._card_failures = 0
        self._drifts: tuple[tuple[PathName, float], ...] = ()
        self._engine_starts = 0
        self._page = Page(places.control, self.publish, _wall)
        self._screen: Screen | None = None
        self._outer: OuterAddress | None = None
        self._encryption: Encryption | None = None
        self._ways: WayFinder | None = None
        self._reloader: Reloader | None = None
        self._is_to_reload = False

    # --- starting ---------------------------------------------------------------------------

    def heed_signals(self) -> None:
        """SIGTERM and SIGINT stop the phone, SIGHUP has it read its configuration again.

        To be called before `start`: who is stopped while starting takes leave as well. Not by a
        program that has this phone as a part of it, as the demonstration does.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    def _hung_up(self) -> None:
        if self._places.config is None:
            self._stop.set()  # nothing to read again: a terminal was closed
        elif self._reloader is not None:
            self._reloader.ask()
        else:
            self._is_to_reload = True

    async def start(self) -> None:
        """Start everything; whoever may call us can do so when this returns.

        Raises:
            PortTakenError, SocketTakenError: somebody else has the port or the socket.
            HalError: the board cannot be opened.
        """
        early = self._early or await begin(self._settings, self._places)
        try:
            await self._start(early)
        except BaseException:
            await part(early)
            raise

    async def _start(self, early: Early) -> None:
        settings = self._settings
        self.keeper = Keeper(self._places.state, self._places.dialogs, early.memory)
        self.texts = Texts.load(settings.phone.language)
        speak(self.texts)
        self.phone = Phone(settings)
        self.loop = PhoneLoop(self.phone)
        self.signalling = early.signalling
        self.agent, self.driver = self.signalling.agent, self.signalling.driver
        self.loop.inbox.hold()
        # What moves pins takes its time to load: the registrar is answered meanwhile.
        self.board = await asyncio.to_thread(self._open_board, self.loop.inbox.post)
        self.engine = EngineLink(self._report, self._engine_lost, self._engine_started)
        self.sounds = Sounds(
            settings.audio,
            self.board.cards,
            self._places.runtime / "audio.sock",
            self.keeper.volumes,
            self.board.mixers,
        )
        self.pulse = Pulse(self._turns, _feed_watchdog, self._clock)
        self._tokens = early.tokens
        self.house = self._make_house()
        self._recordings = Recordings(
            self._places.state / "recordings", self._clock, _wall, self.loop.inbox.put
        )
        self._recordings.settings = settings.recording
        self.house.recordings = self._recordings
        self.loop.furnish(self.house, self.driver.settle)
        self.desk = Desk(self.loop, self.house, self.signalling.trace, self.keeper)
        self.desk.opened = asyncio.Event()
        self.control = ControlServer(self.desk, say=self._words)
        await self.control.start(self._places.control)
        self._use_encryption()
        self._use_ways()
        await asyncio.gather(self.engine.start(), asyncio.to_thread(later.load, settings))
        early.names.write_with(self.keeper.keep_names)
        self._use_stun()
        self._introduce(early.addresses)
        self.signalling.listen_with(self.loop.inbox.put)
        self._serve_people()
        self.desk.opened.set()
        notify("READY=1", "STATUS=running")

    def _make_house(self) -> House:
        return House(
            agent=self.agent,
            engine=self.engine,
            ports=self._media_ports(),
            board=self.board,
            keeper=self.keeper,
            inbox=self.loop.inbox,
            say=lambda text, args: self.texts.say(text, **args),
            now=self._clock,
            tell=self.publish,
            wall=_wall,
        )

    def _media_ports(self) -> MediaPorts:
        network = self._settings.network
        return MediaPorts(*network.rtp_ports, self._tokens, network.dscp_rtp)

    def _introduce(self, had: tuple[str, ...]) -> None:
        """The first inputs: what there is, and whether there is a network (it `had` these)."""
        self.loop.watch(self._view_changed)
        started = Started(
            paths=tuple(self.sounds.cards),
            has_bell=self.board.ringer is not None,
            has_hook=self.board.has_hook,
            volumes=tuple(self.keeper.volumes.items()),
            last_dialled=self.keeper.last_dialled,
            life=self._tokens.word(60),
        )
        self.loop.inbox.put(started)
        self.loop.inbox.welcome()
        inbox = self.loop.inbox
        self.keeper.texts.load(lambda texts: inbox.put(TextsKept(texts)), self._clock(), _wall())
        if self._fault is not None:
            self._judged(self._fault)
        self.addresses = AddressWatch(self._addresses_changed)
        self.loop.inbox.put(NetworkChanged(self._network_up(self.addresses.addresses)))
        if self.addresses.addresses != had:
            # An address came while we were starting: the first REGISTER may have had none.
            self._addresses_changed(self.addresses.addresses)

    def _serve_people(self) -> None:
        """Screen, page, signals: nothing that a call waits for."""
        if self._places.config is not None:
            self._offer_reload(self._places.config)
        self.desk.counters = self._counters
        self.desk.wall = _wall
        self.desk.texts = self.keeper.texts
        self.desk.words = self._words
        self.desk.settings = lambda: self._settings
        self.desk.xruns = lambda: self._xruns
        self.pulse.start()
        asyncio.get_running_loop().run_in_executor(None, self._recordings.mend)
        self._start_screen()
        self.desk.page = self._page.event
        self._page.use(self._settings)

    def _offer_reload(self, file: Path) -> None:
        last = LastGood.of(file, self._places.state)
        reloader = Reloader(last, self._settings, self.texts, self._apply, self._judged)
        reloader.faults = self.faults
        self.desk.reload = reloader.reload
        self.loop.watch(reloader.view_changed)
        self._reloader = reloader
        if self._is_to_reload:
            # The file may have changed since the start read it.
            reloader.ask()

    def _judged(self, fault: Notice | None) -> None:
        """The configuration file has faults, or none any more."""
        self.loop.inbox.put(ConfigJudged(fault))

    def _apply(self, old: Settings, new: Settings, texts: Texts) -> None:
        """Other settings are in force from now on."""
        self._settings, self.texts = new, texts
        speak(texts)
        if concern_lines(old, new):
            self._use_encryption()
            self._use_ways()
            self.signalling.use_lines(new)
            self.keeper.save()
            self.driver.settle()
        self._apply_network(old.network, new.network)
        if new.audio != old.audio:
            self.sounds.volumes = dict(self.loop.view.volumes)
            self.sounds.change(new.audio, self.engine)
        self._recordings.settings = new.recording
        for path, volume in plan(old, new).volumes:
            self.keeper.keep_volume(PathName(path), volume)
        if self._screen is not None:
            self._screen.use(new.time.zone, texts)
        self._page.use(new)
        self.loop.inbox.put(SettingsChanged(new))

    def _apply_network(self, before: NetworkSettings, after: NetworkSettings) -> None:
        if after.nat != before.nat:
            self.signalling.use_nat(self._settings)
            self.driver.settle()
        if after.stun != before.stun:
            self._use_stun()
        if after != before:
            self._use_ways()
        if (after.rtp_ports, after.dscp_rtp) != (before.rtp_ports, before.dscp_rtp):
            self.house.ports = self._media_ports()

    def _start_screen(self) -> None:
        if self.board.display is None:
            return
        zone = self._settings.time.zone
        self._screen = Screen(
            self.board.display,
            zone,
            self.texts,
            lambda: self.loop.view,
            self._shown,
            self.board.letters,
        )
        self.desk.screen = self._screen

    # --- running ----------------------------------------------------------------------------

    async def until_stopped(self) -> None:
        """Run until a signal, or `stop`."""
        await self._stop.wait()

    def stop(self) -> None:
        """End the program."""
        self._stop.set()

    def _words(self, phrase: Phrase) -> str:
        return self.texts.phrase(phrase)

    def publish(self, event: AnyEvent) -> None:
        """Tell whoever listens on the control socket."""
        self.control.publish(event)

    def _view_changed(self, old: PhoneView, new: PhoneView) -> None:
        if self._screen is not None:
            self._screen.changed()
        if len(self.control):
            house = self.house
            news = changes(old, new, house.reports, house.say, self._clock(), _wall())
            for event in news:
                self.control.publish(event)

    def _shown(self, picture: Picture) -> None:
        if self._screen is not None and len(self.control):
            png = self._screen.png()
            self.control.publish(ScreenEvent(_wall(), picture.width, picture.height, png))

    # --- the audio process ------------------------------------------------------------------

    def _report(self, report: AnyReport) -> None:
        self.pulse.audio_lives()
        if isinstance(report, EngineAlive):
            self._xruns, self._card_failures = report.xruns, report.card_failures
            self._drifts = report.drifts
        else:
            self.loop.inbox.put(report)

    def _engine_started(self) -> None:
        self._engine_starts += 1
        self.sounds.open_all(self.engine)
        if self._encryption is not None:
            self._encryption.prepare_engine()

    def _use_encryption(self) -> None:
        """Get ready for the lines that encrypt; a phone without them loads nothing of it."""
        encrypts = any(line.srtp != "off" for line in self._settings.lines)
        if self._encryption is None and encrypts:
            from firmware.runtime.encryption import Encryption  # noqa: PLC0415 - see above

            self.house.encryption = self._encryption = Encryption(self.house)
            self._encryption.prepare_engine()
        if self._encryption is not None:
            self._encryption.use(self._settings)

    def _use_ways(self) -> None:
        """Get ready for the lines that check their ways; without them nothing of it is loaded."""
        if self._ways is None and any(ways_of(line) != "off" for line in self._settings.lines):
            from firmware.runtime.ice import WayFinder  # noqa: PLC0415 - see above

            self.house.ways = self._ways = WayFinder(self.house, self.driver, self._tokens)
        if self._ways is not None:
            self._ways.use(self._settings)

    def _engine_lost(self, reason: str) -> None:
        _LOG.error(phrase("log.audio_gone", reason=reason))
        self.loop.inbox.put(EngineLost())

    # --- the network ------------------------------------------------------------------------

    def _use_stun(self) -> None:
        """Ask the STUN server of the settings, if there is one."""
        if self._outer is not None:
            self._outer.stop()
            self._outer = None
        if server := self._settings.network.stun:
            # Most phones have none, and need not know how to ask one.
            from firmware.runtime.outer_address import OuterAddress  # noqa: PLC0415 - see above

            self._outer = OuterAddress(server, self.driver, self._tokens)

    def _addresses_changed(self, addresses: tuple[str, ...]) -> None:
        _LOG.info(phrase("log.addresses", addresses=", ".join(addresses) or "–"))
        self.signalling.resolver.forget()
        self.loop.inbox.put(NetworkChanged(self._network_up(addresses)))
        self.agent.network_changed(self._clock(), frozenset(addresses))
        if self._outer is not None:
            self._outer.restart()
        if self._ways is not None:
            self._ways.look_up()
        self.driver.settle()

    def _network_up(self, addresses: tuple[str, ...]) -> bool:
        local = ("127.", "localhost", "[::1]")
        return bool(addresses) or any(
            line.server.startswith(local) for line in self._settings.lines
        )

    def _counters(self) -> dict[str, float]:
        return {
            "sip_open": len(self.agent),
            "names_cached": len(self.signalling.resolver),
            "control_clients": len(self.control),
            "loop_tasks": len(asyncio.all_tasks()),
            "audio_starts": self._engine_starts,
            "card_failures": self._card_failures,
            "handler_failures": self.loop.inbox.failures + self.driver.failures,
            "worst_lag_ms": round(self.pulse.worst_lag * 1000, 1),
            "lag_alarms": self.pulse.alarms,
            **{f"card_drift_ppm_{path.value}": ppm for path, ppm in self._drifts},
            **({} if self._ways is None else self._ways.figures()),
        }

    # --- stopping ---------------------------------------------------------------------------

    async def close(self) -> None:
        """BYE, de-register, silence, and let go of everything."""
        notify("STOPPING=1")
        await self._page.stop()
        self.pulse.stop()
        self.addresses.close()
        if self._outer is not None:
            self._outer.stop()
        self.loop.inbox.put(StopAsked())
        await self.signalling.say_goodbye()
        self.loop.close()
        if self._screen is not None:
            self._screen.close()
        await self.control.stop()
        if self._ways is not None:
            await self._ways.close()
        await self.engine.close()
        await self.driver.close()
        self.sounds.close()
        await self._recordings.close()
        self.board.close()
        await asyncio.to_thread(self.keeper.close)


def _wall() -> float:
    return time.time()  # noqa: TID251 - the edge where wall time enters


def _feed_watchdog() -> None:
    notify("WATCHDOG=1")
