"""The health modules against the project's own services: healthy ones, and ones that exceed a limit."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import json

import pytest
from ansible.module_utils.hal_checks import gpu
from ansible.module_utils.hal_checks.runner import run_check
from ansible.module_utils.hal_checks.target import Target
from tests.conftest import ModuleFailed
from tests.unit.checks.servers import http_server, stay, tcp_server, websocket_server
from tests.unit.lab_ollama.conftest import NAME
from tests.unit.speech.conftest import wav

from hal.gateway.gateway import Gateway
from hal.gateway.settings import GatewaySettings
from hal.shared.admission import Admission

QUESTION = "What medications am I taking?"
SOUND = base64.b64encode(wav()).decode()


async def test_a_gateway_that_answers_and_can_use_every_back_end_is_healthy(health, services):
    result = await health(
        "gateway_health", services["gateway"], question=QUESTION, expect_words=["Metformin"], max_sessions=1
    )
    assert (result["ok"], result["remedy"], result["changed"]) == (True, "", False)
    assert result["message"].startswith("gateway on there: answered: You take")
    assert result["latency_ms"] > 0 and result["seconds"] > 0
    assert result["details"]["status"] == "ready"
    assert result["details"]["sessions"] == 1  # the check's own
    assert result["details"]["held_back"] == []


async def test_more_sessions_than_allowed_are_a_fault_that_says_how_many(health, services):
    reader, writer = await asyncio.open_connection("127.0.0.1", services["gateway"])
    writer.write(
        b"GET / HTTP/1.1\r\nHost: there\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    while b"connected" not in await reader.read(65536):
        pass
    with pytest.raises(
        ModuleFailed, match=r"2 sessions are open at 127.0.0.1:.*, more than 1. See in its log"
    ):
        await health("gateway_health", services["gateway"], max_sessions=1)
    writer.close()


async def test_a_gateway_without_its_back_ends_is_degraded_which_may_be_enough(health, services):
    with tcp_server(stay) as closed_soon:
        address = f"http://127.0.0.1:{closed_soon}"
    settings = GatewaySettings(
        host="127.0.0.1",
        port=0,
        own_names=("there",),
        listener_port=services["listener"],
        speech_urls=(address,),
        ollama_urls=(address,),
        ollama_model="m",
    )
    gateway = Gateway(settings)
    await gateway.start()
    try:
        degraded = await health("gateway_health", gateway.ports[0], readiness="degraded")
        assert degraded["ok"] and degraded["details"]["status"] == "degraded"
        assert (await health("gateway_health", gateway.ports[0], readiness="unasked"))["ok"]
        with pytest.raises(ModuleFailed) as failure:
            await health("gateway_health", gateway.ports[0])
    finally:
        await gateway.stop()
    result = failure.value.result
    assert f"is degraded: it cannot use speech {address}, ollama {address}" in result["msg"]
    assert result["remedy"] == "See that they run, and that the gateway may reach them"
    assert result["msg"].endswith(result["remedy"])


async def test_a_gateway_that_trusts_no_network_is_asked_with_a_token(health, tmp_path, monkeypatch):
    elsewhere = ipaddress.ip_address("192.0.2.1")  # the host itself needs none
    monkeypatch.setattr(Admission, "client_address", lambda *_: elsewhere)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"mac {hashlib.sha256(b'a-token').hexdigest()}\n")
    settings = GatewaySettings(
        host="127.0.0.1", port=0, own_names=("there",), trusted_networks=(), tokens_file=tokens
    )
    gateway = Gateway(settings)
    await gateway.start()
    try:
        port = gateway.ports[0]
        assert (await health("gateway_health", port, readiness="unasked", token="a-token"))["ok"]
        with pytest.raises(ModuleFailed, match=r"handshake was refused: HTTP/1\.1 401"):
            await health("gateway_health", port, readiness="unasked")
    finally:
        await gateway.stop()


async def test_a_listener_that_answers_is_healthy(health, services):
    result = await health("listener_health", services["listener"], expect_words=["metformin"])
    assert result["ok"] and result["details"]["intent"] == "MEDICATION"
    assert "metformin" in result["details"]["answer"]
    with pytest.raises(
        ModuleFailed, match=r"the answer lacks aspirin.*On there: `systemctl status hal-engine`"
    ):
        await health("listener_health", services["listener"], question=QUESTION, expect_words=["aspirin"])


async def test_speech_that_hears_is_healthy_and_tells_its_queue(health, on_port, transcriber):
    port = (await on_port()).base_url.port
    result = await health("speech_health", port, audio=SOUND, expect_words=["hello"], max_queue=0)
    assert result["ok"] and result["details"]["heard"] == "hello"
    with pytest.raises(ModuleFailed, match="the answer lacks goodbye"):
        await health("speech_health", port, audio=SOUND, expect_words=["goodbye"])
    with pytest.raises(ModuleFailed, match=r"with 422: The recording is in no known container, and"):
        await health("speech_health", port, audio="eA==")


async def test_a_queue_longer_than_allowed_is_a_fault(health, on_port, transcriber):
    client = await on_port(workers=1)
    transcriber.release.clear()
    waiting = [asyncio.create_task(client.post("/transcribe", json={"audio": SOUND})) for _ in range(2)]
    await transcriber.started()
    port = client.base_url.port
    try:
        while "hal_speech_requests_in_progress 2.0" not in (await client.get("/metrics")).text:
            pass
        assert (await health("speech_health", port, max_queue=2))["ok"]
        with pytest.raises(
            ModuleFailed, match=r"2 requests wait at 127.0.0.1:.*, more than 1. Take load off it"
        ):
            await health("speech_health", port, max_queue=1)
    finally:
        transcriber.release.set()
        await asyncio.gather(*waiting)


async def test_speech_whose_model_is_not_loaded_is_not_healthy(health, make_service, on_port):
    def fail(_):
        raise OSError("no such model")

    port = (await on_port(loader=fail)).base_url.port
    with pytest.raises(ModuleFailed, match=r"503: .*no such model.*`systemctl status hal-speech`"):
        await health("speech_health", port)


async def test_ollama_that_generates_is_healthy(health, ollama_port):
    result = await health("ollama_health", ollama_port, models=[NAME], loaded=[NAME])
    assert result["ok"] and result["version"]
    assert (result["details"]["models"], result["details"]["loaded"]) == ([NAME], [NAME])
    assert result["details"]["tokens_per_second"] > 0


async def test_a_model_that_is_missing_or_not_in_memory_is_named_with_what_to_do(health, ollama_port):
    with pytest.raises(ModuleFailed, match=r"lacks the model llama3. Run `ollama pull llama3` on there"):
        await health("ollama_health", ollama_port, models=[NAME, "llama3"])
    with pytest.raises(ModuleFailed, match=f"has not loaded the model {NAME}. Run `ollama run {NAME}"):
        await health("ollama_health", ollama_port, models=[NAME], loaded=[NAME], generate=False)


async def test_a_model_without_a_tag_is_the_latest(health):
    tags = json.dumps({"models": [{"name": "llama3:latest"}]}).encode()
    with http_server({"/api/tags": (200, tags)}) as port:
        assert (await health("ollama_health", port, models=["llama3"], generate=False))["ok"]
        with pytest.raises(ModuleFailed, match="lacks the model llama3:70b"):
            await health("ollama_health", port, models=["llama3:70b"], generate=False)


async def test_a_model_that_is_still_thinking_says_something(health):
    thought = {"response": "", "thinking": "Okay", "eval_count": 4, "eval_duration": 2_000_000_000}
    tags = json.dumps({"models": [{"name": "r1:32b"}]}).encode()
    with http_server(
        {"/api/tags": (200, tags), "/api/generate": (200, json.dumps(thought).encode())}
    ) as port:
        result = await health("ollama_health", port)
    assert result["ok"] and result["details"]["tokens_per_second"] == 2
    assert result["version"] == ""  # that server tells none


def computing(size_vram: int, tokens: int = 4) -> dict[str, tuple[int, bytes]]:
    """Return what a server answers whose only model, of 2 GB, has so much in the GPU's memory."""
    model = {"name": "llama3.2:3b", "size": 2_000_000_000}
    said = {"response": "Yes", "eval_count": tokens, "eval_duration": 1_000_000_000}
    answers = {
        "/api/tags": {"models": [model]},
        "/api/ps": {"models": [model | {"size_vram": size_vram}]},
        "/api/generate": said,
    }
    return {path: (200, json.dumps(answer).encode()) for path, answer in answers.items()}


