"""Ollama's own Python library against the lab's stand-in, which the gateway's tests in the lab run on."""

from __future__ import annotations

import ollama
import pytest
from tests.unit.lab_ollama.conftest import NAME

pytestmark = pytest.mark.slow

MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(ollama_port):
    return ollama.AsyncClient(host=f"http://127.0.0.1:{ollama_port}", trust_env=False)


async def test_the_models_that_there_are(client):
    assert [model.model for model in (await client.list()).models] == [NAME]


async def test_chat(client):
    assert (await client.chat(model=NAME, messages=MESSAGES)).message.content == "Hello there"
    pieces = [part async for part in await client.chat(model=NAME, messages=MESSAGES, stream=True)]
    assert "".join(part.message.content for part in pieces) == "Hello there" and pieces[-1].done


async def test_generate(client):
    assert (await client.generate(model=NAME, prompt="Hi")).response == "Hello there"


async def test_an_unknown_model_is_said_to_be_unknown(client):
    with pytest.raises(ollama.ResponseError, match="not found"):
        await client.chat(model="none:1b", messages=MESSAGES)
