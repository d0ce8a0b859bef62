"""The shapes of Ollama's HTTP interface."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest
from lab.ollama.stand_in.config import FOREVER, Config, SettingError, parse_duration, parse_host

from .conftest import DIGEST, MODEL, NAME, WAIT_S

CHAT = {"model": NAME, "messages": [{"role": "user", "content": "Hi"}]}
GENERATE = {"model": NAME, "prompt": "Hi"}


def lines(reply: httpx.Response) -> list[dict]:
    """Return the lines of a streamed answer."""
    assert reply.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in reply.text.splitlines()]


async def test_root_version_and_tags(client):
    assert (await client.get("/")).text == "Ollama is running"
    assert (await client.head("/")).status_code == 200
    assert (await client.get("/api/version")).json()["version"]
    (model,) = (await client.get("/api/tags")).json()["models"]
    assert model["name"] == model["model"] == NAME
    assert (model["digest"], model["size"]) == (DIGEST, len(MODEL))
    assert model["modified_at"]
    assert model["details"]["format"] == "gguf"


@pytest.mark.parametrize(
    ("path", "request_", "read"),
    [
        ("/api/chat", CHAT, lambda line: line["message"]["content"]),
        ("/api/generate", GENERATE, lambda line: line["response"]),
    ],
)
async def test_answers_stream_unless_told_otherwise(client, path, request_, read):
    streamed = lines(await client.post(path, json=request_))
    assert [read(line) for line in streamed] == ["Hello", " there", ""]
    assert [line["done"] for line in streamed] == [False, False, True]
    whole = (await client.post(path, json=request_ | {"stream": False})).json()
    assert read(whole) == "Hello there"
    for last in (streamed[-1], whole):
        assert last["done_reason"] == "length"
        assert (last["prompt_eval_count"], last["eval_count"]) == (4, 2)
        assert last["eval_duration"] == 4_000_000
        assert last["total_duration"] >= 0
        assert last["model"] == NAME


async def test_options_reach_the_model(client, engine):
    options = {"num_predict": 7, "temperature": 0, "seed": 1, "num_gpu": 9}
    await client.post("/api/chat", json=CHAT | {"options": options, "format": "json"})
    assert engine.requests[-1] == {
        "messages": CHAT["messages"],
        "max_tokens": 7,
        "temperature": 0,
        "seed": 1,
        "response_format": {"type": "json_object"},
    }
    await client.post("/api/generate", json=GENERATE | {"system": "Be brief."})
    assert [message["role"] for message in engine.requests[-1]["messages"]] == ["system", "user"]
    await client.post("/api/generate", json=GENERATE | {"raw": True})
    assert engine.requests[-1] == {"prompt": "Hi"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/chat"), ("POST", "/api/generate"), ("POST", "/api/show"), ("DELETE", "/api/delete")],
)
async def test_unknown_models(client, method, path):
    reply = await client.request(method, path, json={"model": "x"})
    assert reply.status_code == 404
    assert reply.json() == {"error": "model 'x' not found"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        json.dumps(CHAT | {"messages": "x"}).encode(),
        json.dumps(CHAT | {"messages": [{"role": 1}]}).encode(),
        json.dumps(CHAT | {"options": 1}).encode(),
        json.dumps(CHAT | {"format": "xml"}).encode(),
        json.dumps(CHAT | {"keep_alive": "soon"}).encode(),
        json.dumps({"model": 5}).encode(),
    ],
)
async def test_bad_requests_get_a_reason(client, body):
    reply = await client.post("/api/chat", content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]


async def test_the_engines_refusal_has_a_status(client, engine):
    engine.failure = ValueError("request exceeds the context")
    reply = await client.post("/api/chat", json=CHAT)
    assert (reply.status_code, reply.json()) == (400, {"error": "request exceeds the context"})


async def test_openai_chat(client):
    reply = (await client.post("/v1/chat/completions", json=CHAT | {"max_tokens": 5})).json()
    assert reply["choices"][0]["message"] == {"role": "assistant", "content": "Hello there"}
    assert (reply["object"], reply["model"]) == ("chat.completion", NAME)
    assert reply["usage"]["total_tokens"] == 6
    streamed = await client.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    events = streamed.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert all(chunk["choices"] and chunk["model"] == NAME for chunk in chunks)
    unknown = await client.post("/v1/chat/completions", json={"model": "x"})
    assert unknown.status_code == 404
    assert unknown.json()["error"]["message"] == "model 'x' not found"
    assert (await client.get("/v1/models")).json()["data"][0]["id"] == NAME


async def test_show_and_delete(client):
    assert (await client.post("/api/show", json={"name": NAME})).json()["details"] == {"format": "gguf"}
    assert (await client.request("DELETE", "/api/delete", json={"name": NAME})).status_code == 200
    assert (await client.get("/api/tags")).json() == {"models": []}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
async def test_a_model_that_is_kept_for_ever_is_listed_in_each_time_zone(client, monkeypatch, zone):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        await client.post("/api/generate", json={"model": NAME, "keep_alive": -1})
        (model,) = (await client.get("/api/ps")).json()["models"]
    time.tzset()
    assert model["expires_at"] > "2100"


async def test_keep_alive_loads_and_unloads(client, engine):
    loaded = await client.post("/api/generate", json={"model": NAME, "keep_alive": -1})
    assert loaded.json()["done_reason"] == "load"
    (model,) = (await client.get("/api/ps")).json()["models"]
    assert model["name"] == NAME
    await client.post("/api/generate", json=GENERATE)
    assert len(engine.loads) == 1
    unloaded = await client.post("/api/generate", json={"model": NAME, "keep_alive": 0})
    assert unloaded.json()["done_reason"] == "unload"
    assert (await client.get("/api/ps")).json() == {"models": []}


async def test_a_model_is_unloaded_after_its_time(client):
    await client.post("/api/generate", json=GENERATE | {"keep_alive": "1ms"})
    async with asyncio.timeout(WAIT_S):
        while (await client.get("/api/ps")).json()["models"]:  # noqa: ASYNC110 - behind HTTP
            await asyncio.sleep(0.01)


async def test_who_stops_reading_stops_the_model(make_app, store, engine):
    store.add(DIGEST, [MODEL])
    model = store.tag(NAME, DIGEST, {})
    runner = make_app()._runner
    engine.hold = True
    chunks = runner.stream(model, store.blob(DIGEST), {}, 60)
    await anext(chunks)
    await chunks.aclose()
    assert await asyncio.to_thread(engine.stopped.wait, WAIT_S)


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
async def test_who_leaves_before_a_whole_answer_stops_the_model(make_app, store, engine, path):
    store.add(DIGEST, [MODEL])
    store.tag(NAME, DIGEST, {})
    engine.hold = True
    events = [{"type": "http.request", "body": json.dumps(CHAT | {"stream": False}).encode()}]

    async def receive() -> dict:
        if events:
            return events.pop()
        while not engine.requests:  # noqa: ASYNC110 - the engine runs in a thread
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(_: dict) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    await asyncio.wait_for(make_app().app(scope, receive, send), WAIT_S)
    assert await asyncio.to_thread(engine.stopped.wait, WAIT_S)


async def test_pull_over_http(make_app, library, store, monkeypatch):
    real = httpx.Client
    monkeypatch.setattr(
        "lab.ollama.stand_in.library.httpx.Client", lambda **_: real(transport=httpx.MockTransport(library))
    )
    app = make_app().app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://o") as client:
        assert lines(await client.post("/api/pull", json={"model": NAME}))[-1] == {"status": "success"}
        assert store.get(NAME)
        assert (
            "file does not exist" in lines(await client.post("/api/pull", json={"model": "x"}))[-1]["error"]
        )
        whole = await client.post("/api/pull", json={"model": NAME, "stream": False})
        assert whole.json() == {"status": "success"}
        failed = await client.post("/api/pull", json={"model": "x", "stream": False})
        assert failed.status_code == 500
        assert failed.json()["error"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", ("127.0.0.1", 11434)),
        ("0.0.0.0", ("0.0.0.0", 11434)),
        (":80", ("127.0.0.1", 80)),
        ("http://h:1/", ("h", 1)),
    ],
)
def test_host(text, address):
    assert parse_host(text) == address


def test_durations():
    assert [parse_duration(value) for value in ("5m", "1h30m", 10, "0", -1, "-1s")] == [
        300,
        5400,
        10,
        0,
        FOREVER,
        FOREVER,
    ]
    for value in ("soon", "", "5 minutes", "nan", []):
        with pytest.raises(SettingError):
            parse_duration(value)
    with pytest.raises(SettingError):
        Config.from_environment({"OLLAMA_HOST": "x:y"})
