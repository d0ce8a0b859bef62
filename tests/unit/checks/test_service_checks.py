"""The checks, against services that work and services that do not."""

import base64
import contextlib
import json
import threading

import pytest
import websockets
from ansible.module_utils.hal_checks import runner
from tests.unit.checks.servers import free_port, http_server, tcp_server
from tests.unit.checks.servers import websocket_server as gateway


@pytest.fixture
def check(run_module):
    """Run one check and return its result."""

    def run(kind: str, port: int, **options) -> dict:
        target = {
            "name": kind,
            "kind": kind,
            "host": "there",
            "address": "127.0.0.1",
            "port": port,
            **options,
        }
        result = run_module("service_checks", {"checks": [target], "origin": "here", "timeout": 30})
        assert result["changed"] is False
        assert result["ok"] == result["results"][0]["ok"]
        return result["results"][0]

    return run


GREETING = {"type": "connected", "session_id": "1"}
ANSWER = {"type": "response", "text": "You take metformin.", "status": "success"}


def converse(connection: websockets.sync.server.ServerConnection) -> None:
    """Greet, and answer a typed or a spoken question as the gateway does."""
    connection.send(json.dumps(GREETING))
    spoken = b""
    for message in connection:
        frame = json.loads(message)
        if frame["type"] == "wake_word_detected":
            connection.send(json.dumps({"type": "state_change", "new_state": "active_listening"}))
        elif frame["type"] == "audio_chunk":
            spoken += base64.b64decode(frame["audio"])
        elif frame["type"] == "speech_ended":
            connection.send(json.dumps({"type": "transcription", "text": f"{len(spoken)} bytes"}))
            connection.send(json.dumps(ANSWER))
        elif frame["type"] == "text_input":
            connection.send(json.dumps({"type": "processing"}))
            connection.send(json.dumps(ANSWER))


def test_a_gateway_that_answers_passes(check):
    with gateway(converse) as port:
        greeted = check("gateway", port)
        typed = check("gateway", port, question="What do I take?", expect_words=["Metformin"])
        spoken = check("gateway", port, audio=base64.b64encode(b"x" * 700_000).decode())
    assert greeted["ok"] and greeted["message"] == "greeted"
    assert typed["ok"] and typed["from"] == "here" and typed["ms"] > 0
    assert spoken["ok"] and "700000 bytes" in spoken["message"]


@pytest.mark.parametrize(
    ("talk", "message"),
    [
        (lambda connection: connection.send(json.dumps({"type": "hello"})), "does not greet"),
        (lambda connection: connection.send("[1]"), "does not send JSON objects"),
        (lambda connection: connection.close(1013, "too many sessions"), "too many sessions"),
    ],
)
def test_a_gateway_that_greets_wrongly_fails(check, talk, message):
    with gateway(talk) as port:
        result = check("gateway", port)
    assert not result["ok"]
    assert message in result["message"]
    assert "On there: `systemctl status hal-gateway`" in result["message"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({**ANSWER, "status": "error", "text": "I cannot."}, "not answered: I cannot."),
        ({**ANSWER, "text": "You take nothing."}, "the answer lacks metformin"),
        ({"type": "error", "message": "Invalid JSON"}, "the gateway reports: Invalid JSON"),
    ],
)
def test_a_gateway_that_answers_wrongly_fails(check, frame, message):
    def talk(connection):
        connection.send(json.dumps(GREETING))
        connection.recv()
        connection.send(json.dumps(frame))
        with contextlib.suppress(websockets.ConnectionClosed):
            connection.recv()

    with gateway(talk) as port:
        result = check("gateway", port, question="?", expect_words=["metformin"])
    assert not result["ok"] and message in result["message"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"garbage\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "refused: HTTP/1.1 401 Unauthorized"),
        (b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: wrong\r\n\r\n", "answered wrongly"),
        (b"", "closed before the answer"),
    ],
)
def test_what_is_no_gateway_fails(check, said, message):
    def answer(connection):
        connection.recv(4096)
        connection.sendall(said)

    with tcp_server(answer) as port:
        result = check("gateway", port)
    assert not result["ok"] and message in result["message"]


def test_nothing_listening_is_said_with_the_unit_to_look_at(check):
    port = free_port()
    result = check("ollama", port)
    assert not result["ok"]
    assert f"nothing listens on 127.0.0.1:{port}" in result["message"]
    assert "systemctl status ollama" in result["message"]


def test_a_certificate_of_an_unknown_authority_fails(check):
    with tcp_server(lambda connection: connection.recv(4096)) as port:
        result = check("gateway", port, tls=True)
    assert not result["ok"] and "127.0.0.1" in result["message"]


LISTENER = {"response_text": "You take metformin.", "intent": "MEDICATION", "status": "success"}


