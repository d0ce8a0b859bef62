"""One client that asks by text, again and again: `python -m bench.asker PORT SECONDS` prints the times."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time

from websockets.asyncio.client import connect

from bench.processes import LIFETIME_S

EVERY_S = 0.05


async def ask(port: int, seconds: float) -> list[float]:
    """Ask for so long and return how long each answer took, in milliseconds."""
    took = []
    async with connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None) as socket:
        print("ready", flush=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked = time.perf_counter()
            await socket.send('{"type": "text_input", "session_id": "s", "text": "What now?"}')
            while (frame := json.loads(await socket.recv()))["type"] != "response":
                pass
            if frame.get("status", "success") != "success":
                raise RuntimeError(f"a question was not answered: {frame['text']}")
            took.append(1_000 * (time.perf_counter() - asked))
            await asyncio.sleep(EVERY_S)
    return took


if __name__ == "__main__":
    signal.alarm(LIFETIME_S)
    print(json.dumps(asyncio.run(ask(int(sys.argv[1]), float(sys.argv[2])))))
