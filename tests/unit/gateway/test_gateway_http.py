"""Who is let in, and what health checks are told."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hal.shared.admission import UNKNOWN_DEVICE, UNKNOWN_NETWORK, Admission, Refused
from hal.shared.device_tokens import DeviceTokens, read_tokens
from hal.shared.own_names import FOREIGN_HOST, FOREIGN_ORIGIN, OwnNames

TOKEN = "token-of-the-kitchen-tablet"
DIGEST = hashlib.sha256(TOKEN.encode()).digest()


@pytest.fixture
def admission():
    return Admission(
        ["10.1.0.0/16"],
        ["10.9.0.1/32"],
        DeviceTokens({"kitchen": DIGEST}),
        OwnNames(["gateway", "10.1.34.103", "*.home.example"], ["https://hal.example"]),
    )


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("10.1.2.3", {}),
        ("::ffff:10.1.2.3", {}),
        ("::1", {}),
        ("127.0.0.1", {}),  # the host itself, whatever networks are trusted
        ("127.8.0.1", {"Host": "localhost:8768"}),
        ("::ffff:127.0.0.1", {}),
        ("10.9.0.1", {"X-Forwarded-For": "10.1.2.3"}),
        ("10.9.0.1", {"X-Forwarded-For": "192.0.2.1, 10.1.2.3"}),
        ("192.0.2.1", {"Authorization": f"Bearer {TOKEN}"}),
        ("10.1.2.3", {"Origin": "http://gateway", "Host": "gateway:8768"}),
        ("10.1.2.3", {"Origin": "https://hal.example", "Host": "gateway:8768"}),
        ("10.1.2.3", {"Origin": "https://hal.example", "Host": "hal.example"}),
        ("10.1.2.3", {"Origin": "https://voice.home.example", "Host": "Voice.home.example."}),
        ("10.1.2.3", {"Host": "10.1.34.103:8768"}),
        ("10.1.2.3", {"Host": "198.18.0.7:8768"}),  # where it arrived, which no inventory knows
        ("10.1.2.3", {"Host": "[::ffff:10.1.34.103]:8768"}),
        ("192.0.2.1", {"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}),
        (
            "192.0.2.1",
            {"Sec-WebSocket-Protocol": f"hal, hal.token.{TOKEN}", "Origin": "https://page.example"},
        ),
        ("10.1.2.3", {"Sec-WebSocket-Protocol": "chat"}),
    ],
)
def test_admitted(admission, peer, headers):
    assert admission.admit(peer, Headers(headers), "198.18.0.7")


@pytest.mark.parametrize(
    ("peer", "headers", "why"),
    [
        ("192.0.2.1", {}, UNKNOWN_NETWORK),
        ("192.0.2.1", {"X-Forwarded-For": "10.1.2.3"}, UNKNOWN_NETWORK),
        ("10.9.0.1", {}, UNKNOWN_NETWORK),
        ("10.9.0.1", {"X-Forwarded-For": "10.1.2.3, 192.0.2.1"}, UNKNOWN_NETWORK),
        ("10.9.0.1", {"X-Forwarded-For": "nonsense"}, UNKNOWN_NETWORK),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, UNKNOWN_NETWORK),  # a proxy that nobody has named
        ("10.9.0.1", {"X-Forwarded-For": "127.0.0.1"}, UNKNOWN_NETWORK),
        ("192.0.2.1", {"Authorization": "Bearer wrong"}, UNKNOWN_DEVICE),
        ("192.0.2.1", {"Authorization": f"Basic {TOKEN}"}, UNKNOWN_DEVICE),
        ("10.1.2.3", {"Authorization": "Bearer wrong"}, UNKNOWN_DEVICE),  # from a trusted network, too
        ("10.1.2.3", {"Authorization": "Bearer"}, UNKNOWN_DEVICE),
        ("10.1.2.3", {"Sec-WebSocket-Protocol": "hal, hal.token.wrong"}, UNKNOWN_DEVICE),
        ("10.1.2.3", {"Sec-WebSocket-Protocol": "hal, hal.token."}, UNKNOWN_DEVICE),
        ("not an address", {}, UNKNOWN_NETWORK),
        ("10.1.2.3", {"Origin": "https://evil.example", "Host": "gateway:8768"}, FOREIGN_ORIGIN),
        ("10.1.2.3", {"Origin": "null", "Host": "gateway:8768"}, FOREIGN_ORIGIN),
        ("10.1.2.3", {"Origin": "http://[", "Host": "gateway:8768"}, FOREIGN_ORIGIN),
        ("10.1.2.3", {"Origin": "http://10.1.34.103", "Host": "gateway:8768"}, FOREIGN_ORIGIN),
        ("10.1.2.3", {"Origin": "http://evil.example:8768", "Host": "evil.example:8768"}, FOREIGN_HOST),
        ("10.1.2.3", {"Host": "evil.example"}, FOREIGN_HOST),
        ("10.1.2.3", {"Host": "gateway.evil.example"}, FOREIGN_HOST),
        ("10.1.2.3", {"Host": "evilhome.example"}, FOREIGN_HOST),
        ("10.1.2.3", {"Host": "["}, FOREIGN_HOST),
        ("10.1.2.3", {"Host": ""}, FOREIGN_HOST),
    ],
)
def test_refused(admission, peer, headers, why):
    with pytest.raises(Refused, match="^" + why[:40]):
        admission.admit(peer, Headers(headers), "198.18.0.7")


def test_tokens_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# devices\n\nkitchen {DIGEST.hex()}\n")
    assert read_tokens(path) == {"kitchen": DIGEST}


@pytest.mark.parametrize("line", ["kitchen", "kitchen abc", f"two words {DIGEST.hex()}"])
def test_malformed_tokens_file_is_named_by_line_and_not_quoted(tmp_path, line):
    path = tmp_path / "tokens"
    path.write_text(f"# devices\n{line}\n")
    with pytest.raises(ValueError, match="line 2: expected a name") as caught:
        read_tokens(path)
    assert line not in str(caught.value).replace(str(path), "")


def test_missing_tokens_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read_tokens(tmp_path / "none")


async def test_refusal_is_http_401_with_a_sentence(start_gateway, open_client, tmp_path):
    (tmp_path / "tokens").write_text(f"kitchen {DIGEST.hex()}\n")
    gateway = await start_gateway(trusted_networks=("10.1.0.0/16",), tokens_file=tmp_path / "tokens")
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}
    with pytest.raises(InvalidStatus) as caught:
        await open_client(gateway, additional_headers=elsewhere)
    assert caught.value.response.status_code == 401
    assert caught.value.response.body.decode().strip() == UNKNOWN_NETWORK
    assert caught.value.response.headers["WWW-Authenticate"].startswith("Bearer")
    with pytest.raises(InvalidStatus):
        await open_client(gateway, f"/?token={TOKEN}", additional_headers=elsewhere)
    client = await open_client(gateway, additional_headers=elsewhere | {"Authorization": f"Bearer {TOKEN}"})
    assert (await client.ask("one"))["status"] == "success"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics"])
async def test_a_page_whose_name_was_made_to_lead_here_receives_nothing(start_gateway, path):
    gateway = await start_gateway()
    evil = {"Host": f"evil.example:{gateway.ports[0]}", "Origin": f"http://evil.example:{gateway.ports[0]}"}
    if path == "/":
        evil |= {"Connection": "Upgrade", "Upgrade": "websocket"}
        evil |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(f"http://127.0.0.1:{gateway.ports[0]}{path}", headers=evil)
    assert (reply.status_code, reply.text.strip()) == (403, FOREIGN_HOST)
    assert not gateway.sessions


async def test_one_session_too_many_is_told_to_try_later(start_gateway, open_client, until):
    gateway = await start_gateway(max_sessions=1)
    first = await open_client(gateway)
    with pytest.raises(ConnectionClosed) as caught:
        await open_client(gateway)
    assert caught.value.rcvd.code == 1013
    assert (await first.ask("one"))["status"] == "success"
    await first.socket.close()
    await until(lambda: not gateway.sessions)
    assert (await open_client(gateway)).greeting


@pytest.fixture
async def get(start_gateway):
    """GET a path of a gateway that trusts nobody: health needs no admission."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def get_(path, gateway=None, **settings):
            gateway = gateway or await start_gateway(trusted_networks=(), **settings)
            return await client.get(f"http://127.0.0.1:{gateway.ports[0]}{path}")

        yield get_


