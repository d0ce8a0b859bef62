"""The checks, against services that work and services that do not."""

import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import websockets
from ansible.module_utils.hal_checks import runner
from tests.ports import free_port
from tests.unit.checks.servers import http_server, tcp_server
from tests.unit.checks.servers import websocket_server as gateway

from hal.network.authority import Authority


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
            "unit": f"unit-of-{kind}",
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
    assert "On there: `systemctl status unit-of-gateway`" in result["message"]


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


def answering(**reply):
    """Return what answers a question of an AI.SERVER client, and closes."""

    def answer(connection):
        asked = json.loads(connection.recv(4096))
        reply.setdefault("text", f"{asked['type']}: {asked['text']}")
        connection.sendall(json.dumps(reply).encode() + b"\n")

    return answer


def test_a_port_of_ai_server_that_answers_passes(check):
    with tcp_server(answering(type="text_response", status="success")) as port:
        result = check("ai_server", port, question="What do I take?", expect_words=["take"])
    assert result["ok"] and result["message"] == "answered: text_input: What do I take?"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            answering(type="text_response", status="error", text="Not you"),
            "not answered: Not you",
        ),
        (answering(type="response", status="success"), "not answered: text_input"),
        (answering(type="text_response", status="success", text="Nothing."), "the answer lacks metformin"),
        (lambda connection: connection.recv(4096), "closed the connection without an answer"),
    ],
)
def test_a_port_of_ai_server_that_answers_wrongly_fails(check, answer, message):
    with tcp_server(answer) as port:
        result = check("ai_server", port, expect_words=["metformin"])
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
    assert "systemctl status unit-of-ollama" in result["message"]


@pytest.fixture
def certified(tmp_path):
    """Serve TLS with a certificate that is valid for a time; yield its port and its authority's file."""
    authority = Authority.create("HAL household", timedelta(days=900))
    (tmp_path / "ca.crt").write_bytes(authority.pem)

    @contextlib.contextmanager
    def serve(validity: timedelta) -> Iterator[tuple[int, str]]:
        (tmp_path / "server.pem").write_bytes(b"".join(authority.issue(["there"], validity)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        with tcp_server(lambda end: context.wrap_socket(end, server_side=True).close()) as port:
            yield port, str(tmp_path / "ca.crt")

    return serve


def test_a_certificate_with_time_left_passes(check, certified):
    with certified(timedelta(days=100, hours=1)) as (port, ca_file):
        result = check("tls", port, tls=True, ca_file=ca_file)
    assert result["ok"] and result["message"] == "its certificate is valid for 100 days"


@pytest.mark.parametrize(
    ("validity", "said"),
    [(timedelta(days=20, hours=1), "ends in 20 days"), (timedelta(minutes=-5), "certificate has expired")],
)
def test_a_certificate_near_or_after_its_end_fails_with_what_renews_it(check, certified, validity, said):
    with certified(validity) as (port, ca_file):
        result = check("tls", port, tls=True, ca_file=ca_file)
    assert not result["ok"] and said in result["message"]
    assert "Run site.yml, which renews what the household's own authority has issued" in result["remedy"]


def test_without_an_authority_a_connection_is_enough(check):
    with tcp_server(lambda end: None) as port:
        assert check("tls", port, tls=True)["ok"]
        assert check("tls", port, tls=True, ca_file="/nowhere/backup-ca.crt")["ok"]


def test_a_unit_that_is_masked_on_the_hosts_own_check_is_told_to_be_unmasked(check, tmp_path, monkeypatch):
    program = tmp_path / "systemctl"
    program.write_text('#!/bin/sh\n[ "$1 $3" = "is-enabled unit-of-http" ] && echo masked; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    result = check("http", free_port(), own=True)
    assert "`systemctl unmask unit-of-http`, then run site.yml" in result["remedy"]
    assert "unmask" not in check("http", free_port(), own=True, unit="another")["remedy"]


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
    assert not loading["ok"] and "503" in loading["message"] and "unit-of-speech" in loading["message"]


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


class ComingUp(dict[str, tuple[int, bytes]]):
    """The answers of a server that refuses the first two requests."""

    asked = 0

    def get(self, *_: object) -> tuple[int, bytes]:
        self.asked += 1
        return (503 if self.asked <= 2 else 200), b'{"model": "tiny", "device": "cpu"}'


def coming_up(port: int) -> list[dict[str, Any]]:
    return [{"name": "page", "kind": "http", "host": "there", "address": "127.0.0.1", "port": port}]


def test_a_service_that_is_coming_up_is_waited_for(run_module, monkeypatch):
    monkeypatch.setattr(runner, "PAUSE_S", 0)
    with http_server(answers := ComingUp()) as port:
        order = {"checks": coming_up(port), "origin": "here", "fail_on_fault": True}
        assert run_module("service_checks", order | {"wait": 60})["message"] == "1 checks passed"
    assert answers.asked == 3, "and is not asked again once it is up"


def test_a_service_that_is_not_up_in_time_fails_and_is_named(run_module):
    with http_server(ComingUp()) as port:
        order = {"checks": coming_up(port), "origin": "here"}
        assert not run_module("service_checks", order)["ok"]
        with pytest.raises(Exception, match="page on there: GET / was answered with 503"):
            run_module("service_checks", order | {"fail_on_fault": True})


def test_a_health_module_waits_as_well(run_module, monkeypatch):
    monkeypatch.setattr(runner, "PAUSE_S", 0)
    with http_server(answers := ComingUp()) as port:
        order = {"host": "there", "address": "127.0.0.1", "port": port, "wait": 60}
        result = run_module("speech_health", order)
    assert (result["message"], answers.asked) == ("speech on there: tiny on cpu", 3)


@pytest.mark.parametrize(
    ("check", "message"),
    [({"name": "x", "kind": "ssh"}, "has no port"), ({"kind": "magic"}, "unknown kind magic")],
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
