"""The phone's side of its sound cards: sockets, recordings, and the orders that open the paths.

The engine is told all of it anew whenever it starts: at the beginning, and after a crash.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping
from pathlib import Path

from firmware.base.phrase import phrase
from firmware.config.schema import AudioSettings
from firmware.media.kinds import CARD_RATE
from firmware.media.messages import Card, ClosePath, Microphone, PathName
from firmware.runtime.house import Engine
from firmware.runtime.paths import cards_of, listen_audio, open_orders
from firmware.storage.wav_writer import WavWriter
from hal.board import CardSpec
from hal.mixer_table import NO_MIXERS, Mixers

_LOG = logging.getLogger(__name__)


class Sounds:
    """The paths of this phone and what their cards need."""

    def __init__(
        self,
        audio: AudioSettings,
        board_cards: Mapping[str, CardSpec],
        audio_socket: Path,
        volumes: Mapping[PathName, int],
        mixers: Mixers = NO_MIXERS,
    ) -> None:
        self._audio = audio
        self._board_cards, self._mixers = board_cards, mixers
        self._socket_path = audio_socket
        self.volumes = dict(volumes)
        self.cards = cards_of(audio, board_cards, mixers)
        self._listener: socket.socket | None = None
        self._writers: dict[str, WavWriter] = {}

    def open_all(self, engine: Engine) -> None:
        """Make every path known to a new engine."""
        shared: set[Card] = set()
        for order in open_orders(self.cards, self._audio, self.volumes):
            # Paths with equal cards share a device; its descriptors travel once.
            fds = () if order.card in shared else self._descriptors(order.card)
            shared.add(order.card)
            engine.send(order, fds)

    def change(self, audio: AudioSettings, engine: Engine) -> None:
        """Use other cards from now on."""
        before, microphones = self.cards, self._microphones()
        self._audio, self.cards = audio, cards_of(audio, self._board_cards, self._mixers)
        if self.cards != before:
            for path in before:
                engine.send(ClosePath(path))
            self._finish_recordings({card.record for card in self.cards.values()})
        elif self._microphones() == microphones:
            return
        self.open_all(engine)

    def _microphones(self) -> list[Microphone | None]:
        orders = open_orders(self.cards, self._audio, self.volumes)
        return [order.microphone for order in orders]

    def close(self) -> None:
        """Finish the recordings, release the socket."""
        for writer in self._writers.values():
            writer.close()
        if self._listener is not None:
            self._listener.close()
            self._socket_path.unlink(missing_ok=True)

    def _finish_recordings(self, wanted: set[str]) -> None:
        """End what nobody records to any more; closing waits for the disk, the loop does not."""
        loop = asyncio.get_running_loop()
        for path in self._writers.keys() - wanted:
            loop.run_in_executor(None, self._writers.pop(path).close)

    def _descriptors(self, card: Card) -> tuple[int, ...]:
        try:
            if card.kind == "browser":
                return (self._listening().fileno(),)
            if card.kind == "file" and card.record:
                return (self._recording(card.record).descriptor,)
        except OSError as error:
            _LOG.error(phrase("log.card", card=card.kind, reason=error))
        return ()

    def _listening(self) -> socket.socket:
        if self._listener is None:
            self._listener = listen_audio(self._socket_path)
        return self._listener

    def _recording(self, path: str) -> WavWriter:
        if path not in self._writers:
            self._writers[path] = WavWriter(Path(path), CARD_RATE, _recording_failed)
        return self._writers[path]


def _recording_failed(reason: str) -> None:
    _LOG.error(phrase("log.recording", reason=reason))
