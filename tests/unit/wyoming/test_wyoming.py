"""What Home Assistant does, with the Wyoming library's own client."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import wave

import pytest
from tests.ports import free_port
from tests.unit.checks.servers import tcp_server
from tests.unit.speech.conftest import wav
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Recognize
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize

from hal.shared.settings import SettingsError, parse
from hal.wyoming.handlers import MAX_RECORDING_BYTES
from hal.wyoming.main import run
from hal.wyoming.settings import PREFIX, WyomingSettings

WAIT_S = 20
STT, TTS, ASSISTANT = range(3)


class Client:
    """One connection, as Home Assistant opens one for each request."""

    def __init__(self, server, kind):
        self._client = AsyncTcpClient("127.0.0.1", server.ports[kind])

    async def __aenter__(self):
        await self._client.connect()
        return self

    async def __aexit__(self, *_):
        await self._client.disconnect()

    async def send(self, *events):
        for event in events:
            await self._client.write_event(event if isinstance(event, Event) else event.event())

    async def receive(self):
        async with asyncio.timeout(WAIT_S):
            event = await self._client.read_event()
        assert event is not None, "the service closed the connection"
        return event


def chunks(seconds, rate=16_000):
    sound = wav(seconds, rate)[44:]
    for begin in range(0, len(sound), 2_048):
        yield AudioChunk(rate=rate, width=2, channels=1, audio=sound[begin : begin + 2_048])


async def describe(server, kind):
    async with Client(server, kind) as client:
        await client.send(Describe())
        return Info.from_event(await client.receive())


async def test_each_port_says_what_it_offers(whole):
    (program,) = (await describe(whole, STT)).asr
    assert program.installed and program.models[0].languages == ["en"]
    assert (await describe(whole, TTS)).tts[0].voices[0].languages == ["en"]
    assert (await describe(whole, ASSISTANT)).handle[0].models[0].languages == ["en"]


async def test_speech_is_recognised(whole, transcriber):
    async with Client(whole, STT) as client:
        for seconds, rate in ((1, 16_000), (0.5, 44_100)):
            await client.send(Transcribe(language="en"), AudioStart(rate=rate, width=2, channels=1))
            await client.send(*chunks(seconds, rate), AudioStop())
            heard = Transcript.from_event(await client.receive())
            assert heard.text == "hello"
            assert transcriber.calls[-1]["samples"] == pytest.approx(seconds * 16_000, abs=50)
        await client.send(Transcribe(), *chunks(0.2), AudioStop())  # without a beginning
        assert Transcript.from_event(await client.receive()).text == "hello"
        await client.send(AudioStart(rate=16_000, width=2, channels=1), AudioStop())
        assert Transcript.from_event(await client.receive()).text == ""


async def test_no_recording_takes_more_than_a_minutes_room(whole, transcriber):
    piece = AudioChunk(rate=16_000, width=2, channels=1, audio=bytes(1_000_000))
    async with Client(whole, STT) as client:
        await client.send(*[piece] * 8, AudioStop())
        await client.receive()
    assert transcriber.calls[0]["samples"] == MAX_RECORDING_BYTES // 2


async def test_text_is_spoken(whole):
    async with Client(whole, TTS) as client:
        await client.send(Synthesize(text="Good morning."))
        start = AudioStart.from_event(await client.receive())
        sound = b""
        while AudioChunk.is_type((event := await client.receive()).type):
            sound += AudioChunk.from_event(event).audio
        assert AudioStop.is_type(event.type)
        assert (start.rate, start.width, start.channels) == (22_050, 2, 1)
        with wave.open(io.BytesIO(wav(0.5, 22_050))) as said:
            assert sound == said.readframes(said.getnframes())


@pytest.mark.parametrize("ask", [Transcript, Recognize])
async def test_questions_are_answered(whole, ask):
    async with Client(whole, ASSISTANT) as client:
        await client.send(ask("what medications am I taking"))
        assert Handled.from_event(await client.receive()).text == "answer to what medications am I taking"
        await client.send(ask("why is the sky blue"))
        assert Handled.from_event(await client.receive()).text == "Because of the air."


async def test_a_follow_up_of_the_same_conversation_knows_what_was_said(whole, listener):
    async def ask(text, conversation):
        async with Client(whole, ASSISTANT) as client:  # each turn has its own connection
            await client.send(Transcript(text, context={"conversation_id": conversation}))
            handled = Handled.from_event(await client.receive())
            assert handled.context == {"conversation_id": conversation}

    await ask("one", "a")
    await ask("two", "a")
    assert [turn["question"] for turn in listener.requests[-1]["context"]] == ["one"]
    await ask("three", "b")
    assert listener.requests[-1]["context"] == []


async def test_a_gateway_that_was_restarted_is_asked_again(start_wyoming, start_gateway, listener):
    gateway = await start_gateway()
    port = gateway.ports[0]
    server = await start_wyoming(gateway_urls=("ws://127.0.0.1:9", f"ws://127.0.0.1:{port}"))

    async def ask():
        async with Client(server, ASSISTANT) as client:
            await client.send(Transcript("x", context={"conversation_id": "a"}))
            return await client.receive()

    assert Handled.is_type((await ask()).type)
    await gateway.stop()
    assert NotHandled.is_type((await ask()).type)
    await start_gateway(port=port)
    assert Handled.is_type((await ask()).type)


async def test_what_is_behind_and_down_is_a_sentence(start_wyoming, listener, start_gateway):
    server = await start_wyoming()
    async with Client(server, ASSISTANT) as client:
        await client.send(Transcript("x"))
        assert "cannot be reached" in NotHandled.from_event(await client.receive()).text
    async with Client(server, STT) as client:
        await client.send(*chunks(0.1), AudioStop())
        assert "speech service" in Error.from_event(await client.receive()).text
    async with Client(server, TTS) as client:
        await client.send(Synthesize(text="x"))
        assert "speech service" in Error.from_event(await client.receive()).text
    listener.mode = "failing"
    server = await start_wyoming(gateway_urls=(f"ws://127.0.0.1:{(await start_gateway()).ports[0]}",))
    async with Client(server, ASSISTANT) as client:
        await client.send(Transcript("x"))
        assert NotHandled.from_event(await client.receive()).text == "The records are locked."


@pytest.mark.parametrize("kind", [STT, TTS, ASSISTANT])
@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"[]\n",
        b"{}\n",
        b'{"type": "audio-start"}\n{"type": "synthesize"}\n{"type": "transcript"}\n',
        b'{"type": "audio-start", "data": {"rate": 1, "width": 2, "channels": 1}}\n{"type":1}\n',
        b'{"type": "describe", "payload_length": 100000000000}\n',
        b'{"type": "describe", "data_length": -1}\n',
        b"x" * 200_000,
        b"\xff\xfe\n",
    ],
)
async def test_nonsense_ends_its_own_connection_and_no_other(whole, kind, nonsense):
    reader, writer = await asyncio.open_connection("127.0.0.1", whole.ports[kind])
    writer.write(nonsense)
    writer.write_eof()
    async with asyncio.timeout(WAIT_S):
        with contextlib.suppress(ConnectionError):
            await reader.read()
    writer.close()
    async with Client(whole, kind) as client:
        await client.send(Event(type="no-such-type"), Ping(text="a"))
        assert Pong.from_event(await client.receive()).text == "a"


async def test_one_connection_too_many_is_closed(start_wyoming):
    server = await start_wyoming(max_connections=2)
    async with Client(server, STT) as first, Client(server, TTS) as second:
        for client in (first, second):
            await client.send(Ping())
            await client.receive()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[ASSISTANT])
        async with asyncio.timeout(WAIT_S):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STT_PORT", "70000", "stt_port must be between"),
        ("TTS_PORT", "10300", "must differ"),
        ("TIMEOUT_S", "0", "timeout_s"),
        ("SPEECH_URL", "ubuai:9000", "speech_url must be http"),
        ("GATEWAY_URLS", "", "gateway_urls must be ws"),
        ("GATEWAY_URLS", "http://qm1", "gateway_urls must be ws"),
    ],
)
def test_settings_that_cannot_work(name, value, said):
    environ = {PREFIX + "SPEECH_URL": "http://ubuai:9000", PREFIX + "GATEWAY_URLS": "ws://qm1:8768"}
    assert parse(WyomingSettings, PREFIX, environ).stt_port == 10300
    with pytest.raises(SettingsError, match=said):
        parse(WyomingSettings, PREFIX, environ | {PREFIX + name: value})


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\x30\x82\xff"])
async def test_an_authority_that_cannot_be_used_is_told_in_one_sentence(tmp_path, caplog, content):
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_bytes(content)
    settings = WyomingSettings(
        speech_url="http://127.0.0.1:9", gateway_urls=("wss://127.0.0.1:9",), host="127.0.0.1", ca_file=file
    )
    assert await run(settings) == 2
    (said,) = caplog.messages
    assert said.startswith(f"the authority's certificate {file} cannot be used: ")


@pytest.mark.slow
def test_the_program_ends_with_exit_code_0_when_it_is_told_to():
    ports = {f"{PREFIX}{name}_PORT": str(free_port()) for name in ("STT", "TTS", "ASSISTANT")}
    behind = {PREFIX + "SPEECH_URL": "http://127.0.0.1:9", PREFIX + "GATEWAY_URLS": "ws://127.0.0.1:9"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from hal.wyoming.main import main; main()"],
        env=os.environ | ports | behind | {PREFIX + "HOST": "127.0.0.1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "listening on 127.0.0.1" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_S) == 0
    process.stderr.close()


async def test_the_networks_own_check_finds_each_port_well(whole, health):
    for kind, offered in ((STT, "asr"), (TTS, "tts"), (ASSISTANT, "handle")):
        result = await health(kind, whole.ports[kind])
        assert (result["ok"], result["details"]) == (True, {"offered": [offered]})


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b'{"type": "error"}\n', "does not speak the Wyoming protocol"),
        (b'{"type": "info", "data": {"asr": []}}\n', "offers nothing"),
        (b'{"type": "info", "data_length": "many"}\n', "does not speak the Wyoming protocol"),
        (b"HTTP/1.1 400 Bad Request\r\n", "JSON"),
        (b"", ""),
    ],
)
async def test_the_check_finds_what_is_no_such_service(health, reply, said):
    def answer(connection):
        connection.recv(1_000)
        connection.sendall(reply)

    with tcp_server(answer) as port:
        result = await health(STT, port)
    assert not result["ok"] and said in result["message"]
