"""The services behind: speech over HTTP, the gateway over WebSocket."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from hal.protocol import ProtocolError, Status, clean_text, decode_object
from hal.shared.tls import client_context

log = logging.getLogger(__name__)

MAX_CONVERSATIONS = 32  # whose session at the gateway is kept, for follow-up questions


class Failed(Exception):
    """A service did not do what it was asked for; the text is fit for a person."""


class Speech:
    """Speech recognition and text to speech."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._client = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=timeout_s, trust_env=False)

    async def transcribe(self, recording: bytes, language: str) -> str:
        """Return what is said in a recording; empty when nothing is.

        Raises:
            Failed: it cannot be had.
        """
        order = {"audio": base64.b64encode(recording).decode(), "language": language, "task": "transcribe"}
        try:
            text = (await self._post("/transcribe", order)).json()["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise Failed("The speech service sent no text.") from error
        return clean_text(str(text))

    async def speak(self, text: str) -> bytes:
        """Return a text as a WAV file.

        Raises:
            Failed: it cannot be had.
        """
        return (await self._post("/v1/audio/speech", {"input": text, "response_format": "wav"})).content

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, path: str, order: dict[str, str]) -> httpx.Response:
        try:
            reply = await self._client.post(path, json=order)
        except httpx.HTTPError as error:
            raise Failed(f"The speech service does not answer: {type(error).__name__}.") from error
        if reply.status_code != httpx.codes.OK:
            log.warning("%s answered HTTP %d: %.200s", path, reply.status_code, reply.text)
            raise Failed(f"The speech service refused, with HTTP {reply.status_code}.")
        return reply


@dataclass(frozen=True, slots=True)
class Answer:
    """What HAL says, and whether it is an answer or why there is none."""

    text: str
    is_answered: bool


class Gateway:
    """Asks the gateway, in one session for each conversation, so that follow-up questions are understood."""

    def __init__(self, urls: Sequence[str], timeout_s: float, ca_file: Path | None = None) -> None:
        """Prepare; `hal.wyoming.settings` says what the arguments are.

        Raises:
            ValueError: the authority's certificate is unreadable or malformed.
        """
        self._urls = urls
        self._context = client_context(ca_file)
        self._timeout_s = timeout_s
        self._idle: dict[str, ClientConnection] = {}  # by conversation, the longest idle first

    async def ask(self, question: str, conversation: str = "") -> Answer:
        """Ask a question; of conversations without a name each question stands alone.

        Raises:
            Failed: there was no answer.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                socket = await self._session(conversation)
                try:
                    answer = await _answer(socket, question)
                except BaseException:
                    await socket.close()
                    raise
        except (OSError, WebSocketException, ProtocolError, TimeoutError) as error:
            log.warning("the gateway did not answer: %r", error)
            raise Failed("HAL cannot be reached right now. Please try again in a moment.") from error
        await self._keep(conversation, socket)
        return answer

    async def close(self) -> None:
        """Leave all sessions."""
        while self._idle:
            await self._idle.popitem()[1].close()

    async def _session(self, conversation: str) -> ClientConnection:
        """Return the session of a conversation if it still answers, else a new one at the first gateway."""
        if known := self._idle.pop(conversation, None):
            try:
                async with asyncio.timeout(2):
                    await (await known.ping())
                return known
            except (WebSocketException, TimeoutError):
                known.transport.abort()
        fault: Exception = OSError("no gateway is named")
        for url in self._urls:
            try:
                socket = await connect(
                    url,
                    ssl=self._context if url.startswith("wss:") else None,
                    open_timeout=self._timeout_s / 4,
                    compression=None,
                    proxy=None,
                )
                await socket.recv()  # the greeting
                return socket
            except (OSError, WebSocketException, TimeoutError) as error:
                fault = error
        raise fault

    async def _keep(self, conversation: str, socket: ClientConnection) -> None:
        if older := self._idle.pop(conversation, None):
            await older.close()
        if not conversation:
            await socket.close()
            return
        self._idle[conversation] = socket
        if len(self._idle) > MAX_CONVERSATIONS:
            await self._idle.pop(next(iter(self._idle))).close()


async def _answer(socket: ClientConnection, question: str) -> Answer:
    await socket.send(json.dumps({"type": "text_input", "text": question}))
    while True:
        frame = decode_object(await socket.recv())
        if frame.get("type") == "error":
            raise ProtocolError(str(frame.get("message")))
        if frame.get("type") == "response":
            return Answer(str(frame.get("text")), frame.get("status") != Status.ERROR)
