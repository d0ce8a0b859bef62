"""Answers that the gateway gives out while they are made, as `hal` prints and speaks them."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from hal import protocol

from .conftest import greet, respond, send

pytestmark = pytest.mark.slow

FIRST, REST = "Because of the air.", "It scatters the blue."


@pytest.fixture
def streaming():
    """A gateway that gives the first sentence out and waits: `handler, go_on = streaming(*last frames)`."""

    def make(*last):
        go_on = asyncio.Event()

        async def handler(fake, socket):
            await greet(socket)
            while (await fake.receive(socket))["type"] not in ("text_input", "speech_ended"):
                await send(socket, protocol.state_change(protocol.State.ACTIVE_LISTENING))
            await send(socket, protocol.processing(""), protocol.response_delta(FIRST))
            await go_on.wait()
            await send(socket, *last)
            if not last:
                await socket.close(1012, "restarting")
            await socket.wait_closed()

        return handler, go_on

    return make


@pytest.fixture
async def asking(environment, tmp_path):
    """Start `hal` and read what it prints: `process = await asking(*arguments)`."""
    started = []

    async def start(*arguments, **variables):
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hal.client.cli", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=environment | variables,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_sentence_is_printed_while_the_rest_is_made(gateway, asking, streaming):
    handler, go_on = streaming(protocol.response_delta(REST), *respond(f"{FIRST} {REST}"))
    fake = await gateway(handler)
    process = await asking("ask", "--url", fake.url, "why")
    assert await process.stdout.readexactly(len(FIRST)) == FIRST.encode()
    go_on.set()
    out, err = await process.communicate()
    assert (out.decode(), err, process.returncode) == (f" {REST}\n", b"", 0)
    assert fake.frames[0]["capabilities"] == ["response_delta"]


async def test_only_the_first_frame_announces_what_the_client_can(gateway, hal):
    fake = await gateway()
    await hal("ask", "--url", fake.url, stdin="one\ntwo\n")
    assert ["capabilities" in frame for frame in fake.frames] == [True, False]


@pytest.mark.parametrize(
    ("last", "printed"),
    [
        (respond(f"{FIRST} {REST}"), f"{FIRST} {REST}\n"),  # the rest comes with the response
        (respond(FIRST), f"{FIRST}\n"),
        (respond("I am being restarted.", status="error"), f"{FIRST}\nI am being restarted.\n"),
    ],
)
async def test_what_the_response_adds_is_printed_once(gateway, hal, streaming, last, printed):
    handler, go_on = streaming(*last)
    go_on.set()
    assert (await hal("ask", "--url", (await gateway(handler)).url, "why")).out == printed


async def test_json_is_one_object_of_the_whole(gateway, hal, streaming):
    handler, go_on = streaming(*respond(f"{FIRST} {REST}"))
    go_on.set()
    done = await hal("ask", "--json", "--url", (await gateway(handler)).url, "why")
    assert json.loads(done.out)["text"] == f"{FIRST} {REST}"


async def test_a_gateway_that_leaves_in_mid_answer_is_a_failure_on_a_line_of_its_own(gateway, hal, streaming):
    handler, go_on = streaming()
    go_on.set()
    done = await hal("ask", "--url", (await gateway(handler)).url, "why")
    assert (done.code, done.out) == (1, f"{FIRST}\n") and "restarting" in done.err


async def test_a_sentence_is_spoken_while_the_rest_is_made(
    gateway, asking, streaming, speech_service, program, tmp_path
):
    url, texts = await speech_service()
    handler, go_on = streaming(*respond(f"{FIRST} {REST}"))
    fake = await gateway(handler)
    path = program("paplay", "with open('played', 'a') as file: file.write('x')")
    process = await asking("ask", "--speak", "why", "--url", fake.url, "--speech-url", url, PATH=path)
    async with asyncio.timeout(60):
        while not (tmp_path / "played").exists():  # noqa: ASYNC110 - another program writes it
            await asyncio.sleep(0.01)
    assert texts == [FIRST]
    go_on.set()
    await process.communicate()
    assert (texts, process.returncode) == ([FIRST, REST], 0)
    assert (tmp_path / "played").read_text() == "xx"


async def test_an_answer_that_nothing_can_play_is_saved_whole(
    gateway, hal, streaming, speech_service, tmp_path
):
    url, texts = await speech_service()
    handler, go_on = streaming(*respond(f"{FIRST} {REST}"))
    go_on.set()
    fake = await gateway(handler)
    done = await hal("ask", "--speak", "why", "--url", fake.url, "--speech-url", url, PATH=str(tmp_path))
    (saved,) = tmp_path.glob("hal-*.wav")
    assert done.code == 0 and f"saved as {saved}." in done.err
    assert texts[-1] == f"{FIRST} {REST}"
