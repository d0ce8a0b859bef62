"""The voice gateway: its greeting, and a whole turn, typed or spoken."""

from __future__ import annotations

import base64
from typing import Any

from ansible.module_utils.hal_checks.target import CheckFailed, Target
from ansible.module_utils.hal_checks.websocket import WebSocket

CHUNK_BYTES = 256 << 10


def _until(socket: WebSocket, kind: str) -> dict[str, Any]:
    """Return the next frame of a kind; a fault that is reported meanwhile ends the check."""
    while True:
        frame = socket.receive()
        if frame.get("type") == kind:
            return frame
        if frame.get("type") == "error":
            raise CheckFailed(f"the gateway reports: {frame.get('message')}")


def _speak(socket: WebSocket, audio: bytes) -> str:
    """Send a spoken question and return what was heard."""
    socket.send({"type": "wake_word_detected", "wake_word": "health check", "confidence": 1.0})
    _until(socket, "state_change")
    for begin in range(0, len(audio), CHUNK_BYTES):
        chunk = base64.b64encode(audio[begin : begin + CHUNK_BYTES]).decode()
        socket.send({"type": "audio_chunk", "audio": chunk, "format": "wav"})
    socket.send({"type": "speech_ended"})
    return str(_until(socket, "transcription").get("text"))


def gateway(target: Target) -> str:
    """Check the greeting and, where a question or its sound is given, the answer."""
    with WebSocket(target) as socket:
        greeting = socket.receive()
        if greeting.get("type") != "connected" or not greeting.get("session_id"):
            raise CheckFailed("the gateway does not greet as it should")
        if target.audio:
            said = f"heard {_speak(socket, base64.b64decode(target.audio))!r} and "
        elif target.question:
            socket.send({"type": "text_input", "text": target.question, "session_id": greeting["session_id"]})
            said = ""
        else:
            return "greeted"
        response = _until(socket, "response")
        text = str(response.get("text"))
        if response.get("status") != "success":
            raise CheckFailed(f"the question was not answered: {text}")
        target.require_words(text)
        return f"{said}answered: {text[:60]}"
