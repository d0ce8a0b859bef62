"""Checks of a connection: flows, SSH, the listener, and HAProxy's view of its servers."""

from __future__ import annotations

import csv
import json
import socket

from ansible.module_utils.hal_checks.target import CheckFailed, Target
from ansible.module_utils.hal_checks.websocket import decode

HAPROXY_SOCKET = "/run/haproxy/admin.sock"
MAX_BYTES = 4 << 20
FLOW_TIMEOUT_S = 2.0


def _read_all(connection: socket.socket) -> bytes:
    """Return everything until the other side closes."""
    data = b""
    while len(data) < MAX_BYTES and (part := connection.recv(65536)):
        data += part
    return data


def flow(target: Target) -> str:
    """Check that a TCP port can be reached, or that it cannot."""
    try:
        with socket.create_connection((target.address, target.port), timeout=FLOW_TIMEOUT_S):
            reached = True
    except OSError:
        if target.expect == "open":
            raise
        reached = False
    if reached and target.expect == "closed":
        firewall = "Get-NetFirewallRule -Enabled True" if target.windows else "ufw status"
        raise CheckFailed(
            f"{target.where} can be reached and should not be: look at `{firewall}` on {target.host}"
        )
    return target.expect


def ssh(target: Target) -> str:
    """Check that an SSH server answers."""
    with target.connect() as connection:
        banner = connection.recv(255)
    if not banner.startswith(b"SSH-"):
        raise CheckFailed(f"what answers there is not SSH: {banner[:40]!r}")
    return banner.split(b"\n")[0].decode(errors="replace").strip()


def listener(target: Target) -> str:
    """Check one exchange with the listener: a JSON object each way."""
    request = {
        "session_id": "health-check",
        "transcription": target.question or "What medications am I taking?",
        "client_type": "health_check",
        "context": [],
    }
    with target.connect() as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        reply = _read_all(connection)
    if not reply:
        raise CheckFailed("the listener closed the connection without an answer")
    answer = decode(reply)
    text = str(answer.get("response_text"))
    if answer.get("status") != "success" or not answer.get("intent"):
        raise CheckFailed(f"the listener did not answer from the records: {text[:120]}")
    target.require_words(text)
    return f"answered ({answer['intent']})"


def haproxy(target: Target) -> str:
    """Check, on the proxy itself, that HAProxy sees every server up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(target.timeout)
        connection.connect(HAPROXY_SOCKET)
        connection.sendall(b"show stat\n")
        table = _read_all(connection).decode(errors="replace")
    rows = list(csv.DictReader(table.lstrip("# ").splitlines()))
    servers = [row for row in rows if row.get("svname") not in (None, "FRONTEND", "BACKEND")]
    down = [
        f"{row['pxname']}/{row['svname']} is {row['status']} ({row['last_chk'] or row['check_status']})"
        for row in servers
        if not row["status"].startswith("UP")
    ]
    if down:
        raise CheckFailed("; ".join(down))
    if not servers:
        raise CheckFailed("HAProxy knows no servers: look at /etc/haproxy/haproxy.cfg")
    return f"{len(servers)} servers up"
