"""Tokens of devices: given, revoked and guessed while the gateway runs, and sent by a page in a browser."""

from __future__ import annotations

import hashlib
import logging

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hal.shared import limits, websocket
from hal.shared.admission import TOO_MANY_FAILURES, UNKNOWN_DEVICE
from hal.shared.device_tokens import DeviceTokens

KITCHEN, CELLAR = "token-of-the-kitchen-tablet", "token-of-the-cellar"


def bearer(token):
    return {"additional_headers": {"Authorization": f"Bearer {token}"}}


@pytest.fixture
def tokens(tmp_path):
    """Write the tokens of devices, `tokens(kitchen=…)`, as Ansible does: a new file replaces the old."""
    path = tmp_path / "tokens"

    def write(**devices):
        new = tmp_path / "tokens.new"
        lines = [f"{name} {hashlib.sha256(token.encode()).hexdigest()}" for name, token in devices.items()]
        new.write_text("\n".join(lines) + "\n")
        new.replace(path)
        return path

    return write


@pytest.fixture
async def gateway(start_gateway, tokens):
    """Start a gateway that knows the kitchen's tablet, and trusts this machine besides."""
    return await start_gateway(tokens_file=tokens(kitchen=KITCHEN))


async def refused(open_client, gateway, token, **options):
    with pytest.raises(InvalidStatus) as caught:
        await open_client(gateway, **bearer(token), **options)
    return caught.value.response.status_code, caught.value.response.body.decode().strip()


async def count(gateway, reason):
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://127.0.0.1:{gateway.ports[0]}/metrics")).text
    return float(text.partition(f'hal_gateway_refused_total{{reason="{reason}"}} ')[2].split()[0])


async def test_a_new_token_is_taken_and_a_revoked_one_refused_without_a_restart(gateway, tokens, open_client):
    assert await refused(open_client, gateway, CELLAR) == (401, UNKNOWN_DEVICE)
    tokens(cellar=CELLAR)
    assert (await (await open_client(gateway, **bearer(CELLAR))).ask("one"))["status"] == "success"
    assert await refused(open_client, gateway, KITCHEN) == (401, UNKNOWN_DEVICE)


async def test_a_session_ends_when_its_device_loses_its_token(gateway, tokens, open_client, monkeypatch):
    monkeypatch.setattr(websocket, "TOKENS_INTERVAL_S", 0.01)
    kitchen, anybody = await open_client(gateway, **bearer(KITCHEN)), await open_client(gateway)
    tokens(cellar=CELLAR)
    with pytest.raises(ConnectionClosed) as caught:
        await kitchen.receive()
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "this device's token was revoked")
    assert (await anybody.ask("one"))["status"] == "success"


async def test_a_session_ends_when_its_device_has_another_token(gateway, tokens, open_client, monkeypatch):
    monkeypatch.setattr(websocket, "TOKENS_INTERVAL_S", 0.01)
    kitchen = await open_client(gateway, **bearer(KITCHEN))
    tokens(kitchen=CELLAR)
    with pytest.raises(ConnectionClosed):
        await kitchen.receive()


@pytest.mark.parametrize("damage", ["unlink", "write"])
async def test_a_file_that_cannot_be_read_changes_nothing_and_is_told_once(
    gateway, tokens, open_client, damage, caplog
):
    path = tokens(kitchen=KITCHEN)
    await open_client(gateway, **bearer(KITCHEN))
    path.unlink()
    if damage == "write":
        path.write_text("half a li")
    for _ in range(2):
        assert (await (await open_client(gateway, **bearer(KITCHEN))).ask("one"))["status"] == "success"
        assert await refused(open_client, gateway, CELLAR) == (401, UNKNOWN_DEVICE)
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1
    tokens(cellar=CELLAR)
    assert (await open_client(gateway, **bearer(CELLAR))).greeting


async def test_a_page_sends_its_token_as_a_subprotocol_which_nothing_repeats(gateway, open_client, caplog):
    caplog.set_level(logging.INFO)
    page = await open_client(
        gateway, subprotocols=["hal", f"hal.token.{KITCHEN}"], origin="https://page.example"
    )
    assert page.socket.subprotocol == "hal"
    assert KITCHEN not in str(page.socket.response.headers) + caplog.text
    assert (await page.ask("one"))["status"] == "success"
    assert "admitted kitchen" in caplog.text
    with pytest.raises(InvalidStatus):
        await open_client(gateway, subprotocols=["hal", f"hal.token.{CELLAR}"])
    assert CELLAR not in caplog.text


async def test_unknown_tokens_are_counted_and_soon_not_even_looked_at(
    gateway, open_client, monkeypatch, caplog
):
    monkeypatch.setattr(limits, "WRONG_TOKENS", 3)
    other = {"local_addr": ("127.0.0.2", 0)}  # another address
    assert await count(gateway, "wrong_token") == 0
    for _ in range(3):
        assert await refused(open_client, gateway, CELLAR, **other) == (401, UNKNOWN_DEVICE)
    before = len(caplog.records)
    for token in (CELLAR, KITCHEN):  # nobody learns which is the right one
        assert await refused(open_client, gateway, token, **other) == (429, TOO_MANY_FAILURES)
    assert not [one for one in caplog.records[before:] if "refused" in one.message]
    assert await count(gateway, "wrong_token") == 3
    assert await count(gateway, "too_many_wrong_tokens") == 2
    assert (await open_client(gateway, **bearer(KITCHEN))).greeting
    assert (await open_client(gateway, **other)).greeting  # it is trusted; it has no token to guess with


async def test_behind_a_proxy_unknown_tokens_count_for_the_client(
    start_gateway, tokens, open_client, monkeypatch
):
    monkeypatch.setattr(limits, "WRONG_TOKENS", 1)
    gateway = await start_gateway(tokens_file=tokens(kitchen=KITCHEN), trusted_proxies=("127.0.0.1/32",))

    async def status(client, token):
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": client}
        try:
            await open_client(gateway, additional_headers=headers)
        except InvalidStatus as error:
            return error.response.status_code
        return 101

    assert [await status("10.1.0.1", CELLAR) for _ in range(2)] == [401, 429]
    assert await status("10.1.0.2", KITCHEN) == 101


def test_an_empty_token_is_nobodys():
    assert DeviceTokens({"kitchen": hashlib.sha256(b"").digest()}).device("") is None
