"""One connection of each kind: what its events ask for, and what it is answered."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from abc import abstractmethod
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop, wav_to_chunks
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    Describe,
    HandleModel,
    HandleProgram,
    Info,
    TtsProgram,
    TtsVoice,
)
from wyoming.intent import Recognize
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler
from wyoming.tts import Synthesize

from hal.protocol import MAX_QUESTION_CHARACTERS
from hal.wyoming.backends import Failed, Gateway, Speech

log = logging.getLogger(__name__)

MAX_EVENT_BYTES = 2**20  # of its data, and of its sound
MAX_RECORDING_BYTES = 60 * 16_000 * 2 * 2  # a minute, stereo
SAMPLES_PER_CHUNK = 1_024
SECONDS_BETWEEN_EVENTS = 600.0
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError)


class BoundedReader:
    """A stream whose events may announce no more than MAX_EVENT_BYTES."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        """Return the next line, of 64 KiB at most."""
        async with asyncio.timeout(SECONDS_BETWEEN_EVENTS):
            return await self._reader.readline()

    async def readexactly(self, size: int) -> bytes:
        """Return so many bytes.

        Raises:
            ValueError: they are too many.
        """
        if not 0 <= size <= MAX_EVENT_BYTES:
            raise ValueError(f"an event of {size} bytes is too large")
        async with asyncio.timeout(SECONDS_BETWEEN_EVENTS):
            return await self._reader.readexactly(size)

    def feed_eof(self) -> None:
        """End the stream."""
        self._reader.feed_eof()


class Handler(AsyncEventHandler):
    """A connection; a client that sends nonsense is let go."""

    info: Info

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(BoundedReader(reader), writer)  # type: ignore[arg-type]  # all that it calls is there

    async def run(self) -> None:
        """Serve until the client leaves, sends nonsense, or nothing for ten minutes."""
        try:
            await super().run()
        except (*_MALFORMED, TimeoutError) as error:
            log.info("a client is let go: %r", error)

    async def handle_event(self, event: Event) -> bool:
        """Serve one event; those that mean nothing here are passed over, as the protocol wants."""
        if Describe.is_type(event.type):
            await self.write_event(self.info.event())
        elif Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
        else:
            try:
                await self.serve(event)
            except Failed as failure:
                await self.write_event(Error(text=str(failure), code="failed").event())
        return True

    @abstractmethod
    async def serve(self, event: Event) -> None:
        """Serve an event of this kind of connection.

        Raises:
            Failed: a service behind does not do its part.
        """


class SpeechToText(Handler):
    """Recognises speech: `transcribe`, sound, `audio-stop` → `transcript`."""

    def __init__(self, speech: Speech, language: str, *streams: Any) -> None:
        super().__init__(*streams)
        self._speech = speech
        self._language = self._default_language = language
        self.info = Info(
            asr=[
                AsrProgram(
                    **_described("hal", "HAL's speech recognition"),
                    models=[AsrModel(**_described("whisper", "Whisper"), languages=[language])],
                )
            ]
        )
        self._format: AudioStart | None = None
        self._sound = bytearray()

    async def serve(self, event: Event) -> None:
        """Keep what is sound, and recognise it when it is complete."""
        if Transcribe.is_type(event.type):
            self._language = Transcribe.from_event(event).language or self._default_language
        elif AudioStart.is_type(event.type):
            self._begin(AudioStart.from_event(event))
        elif AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            if self._format is None:  # some send no audio-start
                self._begin(AudioStart(rate=chunk.rate, width=chunk.width, channels=chunk.channels))
            self._sound += chunk.audio[: MAX_RECORDING_BYTES - len(self._sound)]
        elif AudioStop.is_type(event.type):
            text = await self._speech.transcribe(self._recording(), self._language) if self._sound else ""
            self._format, self._sound = None, bytearray()
            await self.write_event(Transcript(text=text, language=self._language).event())

    def _begin(self, start: AudioStart) -> None:
        if not (1 <= start.width <= 4 and 1 <= start.channels <= 2 and 8_000 <= start.rate <= 48_000):
            raise ValueError(f"sound of {start.rate} Hz, {start.width} bytes, {start.channels} channels")
        self._format, self._sound = start, bytearray()

    def _recording(self) -> bytes:
        assert self._format is not None  # noqa: S101 - there is sound
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setframerate(self._format.rate)
            file.setsampwidth(self._format.width)
            file.setnchannels(self._format.channels)
            frame = self._format.width * self._format.channels
            file.writeframes(self._sound[: len(self._sound) // frame * frame])
        return buffer.getvalue()


class TextToSpeech(Handler):
    """Speaks: `synthesize` → `audio-start`, sound, `audio-stop`."""

    def __init__(self, speech: Speech, language: str, *streams: Any) -> None:
        super().__init__(*streams)
        self._speech = speech
        self.info = Info(
            tts=[
                TtsProgram(
                    **_described("hal", "HAL's text to speech"),
                    voices=[TtsVoice(**_described("hal", "HAL's voice"), languages=[language])],
                )
            ]
        )

    async def serve(self, event: Event) -> None:
        """Speak a text."""
        if not Synthesize.is_type(event.type):
            return
        recording = await self._speech.speak(Synthesize.from_event(event).text)
        try:
            with wave.open(io.BytesIO(recording)) as file:
                for piece in wav_to_chunks(file, SAMPLES_PER_CHUNK, start_event=True, stop_event=True):
                    await self.write_event(piece.event())
        except (wave.Error, EOFError) as error:
            raise Failed("The speech service sent no recording.") from error


class Assistant(Handler):
    """Answers questions: `transcript` or `recognize` → `handled` or `not-handled`."""

    def __init__(self, gateway: Gateway, language: str, *streams: Any) -> None:
        super().__init__(*streams)
        self._gateway = gateway
        self.info = Info(
            handle=[
                HandleProgram(
                    **_described("hal", "HAL, the household's assistant"),
                    models=[HandleModel(**_described("hal", "HAL"), languages=[language])],
                )
            ]
        )

    async def serve(self, event: Event) -> None:
        """Ask HAL."""
        asked: Transcript | Recognize
        if Transcript.is_type(event.type):
            asked = Transcript.from_event(event)
        elif Recognize.is_type(event.type):
            asked = Recognize.from_event(event)
        else:
            return
        context = asked.context or {}
        conversation = str(context.get("conversation_id") or "")
        try:
            answer = await self._gateway.ask(asked.text[: MAX_QUESTION_CHARACTERS + 1], conversation)
        except Failed as failure:
            await self.write_event(NotHandled(text=str(failure), context=context or None).event())
            return
        reply = Handled if answer.is_answered else NotHandled
        await self.write_event(reply(text=answer.text, context=context or None).event())


def _described(name: str, description: str) -> dict[str, Any]:
    """Return what the protocol wants to know of every program and model."""
    return {
        "name": name,
        "description": description,
        "attribution": Attribution(name="HAL network", url="https://hal.invalid/"),
        "installed": True,
        "version": None,
    }
