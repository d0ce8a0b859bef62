"""The command `hal`, run as a person runs it: output, exit codes and sentences."""

from __future__ import annotations

import base64
import json
from importlib.metadata import version

import pytest

from hal import protocol
from hal.protocol import State

from .conftest import greet, leave_first, respond, send

pytestmark = pytest.mark.slow


async def test_ask_prints_the_answer(gateway, hal):
    fake = await gateway()
    done = await hal("ask", "--url", fake.url, "What", "medications?")
    assert (done.code, done.out, done.err) == (0, "You asked: What medications?\n", "")


async def test_the_environment_names_the_gateway_and_an_option_wins(gateway, hal):
    fake, other = await gateway(), await gateway()
    assert (await hal("ask", "q", HAL_GATEWAY_URL=fake.url)).code == 0
    assert (await hal("ask", "q", "--url", other.url, HAL_GATEWAY_URL=fake.url)).code == 0
    assert (fake.connections, other.connections) == (1, 1)


async def test_piped_questions_follow_up_on_one_connection(gateway, hal):
    fake = await gateway()
    done = await hal("ask", "--url", fake.url, stdin="one\n\n two \n")
    assert (done.code, done.out) == (0, "You asked: one\nYou asked: two\n")
    assert fake.connections == 1


async def test_a_lost_connection_is_opened_again_for_the_next_question(gateway, hal):
    fake = await gateway(leave_first)
    done = await hal("ask", "--url", fake.url, stdin="one\ntwo\n")
    assert done.out == "back\n" and "restarting" in done.err
    assert done.code == 1 and fake.connections == 2


async def test_json_is_one_object_a_line(gateway, hal):
    fake = await gateway()
    done = await hal("ask", "--url", fake.url, "--json", "q")
    answer = json.loads(done.out)
    assert answer["question"] == "q" and answer["text"] == "You asked: q"
    assert answer["intent"] == "MEDICATION" and answer["status"] == "success"


async def test_json_is_one_object_of_a_failure_too(gateway, hal, tmp_path):
    async def silent(fake, socket):
        await greet(socket)
        await socket.wait_closed()

    fake = await gateway(silent)
    cases = [
        (["ask", "q", "--url", "ws://127.0.0.1:1"], 3, "the connection was refused"),
        (["ask", "q", "--url", fake.url, "--timeout", "0.2"], 1, "did not answer within 0.2 s"),
        (["ask", "q"], 2, "No gateway is set"),
        (["ask", "q", "--timeout", "soon"], 2, "HAL_TIMEOUT must be a number"),
        (["talk", tmp_path / "none.wav", "--url", fake.url], 2, "Cannot read"),
        (["speech", "hi", "-o", tmp_path / "o.wav", "--speech-url", "http://127.0.0.1:1"], 3, "refused"),
        (["ask", "--nope"], 2, "unrecognized arguments: --nope"),
        (["sing"], 2, "invalid choice: 'sing'"),
    ]
    for arguments, code, sentence in cases:
        done = await hal(*arguments, "--json")
        failure = json.loads(done.out)
        assert (done.code, failure["exit_code"], failure["ok"]) == (code, code, False), arguments
        assert sentence in failure["error"] and done.err == "", (arguments, done)


async def test_json_of_many_questions_has_an_object_for_each(gateway, hal):
    fake = await gateway(leave_first)
    done = await hal("ask", "--json", "--url", fake.url, stdin="one\ntwo\n")
    failed, answered = map(json.loads, done.out.splitlines())
    assert (failed["question"], failed["ok"]) == ("one", False) and "restarting" in failed["error"]
    assert (answered["question"], answered["text"]) == ("two", "back")