@pytest.mark.parametrize(
    ("size_vram", "fault"),
    [
        (
            0,
            "llama3.2:3b is computed on the processor, though there is a GPU.*`nvidia-smi`.*restart the host",
        ),
        (500_000_000, r"only 0.5 of llama3.2:3b's 2.0 GB are in the GPU's memory.*take a smaller model"),
        (2_000_000_000, ""),
    ],
)
async def test_where_a_gpu_is_expected_the_whole_model_must_be_in_its_memory(health, size_vram, fault):
    with http_server(computing(size_vram)) as port:
        assert (await health("ollama_health", port))["ok"]
        assert (await health("ollama_health", port, gpu="none", own=True))["ok"]
        if fault:
            with pytest.raises(ModuleFailed, match=fault):
                await health("ollama_health", port, gpu="nvidia")
        else:
            assert (await health("ollama_health", port, gpu="amd"))["ok"]


@pytest.mark.parametrize(
    ("own", "tool", "expected"), [(True, True, True), (False, True, False), (True, False, False)]
)
async def test_a_gpu_is_expected_of_the_host_itself_where_it_has_one_with_its_driver(
    health, tmp_path, monkeypatch, own, tool, expected
):
    device = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    for name, number in (("class", "0x030000"), ("vendor", "0x10de"), ("device", "0x2684")):
        (device / name).write_text(f"{number}\n")
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    monkeypatch.setattr(gpu.shutil, "which", lambda name: f"/usr/bin/{name}" if tool else None)
    with http_server(computing(0)) as port:
        options = {"gpu": "auto", "own": own}
        if expected:
            with pytest.raises(ModuleFailed, match="computed on the processor"):
                await health("ollama_health", port, **options)
        else:
            assert (await health("ollama_health", port, **options))["ok"]


