"""Many callers, slow callers, callers who leave: the service stays bounded and answers its health check."""

from __future__ import annotations

import asyncio
import contextlib
import json

import httpx
import pytest

from hal.speech import body
from hal.speech.main import make_server

from .conftest import WAIT_S, eventually, spoken, wav


async def test_health_answers_during_a_transcription(on_port, transcriber):
    client = await on_port(workers=1)
    transcriber.release.clear()
    turn = asyncio.create_task(client.post("/transcribe", json=spoken(wav())))
    await transcriber.started()
    for _ in range(20):
        reply = await asyncio.wait_for(client.get("/health"), 1)
        assert reply.status_code == 200
    assert not turn.done()
    transcriber.release.set()
    assert (await turn).json()["text"] == "hello"


async def test_a_full_queue_is_refused_and_empties(on_port, transcriber):
    client = await on_port(workers=1, queue=2)
    transcriber.release.clear()
    turns = [asyncio.create_task(client.post("/transcribe", json=spoken(wav()))) for _ in range(6)]
    replies = []
    for turn in asyncio.as_completed(turns):
        replies.append(await turn)
        if len(replies) == 3:
            transcriber.release.set()
    assert sorted(reply.status_code for reply in replies) == [200, 200, 200, 503, 503, 503]
    assert all(int(r.headers["Retry-After"]) > 0 and "busy" in r.json()["detail"] for r in replies[:3])
    assert (await client.post("/transcribe", json=spoken(wav()))).status_code == 200


async def test_a_caller_who_leaves_cancels_queued_and_running_work(on_port, transcriber):
    client = await on_port(workers=1, queue=1)
    transcriber.release.clear()
    running = asyncio.create_task(client.post("/transcribe", json=spoken(wav())))
    await transcriber.started()
    queued = asyncio.create_task(client.post("/transcribe", json=spoken(wav())))

    async def in_progress(count: float) -> None:
        """Wait until the metrics say so."""
        async with asyncio.timeout(WAIT_S):
            while await metric() != count:  # noqa: ASYNC110 - what is asked is behind HTTP
                await asyncio.sleep(0.01)

    async def metric() -> float:
        lines = (await client.get("/metrics")).text.splitlines()
        return float(
            next(line for line in lines if line.startswith("hal_speech_requests_in_progress")).split()[1]
        )

    await in_progress(2)
    for turn in (queued, running):
        turn.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turn
    await eventually(transcriber.abandoned.is_set)
    await in_progress(0)
    assert len(transcriber.calls) == 1  # the queued one never began
    transcriber.release.set()
    assert (await client.post("/transcribe", json=spoken(wav()))).status_code == 200


async def test_a_body_that_never_ends_is_cut_off(on_port):
    client = await on_port(max_audio_bytes=50_000)
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 65_536
            yield b"A" * 65_536

    with contextlib.suppress(httpx.TransportError):
        async with asyncio.timeout(WAIT_S):
            reply = await client.post("/transcribe", content=limited(endless(), 40))
            assert reply.status_code == 413
    assert (await client.get("/health")).status_code == 200


async def limited(chunks, count):
    async for chunk in chunks:
        yield chunk
        count -= 1
        if not count:
            return


async def test_a_slow_upload_is_given_up_and_frees_its_place(on_port):
    client = await on_port(workers=1, queue=0, upload_timeout_s=0.2)
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /transcribe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    async with asyncio.timeout(WAIT_S):
        assert b" 408 " in await reader.readline()
    writer.close()
    assert (await client.post("/transcribe", json=spoken(wav()))).status_code == 200


async def test_slow_uploads_of_one_address_hold_no_place(on_port):
    client = await on_port(workers=1, queue=1)
    stalled = []
    for _ in range(20):
        stalled.append(
            await asyncio.open_connection(
                client.base_url.host, client.base_url.port, local_addr=("127.0.0.2", 0)
            )
        )
        stalled[-1][1].write(b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    try:
        async with asyncio.timeout(WAIT_S):
            assert b" 503 " in await stalled[-1][0].readline()  # all 20 have arrived
        assert (await client.post("/transcribe", json=spoken(wav()))).status_code == 200
    finally:
        for _, writer in stalled:
            writer.transport.abort()


async def test_an_upload_that_stalls_is_ended(on_port, monkeypatch):
    monkeypatch.setattr(body, "STALL_S", 0.1)
    client = await on_port()
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    async with asyncio.timeout(WAIT_S):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_an_announced_size_is_refused_before_it_is_sent(on_port):
    client = await on_port()
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /transcribe HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n")
    async with asyncio.timeout(WAIT_S):
        assert b" 413 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff" * 500,
        b"POST /transcribe HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused(on_port, garbage):
    client = await on_port()
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(garbage)
    async with asyncio.timeout(WAIT_S):
        answer = await reader.read()
    assert b" 400 " in answer.partition(b"\r\n")[0]
    writer.close()
    assert (await client.get("/health")).status_code == 200


async def test_requests_in_flight_end_before_the_service_does(make_service, transcriber):
    service = make_service(drain_timeout_s=WAIT_S)
    service.model.load()
    server = make_server(service._settings, service)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        transcriber.release.clear()
        turn = asyncio.create_task(client.post("/transcribe", json=spoken(wav())))
        await transcriber.started()
        server.should_exit = True
        transcriber.release.set()
        assert json.loads((await turn).text)["text"] == "hello"
    await asyncio.wait_for(serving, WAIT_S)