async def test_the_version_is_that_of_the_package(hal):
    done = await hal("--version")
    assert (done.code, done.out) == (0, f"hal {version('hal')}\n")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["st"], "status"),
        (["ask", "--sp"], "--speech-url --speak"),
        (["completion", ""], "bash zsh"),
        (["talk", "que"], "question.wav"),
        (["ask", "--ca-file", "que"], "question.wav"),
    ],
)
async def test_bash_completes_commands_options_and_files(hal, run, tmp_path, words, completed):
    (tmp_path / "complete.sh").write_text((await hal("completion", "bash")).out)
    (tmp_path / "question.wav").touch()
    line = f"""source complete.sh; COMP_WORDS=(hal {" ".join(word or "''" for word in words)})
        COMP_CWORD={len(words)}; COMP_WORDS[COMP_CWORD]={words[-1]!r}
        _shtab_hal; echo "${{COMPREPLY[@]}}" """
    done = await run("bash", "-c", line)
    assert (done.code, done.out.strip(), done.err) == (0, completed, "")


async def test_zsh_gets_a_completion_of_its_own(hal):
    done = await hal("completion", "zsh")
    assert done.code == 0 and done.out.startswith("#compdef hal") and "speech-url" in done.out


async def test_a_failed_turn_exits_1(gateway, hal):
    async def failing(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(socket, *respond("I cannot reach the records.", status="error"))
        await socket.wait_closed()

    fake = await gateway(failing)
    done = await hal("ask", "--url", fake.url, "q")
    assert (done.code, done.out) == (1, "I cannot reach the records.\n")


async def test_a_silent_gateway_ends_with_the_time_limit(gateway, hal):
    async def silent(fake, socket):
        await greet(socket)
        await socket.wait_closed()

    fake = await gateway(silent)
    done = await hal("ask", "--url", fake.url, "--timeout", "0.5", "q")
    assert done.code == 1 and f"{fake.url} did not answer within 0.5 s" in done.err


async def test_an_unreachable_gateway_exits_3(hal):
    for arguments in (["ask", "q"], ["ask"], ["status"]):
        done = await hal(*arguments, "--url", "ws://127.0.0.1:1", stdin="q\n")
        assert done.code == 3 and "ws://127.0.0.1:1: the connection was" in done.err + done.out


async def test_wrong_usage_exits_2_with_what_to_do(hal, tmp_path):
    url = ["--url", "ws://127.0.0.1:1"]
    two_words = tmp_path / "token"
    two_words.write_text("one two")
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.touch()
    other.write_bytes("Zertifikat für uns".encode("latin-1"))
    picture = tmp_path / "question.m4a"
    picture.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    cases = [
        (["ask", "q"], "--url ws://HOST:8768"),
        (["ask"], "--url ws://HOST:8768"),
        (["ask", "q", "--url", "http://x"], "HAL_GATEWAY_URL must be ws://HOST"),
        (["ask", "q", "--url", "ws://x:99999"], "HAL_GATEWAY_URL must be ws://HOST"),
        (["ask", " ", *url], "There is no text"),
        (["ask", "q", *url, "--timeout", "soon"], "HAL_TIMEOUT must be a number"),
        (["ask", "q", *url, "--timeout", "nan"], "HAL_TIMEOUT must be from 0"),
        (["ask", "q", *url, "--token-file", tmp_path / "none"], "Cannot read the token file"),
        (["ask", "q", *url, "--token-file", two_words], "must hold one token"),
        (["ask", "q", "--url", "wss://x", "--ca-file", two_words], "not a certificate in PEM form"),
        (["ask", "q", "--url", "wss://x", "--ca-file", empty], "not a certificate in PEM form"),
        (["ask", "q", "--url", "wss://x", "--ca-file", other], "not a certificate in PEM form"),
        (["ask", "q", "--url", "wss://x", "--ca-file", tmp_path / "none"], "Cannot read the CA file"),
        (["conformance", "--address", "x:1", "--exchanges", empty], "is not a set of exchanges"),
        (["conformance", "--address", "x:1", "--exchanges", other], "is not a set of exchanges"),
        (["talk", *url, tmp_path / "none.wav"], "Cannot read"),
        (["talk", *url, two_words], "is no recording that HAL knows: give a WAV"),
        (["talk", *url, picture], "looks like a JPEG picture: give a WAV"),
        (["speech", "hi", "-o", tmp_path / "o.wav"], "HAL_SPEECH_URL"),
        (["say", "hi", *url], "HAL_SPEECH_URL"),
        (["sing"], "invalid choice"),
        ([], "required"),
    ]
    for arguments, sentence in cases:
        done = await hal(*arguments)
        assert done.code == 2 and sentence in done.err, (arguments, done)


async def test_a_token_is_sent_but_never_shown(gateway, hal, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret-token\n")
    fake = await gateway()
    done = await hal("ask", "-v", "--url", fake.url, "--token-file", token, "q")
    assert fake.headers[0]["Authorization"] == "Bearer s3cret-token"
    assert "s3cret" not in done.out + done.err and "unprotected" in done.err


async def test_verbose_never_logs_what_was_said(gateway, hal):
    fake = await gateway()
    done = await hal("ask", "-v", "--url", fake.url, "my diagnosis")
    assert "sent text_input" in done.err and "diagnosis" not in done.err


async def test_escape_sequences_do_not_reach_the_terminal(gateway, hal):
    async def hostile(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(socket, protocol.processing(""), *respond("\x1b]0;owned\x07Hi\nthere"))
        await socket.wait_closed()

    fake = await gateway(hostile)
    assert (await hal("ask", "--url", fake.url, "q")).out == "]0;ownedHi\nthere\n"


async def test_talk_sends_the_file_as_it_is(gateway, hal, tmp_path):
    recording = tmp_path / "question.wav"
    recording.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(1_200_000))
    fake = await gateway()
    done = await hal("talk", "--url", fake.url, recording)
    assert done.code == 0 and done.out.startswith("You said: what was said\nYou spoke: ")
    chunks = [frame for frame in fake.frames if frame["type"] == "audio_chunk"]
    assert len(chunks) == 3 and {frame["format"] for frame in chunks} == {"wav"}


@pytest.mark.parametrize(
    ("container", "codec", "label"),
    [("ipod", "aac", "mp4"), ("webm", "libopus", "webm"), ("adts", "aac", "aac")],
)
async def test_talk_sends_what_telephones_and_browsers_record(
    gateway, hal, tmp_path, encoded_sound, container, codec, label
):
    recording = tmp_path / "question"
    recording.write_bytes(encoded_sound(container, codec))
    fake = await gateway()
    assert (await hal("talk", "--url", fake.url, recording)).code == 0
    chunks = [frame for frame in fake.frames if frame["type"] == "audio_chunk"]
    assert b"".join(base64.b64decode(chunk["audio"]) for chunk in chunks) == recording.read_bytes()
    assert {chunk["format"] for chunk in chunks} == {label}


async def test_status_shows_every_check(gateway, hal):
    fake = await gateway()
    done = await hal("status", "--url", fake.url)
    assert done.code == 0
    for word in ("gateway", "connected and greeted", "readiness", "ready", "speech", "not set", fake.url):
        assert word in done.out
    report = json.loads((await hal("status", "--json", "--url", fake.url)).out)
    assert report["ok"] and [check["ok"] for check in report["checks"]] == [True, True, None]
    assert report["checks"][0]["ms"] > 0


async def test_status_fails_when_the_gateway_is_not_ready(gateway, hal):
    def not_ready(socket, request):
        return socket.respond(503, "listener down\n") if request.path == "/readyz" else None

    fake = await gateway(process_request=not_ready)
    done = await hal("status", "--url", fake.url)
    assert done.code == 1 and "not ready: listener down" in done.out


async def test_a_gateway_without_readiness_is_no_failure(gateway, hal):
    async def phantom(fake, socket):
        await send(socket, protocol.connected("s") | {"state": State.PASSIVE_LISTENING})
        await socket.wait_closed()

    fake = await gateway(phantom, process_request=None)
    done = await hal("status", "--url", fake.url)
    assert done.code == 0 and "not reported" in done.out