async def test_a_model_that_answers_more_slowly_than_declared_is_a_fault(health):
    with http_server(computing(0)) as port:
        assert (await health("ollama_health", port, minimum_tokens_per_second=4))["ok"]
        with pytest.raises(
            ModuleFailed, match=r"answers with 4 tokens a second, fewer than 5\. On there: `ollama"
        ):
            await health("ollama_health", port, minimum_tokens_per_second=5)


async def test_an_unhealthy_service_fails_no_task_that_only_wants_to_know(health, services):
    result = await health("gateway_health", services["listener"], fail_on_fault=False)
    assert result["ok"] is False and "does not speak HTTP" in result["message"]


async def test_check_mode_checks_the_same(run_module, services):
    where = {"host": "there", "address": "127.0.0.1", "port": services["listener"]}
    result = await asyncio.to_thread(run_module, "listener_health", where, check=True)
    assert result["ok"] and result["details"]["intent"] == "MEDICATION"


async def test_a_connection_that_takes_too_long_is_a_fault(health, services):
    assert (await health("listener_health", services["listener"], max_latency_ms=60_000))["ok"]
    with pytest.raises(ModuleFailed) as failure:
        await health("listener_health", services["listener"], max_latency_ms=0)
    assert "ms, more than 0 ms. Look for load, a weak radio link" in failure.value.result["msg"]
    assert failure.value.result["latency_ms"] > 0


@pytest.mark.parametrize(("limit", "connections"), [(0, 5), (60_000, 1)])
def test_only_a_connection_that_takes_too_long_is_made_again(limit, connections):
    with tcp_server(stay) as port:
        target = Target("x", "flow", "there", "127.0.0.1", port, limits={"latency_ms": limit})
        result = run_check(target, "here")
    assert len(target.connect_ms) == connections
    assert result["latency_ms"] == round(min(target.connect_ms), 2)


async def test_a_check_that_takes_too_long_is_a_fault(health, services):
    assert (await health("listener_health", services["listener"], max_seconds=60))["ok"]
    with pytest.raises(ModuleFailed, match=r"took .* s, longer than 0 s. See with `top`"):
        await health("listener_health", services["listener"], max_seconds=0)


async def test_a_limit_for_what_is_not_told_is_a_fault(health):
    loaded = {"/health": (200, b'{"model": "m", "device": "cpu"}'), "/metrics": (200, b"other 1\n")}
    untold = pytest.raises(ModuleFailed, match="does not tell its queue, for which there is a limit")
    with http_server(loaded) as port, untold:
        await health("speech_health", port, max_queue=1)
    strange = pytest.raises(ModuleFailed, match="/metrics does not tell metrics but '<html>")
    with http_server(loaded | {"/metrics": (200, b"<html> no metrics")}) as port, strange:
        await health("speech_health", port, max_queue=1)


async def test_a_back_end_that_the_gateway_leaves_alone_is_told(health):
    metrics = b'hal_gateway_sessions 1.0\nhal_gateway_breaker_open{address="http://a",backend="speech"} 1.0\n'

    def process(connection, request):
        if request.path == "/metrics":
            return connection.respond(200, metrics.decode())
        return None

    def talk(connection):
        connection.send(json.dumps({"type": "connected", "session_id": "1"}))
        for _ in connection:
            pass

    with websocket_server(talk, process_request=process) as port:
        result = await health("gateway_health", port, readiness="unasked", max_sessions=5)
    assert result["details"]["held_back"] == ['address="http://a",backend="speech"']


async def test_speech_that_falls_back_to_the_processor_is_a_fault_where_a_gpu_is_expected(health):
    said = {"status": "ok", "model": "m", "device": "cpu", "fallback": "CUDA finds no device"}
    with http_server({"/health": (200, json.dumps(said).encode())}) as port:
        assert (await health("speech_health", port))["ok"]
        with pytest.raises(
            ModuleFailed, match=r"though there is a GPU: CUDA finds no device\. .*`nvidia-smi`"
        ):
            await health("speech_health", port, gpu="nvidia")
