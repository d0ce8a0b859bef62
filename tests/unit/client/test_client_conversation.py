"""The prompt, at a real terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import sys

import pytest

from .conftest import greet, leave_first


class Terminal:
    """`hal ask` at a pseudo-terminal."""

    def __init__(self, process, master):
        self.process = process
        self._master = master
        self._unread = ""

    def type(self, text):
        os.write(self._master, text.encode())

    async def read_until(self, wanted):
        """Return what was printed up to `wanted`, and keep the rest for the next call."""
        loop = asyncio.get_running_loop()
        while wanted not in self._unread:
            printed = await asyncio.wait_for(loop.run_in_executor(None, os.read, self._master, 4096), 30)
            self._unread += printed.decode()
        before, self._unread = self._unread.split(wanted, 1)
        return before

    async def interrupt(self):
        """Press Ctrl-C, as a person does: again when nothing came of it.

        Python's `input` keeps a signal that arrives between its prompt and its wait for a key
        until there is a key or another signal.
        """
        while self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 5)

    async def ended(self):
        return await asyncio.wait_for(self.process.wait(), 30)


@pytest.fixture
async def terminal(environment):
    """Start `hal ask` with a keyboard: `await terminal(url)`."""
    started = []
    # A test run in the background ignores the interrupt, and what it starts would inherit that.
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)

    async def start(url):
        master, slave = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hal.client.cli", "ask", "--url", url),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment | {"TERM": "dumb"},
        )
        os.close(slave)
        started.append((process, master))
        return Terminal(process, master)

    yield start
    signal.signal(signal.SIGINT, interrupt)
    for process, master in started:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)


@pytest.mark.parametrize("farewell", ["quit\n", "\x04"])
async def test_a_person_asks_follows_up_and_leaves(gateway, terminal, farewell):
    fake = await gateway()
    person = await terminal(fake.url)
    for question in ("one", "two"):
        await person.read_until("HAL> ")
        person.type(question + "\n")
        await person.read_until(f"You asked: {question}")
    await person.read_until("HAL> ")
    person.type(farewell)
    assert await person.ended() == 0
    assert fake.connections == 1


async def test_the_prompt_survives_a_lost_gateway(gateway, terminal):
    fake = await gateway(leave_first)
    person = await terminal(fake.url)
    await person.read_until("HAL> ")
    person.type("one\n")
    assert "restarting" in await person.read_until("HAL> ")
    person.type("two\n")
    await person.read_until("back")
    assert fake.connections == 2


async def test_the_gateways_pings_are_answered_while_a_person_thinks(gateway, terminal):
    answered = asyncio.Event()

    async def pinging(fake, socket):
        await greet(socket)
        await (await socket.ping())
        answered.set()
        await socket.wait_closed()

    person = await terminal((await gateway(pinging)).url)
    await person.read_until("HAL> ")
    await asyncio.wait_for(answered.wait(), 30)


async def test_ctrl_c_leaves_at_once_without_a_traceback(gateway, terminal):
    person = await terminal((await gateway()).url)
    await person.read_until("HAL> ")
    await asyncio.wait_for(person.interrupt(), 30)
    assert await person.ended() == 130