async def test_healthz(get):
    reply = await get("/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "alive"})


async def test_readyz_with_everything_up(get):
    reply = await get("/readyz")
    assert (reply.status_code, reply.json()["status"], reply.json()["sessions"]) == (200, "ready", 0)
    assert reply.headers["Content-Type"] == "application/json"


async def test_readyz_without_ai_hosts_is_degraded_and_ready(get, unused_tcp_port):
    address = f"http://127.0.0.1:{unused_tcp_port}"
    reply = await get("/readyz", ollama_urls=(address,))
    assert (reply.status_code, reply.json()["status"]) == (200, "degraded")
    assert reply.json()["backends"]["ollama"] == {address: "down"}


async def test_readyz_without_the_listener_is_not_ready(get, unused_tcp_port):
    reply = await get("/readyz", listener_port=unused_tcp_port)
    assert (reply.status_code, reply.json()["status"]) == (503, "not ready")


async def test_metrics_count_turns_and_sessions(get, start_gateway, open_client, listener):
    gateway = await start_gateway()
    client = await open_client(gateway)
    await client.ask("one")
    listener.mode = "garbage"
    await client.ask("two")
    text = (await get("/metrics", gateway)).text
    assert "hal_gateway_sessions 1.0" in text
    assert 'hal_gateway_turns_total{intent="MEDICATION",status="success"} 1.0' in text
    assert 'hal_gateway_backend_failures_total{backend="listener",kind="error"} 1.0' in text
    assert 'hal_gateway_stage_seconds_count{stage="listener"} 2.0' in text
    assert "hal_gateway_breaker_open" in text
    assert json.dumps("one") not in text
