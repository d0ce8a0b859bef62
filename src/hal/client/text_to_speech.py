"""Text to speech: the network's service, or a Mac's own voice."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

import httpx

from hal.client.errors import ConnectError, TurnError
from hal.client.explain import explain_network
from hal.client.settings import ClientSettings

TRY_SPEECH = "check that the speech service runs and that HAL_SPEECH_URL is right"
SPEECH_PATH = "/v1/audio/speech"
_PLAYERS = (["afplay"], ["paplay"], ["aplay", "-q"], ["play", "-q"])


async def synthesise(settings: ClientSettings, text: str) -> bytes:
    """Return `text` as speech, a WAV file's bytes.

    Raises:
        UsageError: no text-to-speech service is set.
        ConnectError: it does not answer.
        TurnError: it refuses, or sends no audio.
    """
    url = settings.require_speech() + SPEECH_PATH
    question = {"model": "tts-1", "voice": "default", "input": text, "response_format": "wav"}
    try:
        async with http_client(settings) as client:
            reply = await client.post(url, json=question)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectError(f"Cannot connect to {url}: {explain_network(error, TRY_SPEECH)}.") from error
    if reply.status_code != httpx.codes.OK:
        raise TurnError(f"{url} answered HTTP {reply.status_code}: {_detail(reply)}.")
    if not reply.content.startswith(b"RIFF"):
        raise TurnError(f"{url} sent something that is not a WAV file: check HAL_SPEECH_URL.")
    return reply.content


async def play(settings: ClientSettings, text: str, platform: str = sys.platform) -> Path | None:
    """Say `text` aloud.

    Returns:
        None when it was heard; where nothing can play it, the file that it was saved as.

    Raises:
        ClientError: it could not be made.
    """
    if platform == "darwin" and shutil.which("say"):
        # Through standard input: the household's records have no business in the process list.
        await _run(["say", "-f", "-"], text.encode())
        return None
    file = await speech_file(settings, text)
    for player in _PLAYERS:
        if shutil.which(player[0]) and await _run([*player, str(file)], b"") == 0:
            await asyncio.to_thread(file.unlink)
            return None
    return file


async def speech_file(settings: ClientSettings, text: str) -> Path:
    """Save `text` as speech in a temporary file, a WAV.

    Raises:
        ClientError: it could not be made.
    """
    recording = await synthesise(settings, text)
    handle, name = tempfile.mkstemp(prefix="hal-", suffix=".wav")
    with os.fdopen(handle, "wb") as file:
        file.write(recording)
    return Path(name)


def http_client(settings: ClientSettings) -> httpx.AsyncClient:
    """Return a client for the network's HTTP services: its own CA, no proxy of the environment."""
    return httpx.AsyncClient(verify=settings.tls(), timeout=settings.timeout, trust_env=False)


async def _run(command: list[str], stdin: bytes) -> int | None:
    """Run a program in silence and return its exit code."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet
    )
    await process.communicate(stdin)
    return process.returncode


def _detail(reply: httpx.Response) -> str:
    """Return what a service says about its refusal, in FastAPI's or OpenAI's shape."""
    try:
        body = reply.json()
        reason = body.get("detail") or body["error"]["message"]
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = reply.reason_phrase
    return str(reason).rstrip(".")
