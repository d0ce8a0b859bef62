"""The health modules against servers that are broken, each in every way that a server can be broken."""

from __future__ import annotations

import pytest
from tests.conftest import ModuleFailed
from tests.ports import free_port
from tests.unit.checks import servers

LATE = "no complete answer from 127.0.0.1:{port} within 0.4 s. See with `top` whether there is overloaded"
NO_HTTP = "does not speak HTTP"
HTTP = ("gateway_health", "speech_health", "ollama_health")
MODULES = {
    "gateway_health": "hal-gateway",
    "listener_health": "hal-engine",
    "speech_health": "hal-speech",
    "ollama_health": "ollama",
}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
# How a server is broken, and what is said of it where the modules differ.
BROKEN = [
    (servers.silent, dict.fromkeys(MODULES, LATE)),
    (servers.dripping, dict.fromkeys(MODULES, LATE)),
    (servers.garbage, dict.fromkeys(HTTP, NO_HTTP) | {"listener_health": "does not send JSON objects"}),
    (servers.mail, dict.fromkeys(HTTP, NO_HTTP) | {"listener_health": "does not send JSON objects"}),
    (
        servers.half_closed,
        {
            "gateway_health": "the connection was closed before the answer",
            "listener_health": "closed the connection without an answer",
            "speech_health": "the answer to GET /health was broken off",
            "ollama_health": "the answer to GET /api/tags was broken off",
        },
    ),
    (
        servers.halfway(HEAD),
        {
            "gateway_health": "the WebSocket handshake was refused: HTTP/1.1 200 OK",
            "listener_health": "does not send JSON objects",
            "speech_health": "the answer to GET /health was broken off",
            "ollama_health": "the answer to GET /api/tags was broken off",
        },
    ),
    (servers.resetting, dict.fromkeys(MODULES, "127.0.0.1:{port} broke the connection off")),
]
NAMES = ["silent", "dripping", "garbage", "mail", "half_closed", "halfway", "resetting"]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("answer", "messages"), BROKEN, ids=NAMES)
async def test_what_is_broken_is_said_with_what_to_look_at(health, module, answer, messages):
    patience = 0.4 if messages[module] is LATE else 30
    with servers.tcp_server(answer) as port, pytest.raises(ModuleFailed) as failure:
        await health(module, port, timeout=patience)
    result = failure.value.result
    assert messages[module].format(port=port) in result["msg"]
    assert f"On there: `systemctl status {MODULES[module]}`" in result["remedy"]
    assert result["msg"].endswith(result["remedy"])
    assert (result["ok"], result["changed"]) == (False, False)


@pytest.mark.parametrize("module", MODULES)
async def test_nothing_listening_is_a_refused_connection(health, module):
    port = free_port()
    with pytest.raises(ModuleFailed, match=f"connection refused: nothing listens on 127.0.0.1:{port}"):
        await health(module, port)


@pytest.mark.parametrize("module", HTTP)
async def test_a_service_that_should_encrypt_and_does_not_is_said(health, module):
    with servers.tcp_server(servers.garbage) as port, pytest.raises(ModuleFailed) as failure:
        await health(module, port, tls=True)
    assert f"what answers at 127.0.0.1:{port} does not speak TLS" in failure.value.result["msg"]


@pytest.mark.parametrize(
    ("module", "paths"),
    [
        ("speech_health", {"/health": (200, b"[1]")}),
        ("speech_health", {"/health": (200, b"\xff\xfe")}),
        ("ollama_health", {"/api/tags": (200, b"null")}),
        ("gateway_health", {}),
    ],
)
async def test_a_web_server_that_is_another_one_is_no_service(health, module, paths):
    with servers.http_server(paths) as port, pytest.raises(ModuleFailed) as failure:
        await health(module, port)
    expected = "handshake was refused" if module == "gateway_health" else "does not send JSON objects"
    assert expected in failure.value.result["msg"]


@pytest.mark.parametrize("models", [b'{"models": "many"}', b'{"models": {"a": 1}}'])
async def test_a_list_of_models_that_is_none_is_said(health, models):
    untold = pytest.raises(ModuleFailed, match="GET /api/tags does not tell models but")
    with servers.http_server({"/api/tags": (200, models)}) as port, untold:
        await health("ollama_health", port)


async def test_an_answer_without_end_is_cut(health):
    def pour(connection):
        connection.recv(65536)
        while True:
            connection.sendall(bytes(1 << 20))

    with servers.tcp_server(pour) as port, pytest.raises(ModuleFailed, match="longer than 4194304 bytes"):
        await health("listener_health", port)
