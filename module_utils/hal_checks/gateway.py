"""The voice gateway: its greeting, what it says of itself, and a whole turn, typed or spoken."""

from __future__ import annotations

import base64
from typing import Any

from ansible.module_utils.hal_checks.http import metrics, request
from ansible.module_utils.hal_checks.result import CheckFailed, Found, Measure
from ansible.module_utils.hal_checks.target import Target
from ansible.module_utils.hal_checks.websocket import WebSocket, decode

CHUNK_BYTES = 256 << 10
SESSIONS = "hal_gateway_sessions"
BREAKER = "hal_gateway_breaker_open{"


def _until(socket: WebSocket, *kinds: str) -> dict[str, Any]:
    """Return the next frame of one of these kinds; a fault that is reported meanwhile ends the check."""
    while True:
        frame = socket.receive()
        if frame.get("type") in kinds:
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
    heard = _until(socket, "transcription", "response")
    if heard["type"] == "response":  # a gateway that cannot hear says so, and transcribes nothing
        raise CheckFailed(f"the question was not answered: {heard.get('text')}")
    return str(heard.get("text"))


def _turn(target: Target, socket: WebSocket, greeting: dict[str, Any]) -> str:
    """Ask the question, if there is one, and return what came of it."""
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


def _ready(target: Target) -> dict[str, Any]:
    """Return what `/readyz` says. Raises CheckFailed if the gateway is less ready than it must be."""
    _, said = request(target, "GET", "/readyz")
    report = decode(said)
    status, backends = report.get("status"), report.get("backends")
    if status == "ready" or (status == "degraded" and target.readiness == "degraded"):
        return report
    states = backends.items() if isinstance(backends, dict) else []
    down = [
        f"{name} {address}"
        for name, addresses in states
        for address, state in addresses.items()
        if state == "down"
    ]
    if not down:
        raise CheckFailed(f"/readyz says {status or said[:60]!r}")
    raise CheckFailed(
        f"the gateway is {status}: it cannot use {', '.join(down)}",
        "See that they run, and that the gateway may reach them",
    )


def _measure(target: Target) -> tuple[list[Measure], dict[str, Any]]:
    """Return what `/metrics` tells of sessions and of back ends that are left alone for a while."""
    told = metrics(target)
    held = [
        name.removeprefix(BREAKER).rstrip("}") for name, on in told.items() if name.startswith(BREAKER) and on
    ]
    sessions = told.get(SESSIONS)
    return [Measure("sessions", sessions, target.where)], {"sessions": sessions, "held_back": held}


def gateway(target: Target) -> Found:
    """Check the greeting and, as far as the check says so, the answer, readiness and sessions."""
    details: dict[str, Any] = {}
    measures: list[Measure] = []
    with WebSocket(target) as socket:
        greeting = socket.receive()
        if greeting.get("type") != "connected" or not greeting.get("session_id"):
            raise CheckFailed("the gateway does not greet as it should")
        message = _turn(target, socket, greeting)
        if target.readiness != "unasked":
            details |= _ready(target)
        if "sessions" in target.limits:  # among them this one
            measures, told = _measure(target)
            details |= told
    return Found(message, measures=measures, details=details)
