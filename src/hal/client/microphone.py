"""Sound from the microphone, through whichever recorder this machine has."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncGenerator, Iterator

from hal.client.errors import TurnError, UsageError
from hal.client.turn import Audio
from hal.protocol import SAMPLE_RATE

CHUNK_BYTES = 2 * SAMPLE_RATE * 32 // 1000
"""32 ms of 16-bit mono, as clients in use send."""

_RATE = str(SAMPLE_RATE)
_ARECORD = ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", _RATE, "-c", "1"]
_SOX = ["rec", "-q", "-t", "raw", "-r", _RATE, "-c", "1", "-b", "16", "-e", "signed-integer", "-"]
_FFMPEG_OUTPUT = ["-f", "s16le", "-ar", _RATE, "-ac", "1", "-"]


def _ffmpeg(driver: str, device: str) -> list[str]:
    return ["ffmpeg", "-loglevel", "error", "-nostdin", "-f", driver, "-i", device, *_FFMPEG_OUTPUT]


_RECORDERS = {
    "darwin": ([_SOX, _ffmpeg("avfoundation", ":default")], "`brew install sox`"),
    "linux": ([_ARECORD, _SOX, _ffmpeg("alsa", "default")], "`sudo apt install alsa-utils`"),
}


def find_recorder(platform: str = sys.platform) -> list[str]:
    """Return the command that writes 16 kHz mono PCM16 to its standard output until it is ended.

    Raises:
        UsageError: this machine has none; the text says what to install.
    """
    commands, install = _RECORDERS.get(platform, _RECORDERS["linux"])
    for command in commands:
        if shutil.which(command[0]):
            return command
    names = ", ".join(command[0] for command in commands)
    raise UsageError(f"No program to record with ({names}): install one with {install}, or pass a recording.")


def audio_from_microphone(stop: asyncio.Event) -> Audio:
    """Record until `stop` is set, or whoever reads the chunks stops reading.

    Raises:
        UsageError: this machine has no recorder.
    """
    return Audio(_record(find_recorder(), stop), "pcm16", SAMPLE_RATE)


@contextlib.contextmanager
def enter_key() -> Iterator[asyncio.Event]:
    """Give an event that is set when the person presses Enter; never, if there is no keyboard."""
    pressed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_line() -> None:
        sys.stdin.readline()
        pressed.set()

    if not sys.stdin.isatty():
        yield pressed
        return
    loop.add_reader(sys.stdin, on_line)
    try:
        yield pressed
    finally:
        loop.remove_reader(sys.stdin)


async def _record(command: list[str], stop: asyncio.Event) -> AsyncGenerator[bytes]:
    """Run the recorder and yield what it hears."""
    pipe = asyncio.subprocess.PIPE
    recorder = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    if recorder.stdout is None or recorder.stderr is None:
        raise RuntimeError("the recorder was started without pipes")
    try:
        while not stop.is_set():
            try:
                yield await recorder.stdout.readexactly(CHUNK_BYTES)
            except asyncio.IncompleteReadError as rest:
                complaint = (await recorder.stderr.read()).decode(errors="replace").strip()
                if complaint:
                    raise TurnError(f"{command[0]} cannot record: {complaint.splitlines()[-1]}") from rest
                if rest.partial:
                    yield rest.partial
                return
    finally:
        with contextlib.suppress(ProcessLookupError):
            recorder.terminate()
        await recorder.wait()
