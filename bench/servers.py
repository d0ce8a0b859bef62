"""What the gateway is measured against and with: a bare WebSocket server, and a listener that says yes."""

from __future__ import annotations

import asyncio
import base64
import json
import sys

from websockets.asyncio.server import ServerConnection, serve

GREETING = json.dumps({"type": "connected", "session_id": "s", "state": "passive_listening"})
PROCESSING, STATE_CHANGE = (json.dumps({"type": kind}) for kind in ("processing", "state_change"))


def run_bare(listener_port: int) -> None:
    """Serve WebSocket on a free port of loopback, with nothing around it."""

    async def talk(socket: ServerConnection) -> None:
        """Greet, decode every frame as the gateway does, and have the listener answer questions."""
        await socket.send(GREETING)
        async for message in socket:
            frame = json.loads(message)
            if frame["type"] == "audio_chunk":
                base64.b64decode(frame["audio"], validate=True)
            elif frame["type"] == "text_input":
                await socket.send(PROCESSING)
                reader, writer = await asyncio.open_connection("127.0.0.1", listener_port)
                writer.write(json.dumps({"transcription": frame["text"]}).encode() + b"\n")
                reply = json.loads(await reader.readline())
                writer.close()
                await socket.send(json.dumps({"type": "response", "text": reply["response_text"]}))
                await socket.send(STATE_CHANGE)

    async def run() -> None:
        async with serve(talk, "127.0.0.1", 0, compression=None) as server:
            _say(next(iter(server.sockets)).getsockname()[1])
            await asyncio.Event().wait()

    asyncio.run(run())


def run_listener() -> None:
    """Serve the listener's protocol on a free port of loopback; every question is answered with "yes"."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"response_text": "yes", "intent": "GENERAL", "status": "success"}\n')
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        _say(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())


def _say(port: int) -> None:
    print(f"listening on 127.0.0.1:{port}", file=sys.stderr, flush=True)
