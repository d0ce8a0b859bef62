"""Run on the client with its own Python: measure what a person who interrupts would feel.

Prints JSON: {"second_s": seconds to the answer to the second of two questions, "stop_ms": milliseconds from
`stop` during a transcription to the session's rest, "after": the answer to a question asked after that}.
"""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import websockets

CHUNK_BYTES = 48 << 10


async def until(socket, kind):
    """Return the next frame of a kind."""
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if frame["type"] == kind:
            return frame


async def ask(socket, text):
    """Ask by text and return the answer."""
    await socket.send(json.dumps({"type": "text_input", "text": text}))
    return (await until(socket, "response"))["text"]


async def main(url, audio):
    """Ask twice in a row, then interrupt a transcription."""
    async with websockets.connect(url) as socket:
        await until(socket, "connected")
        await ask(socket, "What medications am I taking?")
        begin = time.monotonic()
        await ask(socket, "What allergies do I have?")
        second = time.monotonic() - begin

        await socket.send(json.dumps({"type": "wake_word_detected"}))
        await until(socket, "state_change")
        for start in range(0, len(audio), CHUNK_BYTES):
            chunk = base64.b64encode(audio[start : start + CHUNK_BYTES]).decode()
            await socket.send(json.dumps({"type": "audio_chunk", "audio": chunk, "format": "wav"}))
        await socket.send(json.dumps({"type": "speech_ended"}))
        await until(socket, "processing")
        await asyncio.sleep(0.3)  # the transcription, which takes seconds, has begun
        begin = time.monotonic()
        await socket.send(json.dumps({"type": "command", "command": "stop"}))
        frame = await until(socket, "state_change")
        stop = time.monotonic() - begin
        assert frame["new_state"] == "passive_listening", frame
        after = await ask(socket, "What allergies do I have?")
    print(json.dumps({"second_s": second, "stop_ms": stop * 1000, "after": after}))


asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes()))
