"""A conversation with the gateway over one WebSocket.

    async with GatewayConnection("ws://127.0.0.1:8768") as gateway:
        answer = await gateway.ask("What medications am I taking?")

Every failure is a ClientError whose text a person understands.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State as SocketState

from hal.client.errors import ConnectError, TurnError
from hal.client.explain import explain_close, explain_connect
from hal.client.turn import AnswerProgress, Audio, GatewayAnswer
from hal.protocol import ACTIVE_TIMEOUT_MS, RESPONSE_DELTA, Frame, ProtocolError, State, decode_object

GREETING_TIMEOUT_S = 5.0
"""How long the greeting may take (PROTOCOL: the server greets within 5 s)."""

CONNECT_TIMEOUT_S = 10.0
ANSWERS_TIMEOUT_S = 2.0
WAKE_WORD = "hal"

logger = logging.getLogger(__name__)


class GatewayConnection:
    """One session with the gateway; use it with `async with`, for one question after another.

    Arguments:
        url: ws:// or wss:// address.
        headers: HTTP headers to send, such as this device's token.
        tls: how to verify the server, for wss.
        timeout_s: how long an answer may take.
        greeting_timeout_s: how long the greeting may take.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 60.0,
        greeting_timeout_s: float = GREETING_TIMEOUT_S,
    ) -> None:
        self.url = url
        self.session_id = ""
        self._state = ""
        self._announcement: Frame = {"capabilities": [RESPONSE_DELTA]}  # goes with the first frame
        self._headers = dict(headers or {})
        self._tls = tls if url.startswith("wss:") else None
        self._timeout_s = timeout_s
        self._greeting_timeout_s = greeting_timeout_s
        self._socket: ClientConnection | None = None
        self._utterance_taken = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Connect and wait for the greeting.

        Raises:
            ConnectError: nothing there is a gateway that would serve this client.
        """
        try:
            # A proxy of the environment must never see the household's questions: proxy=None.
            self._socket = await connect(
                self.url,
                additional_headers=self._headers,
                ssl=self._tls,
                open_timeout=min(CONNECT_TIMEOUT_S, self._timeout_s),
                compression=None,
                proxy=None,
            )
        except (OSError, WebSocketException, EOFError) as error:
            raise ConnectError(explain_connect(error, self.url)) from error
        try:
            await self._greeting()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def is_open(self) -> bool:
        """Tell whether the connection can still carry a question."""
        return self._socket is not None and self._socket.state is SocketState.OPEN

    async def still_answers(self) -> bool:
        """Tell whether the gateway is still there; if not, the connection is of no more use.

        Asked before another question: a host that has lost power leaves its connections looking open, and
        what is sent into one may not be sent again, since nobody knows what became of it.
        """
        if not self.is_open:
            return False
        try:
            async with asyncio.timeout(ANSWERS_TIMEOUT_S):
                await (await self._connected().ping())
        except (TimeoutError, ConnectionClosed):
            self._connected().transport.abort()  # nobody would hear a farewell
            return False
        return True

    async def ask(self, question: str, progress: AnswerProgress | None = None) -> GatewayAnswer:
        """Ask by text; `progress` is told the answer's sentences while the rest is made.

        Raises:
            TurnError: no answer came; after this the connection is of no more use.
        """
        async with self._turn():
            await self._drain()
            await self._send({"type": "text_input", "text": question})
            return await self._receive_answer(time.monotonic(), progress)

    async def talk(self, audio: Audio, progress: AnswerProgress | None = None) -> GatewayAnswer:
        """Ask by voice: wake HAL, send the audio, and wait for transcript and answer.

        The audio is sent until it ends or the gateway has heard the end of the utterance.

        Raises:
            TurnError: no answer came; after this the connection is of no more use.
        """
        async with self._turn() as deadline, contextlib.aclosing(audio.chunks):
            await self._drain()
            await self._wake()
            deadline.reschedule(self._deadline(ACTIVE_TIMEOUT_MS / 1000))
            return await self._talk(audio, deadline, progress)

    async def playback_ended(self) -> None:
        """Tell the gateway that the answer has been spoken: the time for another question begins now."""
        with contextlib.suppress(ConnectionClosed):  # the next question opens another one
            await self._send({"type": "playback_ended"})

    async def round_trip_s(self) -> float:
        """Measure a ping to the gateway and back, in seconds.

        Raises:
            TurnError: no reply came.
        """
        async with self._turn():
            return await (await self._connected().ping())

    async def _talk(
        self, audio: Audio, deadline: asyncio.Timeout, progress: AnswerProgress | None
    ) -> GatewayAnswer:
        """Send and receive at once, because the gateway may end the utterance by itself."""
        self._utterance_taken.clear()
        sending = asyncio.create_task(self._send_utterance(audio))
        answering = asyncio.create_task(self._receive_answer(None, progress))
        try:
            # When the connection breaks, both tasks fail; the one that receives can tell why.
            await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not answering.done():
                with contextlib.suppress(ConnectionClosed):
                    sending.result()
                deadline.reschedule(self._deadline())
            return await answering
        finally:
            for task in (sending, answering):
                task.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)

    async def _send_utterance(self, audio: Audio) -> None:
        """Send the audio, then say that it ended."""
        sent = 0
        async for chunk in audio.chunks:
            if self._utterance_taken.is_set():
                return
            sent += len(chunk)
            await self._send(
                {
                    "type": "audio_chunk",
                    "audio": base64.b64encode(chunk).decode(),
                    "format": audio.format,
                    "sample_rate": audio.sample_rate,
                }
            )
        if not sent:
            raise TurnError("There was no sound to send.")
        # A container's bytes say little about its duration, and the gateway does not need it.
        milliseconds = sent * 1000 // (2 * audio.sample_rate) if audio.format == "pcm16" else 0
        await self._send({"type": "speech_ended", "duration_ms": milliseconds})

    async def _wake(self) -> None:
        """Say the wake word, unless the gateway already listens."""
        if self._state == State.ACTIVE_LISTENING:
            return
        await self._send({"type": "wake_word_detected", "wake_word": WAKE_WORD, "confidence": 1.0})
        while self._state != State.ACTIVE_LISTENING:
            await self._receive()

    async def _receive_answer(self, asked_at: float | None, progress: AnswerProgress | None) -> GatewayAnswer:
        """Read frames until the answer; `asked_at` is None while the question is still being spoken."""
        heard = ""
        while True:
            frame = await self._receive()
            match frame.get("type"):
                case "processing":
                    self._utterance_taken.set()
                    asked_at = asked_at or time.monotonic()
                case "transcription":
                    asked_at = asked_at or time.monotonic()
                    heard = str(frame.get("text") or "")
                    if progress and heard:
                        progress.heard(heard)
                case "response_delta" if progress:
                    progress.said(str(frame.get("text") or ""))
                case "response":
                    seconds = time.monotonic() - asked_at if asked_at else 0.0
                    return GatewayAnswer.from_response(frame, heard, seconds)
                case "state_change" if self._state == State.PASSIVE_LISTENING and asked_at is None:
                    raise TurnError(f"The gateway at {self.url} stopped listening before the question ended.")

    async def _greeting(self) -> None:
        """Wait for `connected`.

        Raises:
            ConnectError: it does not come, or something else does.
        """
        try:
            async with asyncio.timeout(self._greeting_timeout_s):
                frame = await self._receive()
        except TimeoutError as error:
            raise ConnectError(
                f"{self.url} accepted the connection but did not greet within "
                f"{self._greeting_timeout_s:g} s: check that the URL is the gateway's."
            ) from error
        except ConnectionClosed as error:
            raise ConnectError(explain_close(error, self.url)) from error
        except (TurnError, ProtocolError) as error:
            raise ConnectError(f"{self.url} does not greet as HAL's gateway does: {error}") from error
        if frame.get("type") != "connected":
            raise ConnectError(f"{self.url} does not greet as HAL's gateway does: check the URL.")
        self.session_id = str(frame.get("session_id") or "")
        self._state = str(frame.get("state") or State.PASSIVE_LISTENING)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncGenerator[asyncio.Timeout]:
        """Bound a turn in time, and tell its failures in a person's words."""
        try:
            async with asyncio.timeout_at(self._deadline()) as deadline:
                yield deadline
        except TimeoutError as error:
            raise TurnError(
                f"The gateway at {self.url} did not answer within {self._timeout_s:g} s: "
                "try again, or allow more time with --timeout."
            ) from error
        except ConnectionClosed as error:
            raise TurnError(explain_close(error, self.url)) from error
        except ProtocolError as error:
            raise TurnError(
                f"The gateway at {self.url} sent something that is not HAL's protocol."
            ) from error

    def _deadline(self, extra_s: float = 0.0) -> float:
        """Return when an answer must be there, by the event loop's clock."""
        return asyncio.get_running_loop().time() + self._timeout_s + extra_s

    def _connected(self) -> ClientConnection:
        if self._socket is None:
            raise RuntimeError("use `async with GatewayConnection(…)`")
        return self._socket

    async def _send(self, frame: Frame) -> None:
        announcement, self._announcement = self._announcement, {}
        await self._connected().send(json.dumps(frame | {"session_id": self.session_id} | announcement))
        logger.debug("sent %s", frame["type"])

    async def _receive(self) -> Frame:
        """Read one frame of the running turn.

        Raises:
            TurnError: the gateway reports a fault.
        """
        frame = await self._read()
        if frame.get("type") == "error":
            raise TurnError(
                f"The gateway at {self.url} refused: {frame.get('message') or 'no reason given'}."
            )
        return frame

    async def _read(self) -> Frame:
        """Read one frame, and note the session's state."""
        frame = decode_object(await self._connected().recv())
        logger.debug("received %s %s", frame.get("type"), frame.get("new_state") or "")
        if frame.get("type") == "state_change":
            self._state = str(frame.get("new_state"))
        return frame

    async def _drain(self) -> None:
        """Read what came since the last turn, such as the end of the follow-up window."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                while True:
                    await self._read()

    async def _close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