@pytest.mark.parametrize(
    ("reply", "ok", "message"),
    [
        (json.dumps(LISTENER).encode(), True, "answered (MEDICATION)"),
        (
            json.dumps({**LISTENER, "status": "error", "response_text": "No records."}).encode(),
            False,
            "No records",
        ),
        (json.dumps({**LISTENER, "response_text": "Nothing."}).encode(), False, "lacks metformin"),
        (b"not json", False, "does not send JSON objects"),
        (b"", False, "without an answer"),
    ],
)
def test_a_listener(check, reply, ok, message):
    def answer(connection):
        assert json.loads(connection.recv(65536))["transcription"]
        connection.sendall(reply)

    with tcp_server(answer) as port:
        result = check("listener", port, expect_words=["metformin"])
    assert result["ok"] is ok and message in result["message"]


def test_speech(check):
    health = json.dumps({"status": "ok", "model": "tiny", "device": "cpu"}).encode()
    heard = json.dumps({"text": " What medications am I taking?"}).encode()
    with http_server({"/health": (200, health), "/transcribe": (200, heard)}) as port:
        assert check("speech", port)["message"] == "tiny on cpu"
        assert check("speech", port, audio="eA==", expect_words=["medications"])["ok"]
        wrong = check("speech", port, audio="eA==", expect_words=["appointments"])
    with http_server({"/health": (503, b'{"status": "loading"}')}) as port:
        loading = check("speech", port)
    assert not wrong["ok"] and "lacks appointments" in wrong["message"]
    assert not loading["ok"] and "503" in loading["message"] and "hal-speech" in loading["message"]


def test_text_to_speech(check):
    with http_server({"/synthesize": (200, b"RIFF" + bytes(8000))}) as port:
        assert check("tts", port)["ok"]
    with http_server({"/synthesize": (200, b"<html>")}) as port:
        assert "no sound" in check("tts", port)["message"]


def test_ollama(check):
    tags = json.dumps({"models": [{"name": "llama3"}]}).encode()
    with http_server({"/api/tags": (200, tags), "/api/generate": (200, b'{"response": "Yes"}')}) as port:
        assert check("ollama", port, models=["llama3"])["ok"]
        missing = check("ollama", port, models=["deepseek-r1:32b"])
    with http_server({"/api/tags": (200, tags), "/api/generate": (200, b'{"response": ""}')}) as port:
        silent = check("ollama", port)
    with http_server({"/api/tags": (200, b'{"models": []}')}) as port:
        empty = check("ollama", port)
    assert not missing["ok"] and "`ollama pull deepseek-r1:32b` on there" in missing["message"]
    assert not silent["ok"] and "says nothing" in silent["message"]
    assert not empty["ok"] and "has no model" in empty["message"]


def test_a_web_server(check):
    with http_server({"/": (301, b""), "/broken": (500, b"")}) as port:
        assert check("http", port)["ok"]
        assert not check("http", port, path="/broken")["ok"]
    with tcp_server(lambda connection: connection.recv(4096) and connection.sendall(b"garbage")) as port:
        assert "does not speak HTTP" in check("http", port)["message"]


def test_ssh(check):
    with tcp_server(lambda connection: connection.sendall(b"SSH-2.0-test\r\n")) as port:
        assert check("ssh", port)["message"] == "SSH-2.0-test"
    with tcp_server(lambda connection: connection.sendall(b"220 mail")) as port:
        assert not check("ssh", port)["ok"]


def test_flows(check):
    with tcp_server(lambda connection: None) as port:
        assert check("flow", port)["message"] == "open"
        leaking = check("flow", port, expect="closed")
    assert not leaking["ok"] and "should not be" in leaking["message"]
    assert check("flow", free_port(), expect="closed")["message"] == "closed"
    assert not check("flow", free_port())["ok"]


def test_many_checks_run_side_by_side(run_module):
    everybody = threading.Barrier(8, timeout=5)

    def meet(connection):
        everybody.wait()  # every check has connected before one is answered
        connection.sendall(b"SSH-2.0-x\r\n")

    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(tcp_server(meet)) for _ in range(8)]
        checks = [
            {"name": str(port), "kind": "ssh", "host": "there", "address": "127.0.0.1", "port": port}
            for port in ports
        ]
        result = run_module("service_checks", {"checks": checks, "origin": "here", "workers": 8})
    assert result["ok"] and [check["name"] for check in result["results"]] == [str(port) for port in ports]


@pytest.mark.parametrize(
    ("check", "message"),
    [({"name": "x", "kind": "ssh"}, "has no address, host, port"), ({"kind": "magic"}, "unknown kind magic")],
)
def test_a_check_that_is_written_wrongly_is_refused(run_module, check, message):
    whole = {"name": "x", "host": "there", "address": "127.0.0.1", "port": 1} if "magic" in str(check) else {}
    with pytest.raises(Exception, match=message):
        run_module("service_checks", {"checks": [{**whole, **check}], "origin": "here"})


def test_sessions_are_not_asked_for_through_a_proxy():
    order = {"name": "proxy_gateway", "kind": "gateway", "host": "haproxy", "address": "127.0.0.1", "port": 1}
    limits = {"sessions": 5, "latency_ms": 10}
    direct, proxied = runner.targets(
        [order | {"limits": limits}, order | {"limits": limits, "proxied": True}]
    )
    assert (direct.limits, proxied.limits) == (limits, {"latency_ms": 10})
