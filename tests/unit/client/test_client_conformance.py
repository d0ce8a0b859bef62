"""`hal conformance`, against the engine and against listeners that do not conform."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC

import pytest
import yaml

from hal.client.conformance import EXCHANGES, Exchange, load_exchanges
from hal.client.errors import UsageError
from hal.engine import database
from hal.engine.clock import clock_in
from hal.engine.engine import Engine
from hal.engine.listener import Listener
from hal.protocol import ListenerReply

NOW = load_exchanges(EXCHANGES[0]).now


@pytest.fixture
async def listener(tmp_path):
    """Serve the sample household as of the set's day, on the clock of today; give its address."""
    path = tmp_path / "household.db"
    with closing(database.connect(path)) as connection:
        database.create(connection)
        database.load_sample(connection, NOW.date())
    engine = Engine(path, clock_in(UTC))
    engine.start()
    server = Listener(engine.answer)
    host, port = await server.start("127.0.0.1", 0)
    yield f"{host}:{port}"
    await server.stop()
    await engine.close()


async def conformance(*arguments):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hal.client.cli", "conformance", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, printed.decode()


async def test_the_engine_conforms_whatever_its_own_clock_says(listener, tmp_path):
    # That the engine answers every everyday question so is tested in tests/unit/engine; here are some.
    listed, everyday = (load_exchanges(path).exchanges for path in EXCHANGES)
    chosen = [asdict(each) | {"status": str(each.status)} for each in (*listed, *everyday[::10])]
    exchanges = tmp_path / "set.yml"
    exchanges.write_text(yaml.safe_dump({"now": NOW, "exchanges": chosen}))
    code, printed = await conformance("--address", listener, "--exchanges", str(exchanges))
    assert (code, printed) == (0, f"{len(chosen)} of {len(chosen)} exchanges conform.\n")


async def test_what_does_not_conform_is_named(listener, tmp_path):
    exchanges = tmp_path / "set.yml"
    wanted = {
        "ask": "what day is it today",
        "intent": "GENERAL",
        "action": "GENERAL_DATE",
        "facts": ["Thursday"],
    }
    exchanges.write_text(yaml.safe_dump({"now": NOW, "exchanges": [wanted]}))
    code, printed = await conformance("--address", listener, "--exchanges", str(exchanges))
    assert code == 1
    assert "what day is it today" in printed
    assert "does not say “Thursday”" in printed
    assert "0 of 1 exchanges conform." in printed
    assert "loaded as of 2026-03-11" in printed
    code, printed = await conformance("--address", listener, "--exchanges", str(exchanges), "--json")
    outcome, summary = map(json.loads, printed.splitlines())
    assert (code, outcome["ok"], outcome["faults"]) == (1, False, ["does not say “Thursday”"])
    assert summary == {"ok": False, "asked": 1, "failed": 1}


@pytest.mark.parametrize("reply", [b"", b"hello\n", b"{}\n", b'{"response_text": "cut'])
async def test_rubbish_is_a_fault_of_its_exchange(reply, tmp_path):
    async def answer(reader, writer):
        await reader.readline()
        writer.write(reply)
        writer.close()

    exchanges = tmp_path / "set.yml"
    wanted = [{"ask": word, "intent": "GENERAL", "action": "X"} for word in ("one", "two")]
    exchanges.write_text(yaml.safe_dump({"now": NOW, "exchanges": wanted}))
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        code, printed = await conformance("--address", f"127.0.0.1:{port}", "--exchanges", str(exchanges))
    assert code == 1
    assert "0 of 2" in printed
    assert "Traceback" not in printed


async def test_no_listener_is_one_sentence(unused_tcp_port):
    code, printed = await conformance("--address", f"127.0.0.1:{unused_tcp_port}")
    assert (code, printed.count("\n")) == (3, 1)
    assert "No listener answers" in printed


@pytest.mark.parametrize("address", ["8767", "host", "host:port"])
async def test_an_address_without_a_port_is_refused(address):
    code, printed = await conformance("--address", address)
    assert (code, "HOST:PORT" in printed) == (2, True)


def test_a_file_that_is_no_set_is_refused(tmp_path):
    for text in ("", "now: 1", "exchanges: [{ask: x}]\nnow: 2026-03-11T09:00:00", "{"):
        file = tmp_path / "set.yml"
        file.write_text(text)
        with pytest.raises(UsageError, match="not a set of exchanges"):
            load_exchanges(file)


def test_every_fault_of_a_reply_is_found():
    exchange = Exchange("q", "MEDICATION", "LIST", facts=["one", "two"], without=["three"])
    reply = ListenerReply("ONE and Three", intent="ALLERGY", action_taken="CHECK", status="error")
    assert exchange.faults(reply) == [
        "intent is ALLERGY, not MEDICATION",
        "action is CHECK, not LIST",
        "status is error, not success",
        "does not say “two”",
        "says “three”",
    ]
    assert exchange.faults(ListenerReply("one two", intent="MEDICATION", action_taken="LIST")) == []


def test_the_set_covers_every_intent_and_much_of_each():
    exchanges = load_exchanges().exchanges
    assert len(exchanges) >= 120
    assert {each.intent for each in exchanges} == {
        "MEDICATION", "APPOINTMENT", "ALLERGY", "HEALTH_DATA", "TRANSACTION", "PASSWORD", "GENERAL",
    }  # fmt: skip
    assert len({(each.ask, *each.after) for each in exchanges}) == len(exchanges)
