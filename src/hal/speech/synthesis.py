"""Text to speech through Piper's own HTTP server, which is a process of its own (GPL-3.0).

Source: `piper/http_server.py` of piper-tts 1.8.0, whose `POST /synthesize` takes {"text": …} and
answers with a WAV file, labelled as HTML.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from hal.shared.speakable import speakable
from hal.speech.body import parse_json, text_field
from hal.speech.encoding import ENCODINGS, encode
from hal.speech.errors import Busy, Malformed, Refusal, Unavailable

MAX_TEXT = 4_096  # characters, as OpenAI's API has it
DEFAULT_FORMAT = "mp3"  # likewise
MIN_SPEED = 0.25
MAX_SPEED = 4.0
MAX_AT_ONCE = 8
RETRIES = 1  # a restarted Piper leaves a dead connection in the pool


@dataclass(frozen=True, slots=True)
class Speech:
    """What is to be said; `speed` 1.0 is the voice's own."""

    text: str
    response_format: str
    speed: float

    @classmethod
    def from_json(cls, body: bytes) -> Speech:
        """Read the body of `POST /v1/audio/speech`; `model`, `voice` and `instructions` change nothing:
        there is one voice.

        Raises:
            Refusal: something in it is missing or wrong.
        """
        fields = parse_json(body)
        written = text_field(fields, "input", "").strip()
        if len(written) > MAX_TEXT:
            raise Refusal(f'"input" is longer than {MAX_TEXT} characters: send it in shorter pieces.')
        text = speakable(
            written
        )  # what comes straight from a language model is not read out as it is written
        if not text:
            raise Refusal('"input" holds nothing that can be spoken.')
        response_format = text_field(fields, "response_format", DEFAULT_FORMAT)
        if response_format not in ENCODINGS:
            raise Refusal(f"response_format must be one of {', '.join(ENCODINGS)}.")
        if text_field(fields, "stream_format", "audio") != "audio":
            raise Refusal('stream_format must be "audio": speech is not sent as events here.')
        speed = fields.get("speed", 1.0)
        if isinstance(speed, bool) or not isinstance(speed, int | float):
            raise Malformed('"speed" must be a number.')
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise Refusal(f'"speed" must be between {MIN_SPEED} and {MAX_SPEED}.')
        return cls(text, response_format, speed)


class Synthesiser:
    """Asks Piper to speak."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """Prepare; `url` is the base of Piper's server, empty when there is none."""
        self._url = url.rstrip("/")
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._client = httpx.AsyncClient(
            timeout=timeout_s, trust_env=False, transport=httpx.AsyncHTTPTransport(retries=RETRIES)
        )

    async def speak(self, speech: Speech) -> bytes:
        """Return the speech in the format asked for.

        Raises:
            Unavailable: there is no text to speech, or it does not answer as it should.
        """
        if not self._url:
            raise Unavailable("Text to speech is not set up on this server.")
        if self._at_once.locked():
            raise Busy("Text to speech is busy.")
        order = {"text": speech.text} | ({"length_scale": 1 / speech.speed} if speech.speed != 1 else {})
        async with self._at_once:
            try:
                reply = await self._client.post(f"{self._url}/synthesize", json=order)
            except httpx.TimeoutException as error:
                raise Unavailable("Text to speech did not answer in time.") from error
            except httpx.HTTPError as error:
                raise Unavailable("Text to speech does not answer: check that hal-tts runs.") from error
        if reply.status_code != httpx.codes.OK or reply.content[:4] != b"RIFF":
            raise Unavailable(
                f"Text to speech answered HTTP {reply.status_code} without a recording: see its journal."
            )
        try:
            return await asyncio.to_thread(encode, reply.content, speech.response_format)
        except ValueError as error:
            raise Unavailable("Text to speech sent a damaged recording: see its journal.") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
