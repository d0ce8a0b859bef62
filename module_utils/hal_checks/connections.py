"""Checks of a TCP connection: flows, SSH, the listener, and Home Assistant's protocol."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target
from ansible.module_utils.hal_checks.websocket import decode

MAX_BYTES = 4 << 20


def read_all(connection: socket.socket) -> bytes:
    """Return everything until the other side closes. Raises CheckFailed if there is no end of it."""
    data = b""
    while part := connection.recv(65536):
        data += part
        if len(data) > MAX_BYTES:
            raise CheckFailed(f"the answer is longer than {MAX_BYTES} bytes")
    return data


def flow(target: Target) -> Found:
    """Check that a TCP port can be reached, or that it cannot."""
    try:
        target.dial().close()
        reached = True
    except OSError:
        if target.expect == "open":
            raise
        reached = False
    if reached and target.expect == "closed":
        firewall = "Get-NetFirewallRule -Enabled True" if target.windows else "ufw status"
        raise CheckFailed(
            f"{target.where} can be reached and should not be", f"Look at `{firewall}` on {target.host}"
        )
    return Found(target.expect)


def tls(target: Target) -> Found:
    """Check that a server has a certificate that is trusted; with no authority's file, that it is reached."""
    if not Path(target.ca_file).is_file():
        return flow(target)
    target.connect().close()
    days = target.certificate_days[-1]
    return Found(
        f"its certificate is valid for {days:.0f} days", details={"certificate_days": round(days, 1)}
    )


def ssh(target: Target) -> Found:
    """Check that an SSH server answers."""
    with target.connect() as connection:
        banner = connection.recv(255)
    if not banner.startswith(b"SSH-"):
        raise CheckFailed(f"what answers there is not SSH: {banner[:40]!r}")
    version = banner.split(b"\n")[0].decode(errors="replace").strip()
    return Found(version, version)


def _exchange(target: Target, request: dict[str, Any], name: str) -> dict[str, Any]:
    """Send a line of JSON and return the object that comes before the connection's end."""
    with target.connect() as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        reply = read_all(connection)
    if not reply:
        raise CheckFailed(f"the {name} closed the connection without an answer")
    return decode(reply)


def listener(target: Target) -> Found:
    """Check one exchange with the listener: a JSON object each way."""
    request: dict[str, Any] = {
        "session_id": "health-check",
        "transcription": target.question or "What medications am I taking?",
        "client_type": "health_check",
        "context": [],
    }
    answer = _exchange(target, request, "listener")
    text = str(answer.get("response_text"))
    if answer.get("status") != "success" or not answer.get("intent"):
        raise CheckFailed(f"the listener did not answer from the records: {text[:120]}")
    target.require_words(text)
    return Found(f"answered ({answer['intent']})", details={"intent": answer["intent"], "answer": text})


def ai_server(target: Target) -> Found:
    """Check one exchange as clients of AI.SERVER have it: a JSON object each way over TCP."""
    request = {
        "type": "text_input",
        "text": target.question or "What medications am I taking?",
        "user_id": "health-check",
        "session_id": "health-check",
    }
    answer = _exchange(target, request, "gateway")
    text = str(answer.get("text"))
    if answer.get("type") != "text_response" or answer.get("status") != "success":
        raise CheckFailed(f"the question was not answered: {text[:120]}")
    target.require_words(text)
    return Found(f"answered: {text[:60]}", details={"answer": text})


def wyoming(target: Target) -> Found:
    """Check that a service of the Wyoming protocol says what it is: a line of JSON, the rest behind it."""
    with target.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(b'{"type": "describe"}\n')
        head = decode(stream.readline(MAX_BYTES))
        size = head.get("data_length") or 0
        if head.get("type") != "info" or not isinstance(size, int) or not 0 <= size <= MAX_BYTES:
            raise CheckFailed("what answers there does not speak the Wyoming protocol")
        described = decode(stream.read(size)) if size else head.get("data") or {}
    offered = sorted(kind for kind, programs in described.items() if programs and isinstance(programs, list))
    if not offered:
        raise CheckFailed("the Wyoming service offers nothing")
    return Found(f"offers {', '.join(offered)}", details={"offered": offered})
