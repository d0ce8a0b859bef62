"""One address cannot take the gateway from the others: attacks from 127.0.0.2, and a client on 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import time

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from hal.shared.limits import Limits, Sources, TokenBucket, source_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
ATTACKER = ("127.0.0.2", 0)
ATTACK_S = 2.0
PING = b"\x89\x80\0\0\0\0"
EMPTY_TEXT = b"\x81\x80\0\0\0\0"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def timed_turns(client, seconds, least=10):
    """Ask again and again; return how long each turn took, in seconds."""
    turns, end = [], time.monotonic() + seconds
    while len(turns) < least or time.monotonic() < end:
        begun = time.monotonic()
        assert (await client.ask("list my medications"))["status"] == "success"
        turns.append(time.monotonic() - begun)
        await asyncio.sleep(0.02)
    return turns


async def flood_of(port, data):
    """Send the same bytes over and over on one connection, reading what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=ATTACKER)

    async def drain():
        with contextlib.suppress(ConnectionError):
            while await reader.read(2**20):
                pass

    draining = asyncio.create_task(drain())
    try:
        writer.write(HANDSHAKE)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(data)
                await writer.drain()
    finally:
        draining.cancel()
        writer.transport.abort()


async def pings(port):
    await flood_of(port, PING * 10_000)


async def empty_frames(port):
    await flood_of(port, EMPTY_TEXT * 10_000)


async def half_open(port):
    """Open connections that never finish their request, 300 in all, and keep what is kept."""
    opened = []
    try:
        for _ in range(300):
            opened.append(await asyncio.open_connection("127.0.0.1", port, local_addr=ATTACKER))
            opened[-1][1].write(b"GET / HT")
            await asyncio.sleep(0)
        await asyncio.Event().wait()
    finally:
        for _, writer in opened:
            writer.transport.abort()


async def sessions(port):
    """Open session after session and keep those that are given."""
    async with contextlib.AsyncExitStack() as kept:
        for _ in range(150):
            with contextlib.suppress(ConnectionClosed, InvalidMessage, InvalidStatus, OSError):
                session = connect(f"ws://127.0.0.1:{port}", local_addr=ATTACKER, compression=None, proxy=None)
                await kept.enter_async_context(session)
        await asyncio.Event().wait()


@pytest.mark.parametrize("attack", [pings, empty_frames, half_open, sessions])
async def test_under_an_attack_turns_stay_quick_and_others_get_in(attack, start_gateway, open_client):
    gateway = await start_gateway(max_sessions=80)
    canary = await open_client(gateway)
    quiet = statistics.median(await timed_turns(canary, 0.5))
    attacking = asyncio.create_task(attack(gateway.ports[0]))
    try:
        turns = await timed_turns(canary, ATTACK_S)
        newcomer = await open_client(gateway)
        assert (await newcomer.ask("list my allergies"))["status"] == "success"
    finally:
        attacking.cancel()
        await asyncio.wait([attacking])
    # The attacker, the gateway and the back ends share this process and its processor.
    assert statistics.median(turns) < max(10 * quiet, 0.1)
    assert max(turns) < 3


async def test_an_address_has_so_many_sessions_and_no_more(start_gateway, open_client):
    gateway = await start_gateway(address_sessions=1)
    first = await open_client(gateway)
    with pytest.raises(ConnectionClosed) as caught:
        await open_client(gateway)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1013, "too many sessions from this address")
    assert (await (await open_client(gateway, local_addr=ATTACKER)).ask("one"))["status"] == "success"
    await first.socket.close()
    assert (await (await open_client(gateway)).ask("one"))["status"] == "success"


async def test_behind_a_proxy_each_client_counts_by_itself(start_gateway):
    proxied = {"trusted_proxies": ("127.0.0.1/32",), "trusted_networks": ("10.1.0.0/16",)}
    gateway = await start_gateway(address_handshakes_per_minute=2, **proxied)
    url = f"http://127.0.0.1:{gateway.ports[0]}/healthz"

    async def status(client):
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(url, headers={"X-Forwarded-For": client})).status_code

    assert [await status("10.1.0.1") for _ in range(3)] == [200, 200, 429]
    assert await status("10.1.0.2") == 200


async def test_connections_that_are_gone_no_longer_count(start_gateway, open_client, until):
    gateway = await start_gateway(address_connections=2, max_connections=2)
    clients = [await open_client(gateway) for _ in range(2)]
    with pytest.raises((InvalidMessage, OSError)):
        await open_client(gateway)
    for client in clients:
        await client.socket.close()
    await until(lambda: not gateway.sessions)
    assert (await (await open_client(gateway)).ask("one"))["status"] == "success"


def test_a_bucket_lets_through_its_burst_and_then_its_rate():
    now = [0.0]
    bucket = TokenBucket(lambda: now[0], rate=2, burst=3)
    assert [bucket.refuses() for _ in range(4)] == [False, False, False, True]
    now[0] += 0.5
    assert [bucket.refuses() for _ in range(2)] == [False, True]
    assert bucket.delay(2) == pytest.approx(1)


def test_addresses_that_have_left_are_forgotten():
    now = [0.0]
    sources = Sources(Limits(handshakes_per_minute=1), lambda: now[0])
    first = sources.of("10.1.0.1")
    assert sources.of("::ffff:10.1.0.1") is first
    now[0] += 1_000
    sources.of("10.1.0.2")
    assert sources.of("10.1.0.1") is not first


def test_a_network_of_ipv6_counts_as_one():
    assert source_of("2001:db8::1") == source_of("2001:db8::ffff:1") != source_of("2001:db8:0:1::1")
