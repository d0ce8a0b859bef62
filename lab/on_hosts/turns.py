"""Run on the client with its own Python: ask questions without end, and print each turn as a line of JSON.

Usage: python turns.py < ORDER, with ORDER in JSON:
    {"mark": makes the questions unique, "streams": [{"name", "url", "kind", "every_s", "timeout_s"}]}
`kind` is records, general or spoken (with "audio", a WAV file in base64). Each stream asks one question after
another in a session of its own, a new one when the old broke, until standard input has another line, or ends.

A line: {"stream", "kind", "session", "question", "asked", "ended", "ok", "said"}; times are Unix time.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from typing import Any

from hal.client.connection import GatewayConnection
from hal.client.errors import ClientError
from hal.client.sound_file import audio_from_bytes
from hal.client.turn import GatewayAnswer

QUESTIONS = {"records": "What medications am I taking?", "general": "Why is the sky blue?"}
SPOKEN = "spoken"


class Stream:
    """One client that asks the same kind of question again and again."""

    def __init__(self, order: dict[str, Any], mark: str) -> None:
        self._order = order
        self._mark = mark
        self._audio = base64.b64decode(order.get("audio", ""))
        self._gateway: GatewayConnection | None = None
        self._session = ""
        self._asked = 0

    async def run(self) -> None:
        """Ask until cancelled, at most once in `every_s` seconds."""
        while True:
            begin = time.monotonic()
            await self._turn()
            await asyncio.sleep(max(0.0, self._order["every_s"] - (time.monotonic() - begin)))

    async def _turn(self) -> None:
        self._asked += 1
        kind = self._order["kind"]
        # What is heard of a spoken question is the service's affair: its session tells it from the others.
        text = f"{QUESTIONS[kind]} {self._mark} {self._order['name']} {self._asked}" if kind != SPOKEN else ""
        asked = time.time()
        try:
            answer = await self._ask(text)
            ok, said = answer.ok, answer.text
        except ClientError as error:
            ok, said = False, str(error)
            await self._hang_up()
        line = {
            "stream": self._order["name"],
            "kind": kind,
            "session": self._session,
            "question": text,
            "asked": asked,
            "ended": time.time(),
            "ok": ok,
            "said": said,
        }
        print(json.dumps(line), flush=True)
        if kind == SPOKEN:
            await self._hang_up()

    async def _ask(self, text: str) -> GatewayAnswer:
        if self._gateway is None or not await self._gateway.still_answers():
            await self._hang_up()
            self._session = ""
            gateway = GatewayConnection(self._order["url"], timeout_s=self._order["timeout_s"])
            self._gateway = await gateway.__aenter__()
            self._session = gateway.session_id
        if text:
            return await self._gateway.ask(text)
        return await self._gateway.talk(audio_from_bytes(self._audio, "The question"))

    async def _hang_up(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.__aexit__(None, None, None)


async def main() -> None:
    """Run every stream until standard input has another line, or ends."""
    order = json.loads(sys.stdin.readline())
    streams = [Stream(stream, order["mark"]) for stream in order["streams"]]
    tasks = [asyncio.create_task(stream.run()) for stream in streams]
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


asyncio.run(main())
