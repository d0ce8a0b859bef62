"""Run many checks side by side."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.hal_checks import connections, gateway, http
from ansible.module_utils.hal_checks.target import CheckFailed, Target

KINDS: dict[str, Callable[[Target], str]] = {
    "flow": connections.flow,
    "gateway": gateway.gateway,
    "haproxy": connections.haproxy,
    "http": http.web,
    "listener": connections.listener,
    "ollama": http.ollama,
    "speech": http.speech,
    "ssh": connections.ssh,
    "tts": http.tts,
}
# What to look at on the host when its service does not answer.
UNITS = {
    "gateway": "hal-gateway",
    "haproxy": "haproxy",
    "listener": "hal-engine",
    "ollama": "ollama",
    "speech": "hal-speech",
    "ssh": "ssh",
    "tts": "hal-tts",
}
WINDOWS_SERVICES = {"gateway": "HalGateway", "listener": "QMSvc"}
REQUIRED = {"name", "kind", "host", "address", "port"}
TIMEOUT_S = 10
WORKERS = 24


def fault_in(checks: list[dict[str, Any]]) -> str:
    """Return a sentence that names what is wrong with the checks that were ordered, or nothing."""
    for check in checks:
        if missing := sorted(REQUIRED - check.keys()):
            return f"The check {check.get('name', check)} has no {', '.join(missing)}."
        if check["kind"] not in KINDS:
            return f"The check {check['name']} is of the unknown kind {check['kind']}."
    return ""


def advice(target: Target) -> str:
    """Return the command that tells more about a service, or nothing."""
    if target.windows:
        service = WINDOWS_SERVICES.get(target.kind)
        return f"Get-Service {service}" if service else ""
    unit = UNITS.get(target.kind)
    return f"systemctl status {unit}" if unit else ""


def explain(error: OSError, target: Target) -> str:
    """Say what a failed connection means."""
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused: nothing listens on {target.where}"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error
        return f"the certificate of {target.where} is not trusted: {reason}"
    if isinstance(error, TimeoutError):
        return f"no answer from {target.where} within {target.timeout:g} s: is a firewall in between?"
    if isinstance(error, FileNotFoundError):
        return f"{error.filename or 'its control socket'} does not exist: the service does not run"
    return f"{target.where}: {error.strerror or error}"


def run_check(target: Target, origin: str) -> dict[str, Any]:
    """Run one check and return {name, kind, host, from, ok, ms, message}."""
    begin = time.monotonic()
    try:
        message, ok = KINDS[target.kind](target), True
    except (CheckFailed, OSError) as error:
        ok = False
        message = explain(error, target) if isinstance(error, OSError) else str(error)
        if command := advice(target):
            message = f"{message}. On {target.host}: `{command}`"
    return {
        "name": target.name,
        "kind": target.kind,
        "host": target.host,
        "from": origin,
        "ok": ok,
        "ms": round((time.monotonic() - begin) * 1000, 1),
        "message": message,
    }


def run_checks(targets: list[Target], origin: str, workers: int) -> list[dict[str, Any]]:
    """Run the checks in parallel and return their results in order."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(lambda target: run_check(target, origin), targets))
