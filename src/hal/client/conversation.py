"""Questions one after another, typed or piped in, on one connection."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Self

from hal.client.answer_output import AnswerOutput
from hal.client.connection import GatewayConnection
from hal.client.errors import EXIT_OK, EXIT_TURN_FAILED, ClientError, ConnectError
from hal.client.settings import ClientSettings
from hal.client.turn import AnswerProgress, GatewayAnswer

PROMPT = "HAL> "
_FAREWELLS = frozenset({"exit", "quit", "bye", "goodbye"})


def connect_to(settings: ClientSettings) -> GatewayConnection:
    """Return a connection, not yet open, to the gateway that the settings name.

    Raises:
        UsageError: a setting is missing or wrong.
    """
    return GatewayConnection(
        settings.require_gateway(),
        headers=settings.headers(),
        tls=settings.tls(),
        timeout_s=settings.timeout,
    )


class Conversation:
    """One connection for many questions; opened again when it was lost."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._gateway: GatewayConnection | None = None

    async def open(self) -> GatewayConnection:
        """Return the connection, opened if need be.

        Raises:
            ClientError: it cannot be.
        """
        if self._gateway is not None and not await self._gateway.still_answers():
            await self.close()
        if self._gateway is None:
            self._gateway = await connect_to(self._settings).__aenter__()
        return self._gateway

    async def ask(self, question: str, progress: AnswerProgress | None = None) -> GatewayAnswer:
        """Ask one question; `progress` is told the answer's sentences while the rest is made.

        Raises:
            ClientError: there was no answer; the next question opens a new connection.
        """
        gateway = await self.open()
        try:
            return await gateway.ask(question, progress)
        except ClientError:
            await self.close()
            raise

    async def playback_ended(self) -> None:
        """Tell the gateway that the answer has been spoken."""
        if self._gateway is not None:
            await self._gateway.playback_ended()

    async def close(self) -> None:
        """Close the connection, if it is open."""
        if self._gateway is not None:
            await self._gateway.__aexit__(None, None, None)
            self._gateway = None


async def ask_and_show(
    gateway: GatewayConnection | Conversation, question: str, output: AnswerOutput
) -> GatewayAnswer:
    """Ask one question, and show its answer while it is made.

    Raises:
        ClientError: there was none.
    """
    async with output:
        answer = await gateway.ask(question, output)
        output.finish(question, answer)
    if output.has_spoken:
        await gateway.playback_ended()
    return answer


def converse(
    settings: ClientSettings,
    make_output: Callable[[], AnswerOutput],
    complain: Callable[[str, ClientError], None],
) -> int:
    """Ask every line of standard input; with a keyboard, at a prompt.

    Arguments:
        settings: how to reach the gateway.
        make_output: makes what shows an answer.
        complain: called with a question and why it has none, if the conversation goes on.

    Returns:
        The exit code: that of the last failure, if any.

    Raises:
        ClientError: the gateway cannot be reached at the start.
    """
    conversation = Conversation(settings)
    exit_code = EXIT_OK
    with _BackgroundLoop() as loop:
        loop.run(conversation.open())
        try:
            for question in _questions():
                try:
                    answer = loop.run(ask_and_show(conversation, question, make_output()))
                except ClientError as error:
                    if isinstance(error, ConnectError) and not sys.stdin.isatty():
                        raise
                    complain(question, error)
                    exit_code = error.exit_code
                else:
                    exit_code = exit_code if answer.ok else EXIT_TURN_FAILED
        finally:
            loop.run(conversation.close())
    return exit_code


def _questions() -> Iterator[str]:
    """Yield the lines that are not blank until the input ends or a person leaves."""
    keyboard = sys.stdin.isatty()
    while True:
        try:
            line = (input(PROMPT) if keyboard else input()).strip()
        except EOFError:
            if keyboard:
                print()
            return
        if keyboard and line.lower() in _FAREWELLS:
            return
        if line:
            yield line


class _BackgroundLoop:
    """An event loop in a thread of its own.

    It answers the gateway's pings while the main thread waits at the prompt, which has to be the
    main thread for line editing and Ctrl-C to work.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def run[T](self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine there and wait for what it returns."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
