"""Speech for tests, made by espeak-ng when they run: none of it is kept in the repository."""

import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

from firmware.base.pcm import audioop
from tests.support.machine_lacks import need_program

TEXT = (
    "The operator said that nine hundred and seventeen people waited in a row. Please hold the "
    "line, we are putting you through to Mister Underhill. Oh no, you dialled the wrong number, "
    "sir! Which extension would you like? A few more fuses, eleven blue wheels, and who knows "
    "what else. She sells sea shells; mamma may marry me in May."
)


@lru_cache
def speech(rate: int, text: str = TEXT, voice: str = "en", speed: int = 160) -> bytes:
    """A text as 16-bit mono samples at a level of ordinary speech."""
    need_program("espeak-ng", "espeak-ng")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(
            ["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(path), text],
            check=True,
            timeout=20,
            capture_output=True,
        )
        with wave.open(str(path)) as wav:
            pcm, own_rate = wav.readframes(wav.getnframes()), wav.getframerate()
    if own_rate != rate:
        pcm, _ = audioop.ratecv(pcm, 2, 1, own_rate, rate, None)
    return audioop.mul(pcm, 2, 2000 / audioop.rms(pcm, 2))
