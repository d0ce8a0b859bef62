"""Run many checks side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.hal_checks import (
    backups,
    connections,
    gateway,
    gpu,
    haproxy,
    http,
    ollama,
    speech,
    system,
    vrrp,
)
from ansible.module_utils.hal_checks.faults import advice, certificate_faults, explain
from ansible.module_utils.hal_checks.limits import exceeded
from ansible.module_utils.hal_checks.result import CheckFailed, Found, Measure
from ansible.module_utils.hal_checks.target import Target

KINDS: dict[str, Callable[[Target], Found]] = {
    "ai_server": connections.ai_server,
    "backup": backups.backup,
    "flow": connections.flow,
    "gateway": gateway.gateway,
    "gpu": gpu.gpu,
    "haproxy": haproxy.haproxy,
    "http": http.web,
    "listener": connections.listener,
    "ollama": ollama.ollama,
    "snapshots": backups.snapshots,
    "speech": speech.speech,
    "ssh": connections.ssh,
    "system": system.system,
    "tls": connections.tls,
    "tts": speech.tts,
    "vrrp": vrrp.vrrp,
    "wyoming": connections.wyoming,
}
REQUIRED = {"name", "kind", "host", "address", "port"}
OF_THE_HOST = {"backup", "gpu", "snapshots", "system", "vrrp"}  # these have no port
TIMEOUT_S = 10
FLOW_TIMEOUT_S = 2  # a lost SYN is sent again after one second
WORKERS = 24
PAUSE_S = 0.5  # between two looks at a service that is coming up
DIALS = 5  # the fastest of so many counts: a moment's load on this host is no delay of the network


def fault_in(checks: list[dict[str, Any]]) -> str:
    """Return a sentence that names what is wrong with the checks that were ordered, or nothing."""
    for check in checks:
        required = REQUIRED - ({"address", "port"} if check.get("kind") in OF_THE_HOST else set())
        if missing := sorted(required - check.keys()):
            return f"The check {check.get('name', check)} has no {', '.join(missing)}."
        if check["kind"] not in KINDS:
            return f"The check {check['name']} is of the unknown kind {check['kind']}."
    return ""


def targets(checks: Iterable[dict[str, Any]], timeout: float = TIMEOUT_S, token: str = "") -> list[Target]:
    """Return the checks that were ordered.

    Args:
        checks: what they are to check.
        timeout: seconds for those that name none.
        token: with which those of the gateway ask that name none.
    """
    return [
        Target.from_options(
            {"token": token, **check} if check["kind"] == "gateway" else check,
            FLOW_TIMEOUT_S if check["kind"] == "flow" else timeout,
        )
        for check in checks
    ]


def _latency_ms(target: Target) -> float | None:
    """Return how long a connection takes, of several if it seems too long; None without any connection."""
    limit = target.limits.get("latency_ms")
    while target.connect_ms and limit is not None and min(target.connect_ms) > limit:
        if len(target.connect_ms) >= DIALS:
            break
        target.dial().close()
    return round(min(target.connect_ms), 2) if target.connect_ms else None


def _outcome(target: Target, began: float) -> tuple[Found, list[tuple[str, str]]]:
    """Run a check; return what it found and what is wrong, each fault with its remedy."""
    try:
        with target.deadline():
            found = KINDS[target.kind](target)
            seconds = time.monotonic() - began
            measures = [
                *found.measures,
                Measure("latency_ms", _latency_ms(target), target.where),
                Measure("seconds", seconds, f"the check of {target.name}"),
            ]
        return found, [*exceeded(measures, target.limits), *certificate_faults(target)]
    except (CheckFailed, OSError) as error:
        return Found("", details=getattr(error, "details", {})), [explain(error, target)]


def run_check(target: Target, origin: str) -> dict[str, Any]:
    """Run one check.

    Args:
        target: what is checked.
        origin: the host that this runs on.

    Returns:
        name, kind, host, from, ok, ms, message, remedy, latency_ms, version and details. The message says
        what was found, or what is wrong and what to do; the remedy is the latter alone.
    """
    began = time.monotonic()
    found, faults = _outcome(target, began)
    remedy = ". ".join(dict.fromkeys(remedy or advice(target) for _, remedy in faults)).strip(". ")
    message = "; ".join(fault for fault, _ in faults) or found.message
    return {
        "name": target.name,
        "kind": target.kind,
        "host": target.host,
        "from": origin,
        "ok": not faults,
        "ms": round((time.monotonic() - began) * 1000, 1),
        "message": f"{message}{'' if message.endswith('?') else '.'} {remedy}" if remedy else message,
        "remedy": remedy,
        "latency_ms": round(min(target.connect_ms), 2) if target.connect_ms else None,
        "version": found.version,
        "details": found.details,
    }


def until_good[T](look: Callable[[], T], is_good: Callable[[T], bool], seconds: float) -> T:
    """Look again and again until all is well or the time is over; return what was seen last."""
    end = time.monotonic() + seconds
    while not is_good(seen := look()) and time.monotonic() < end:
        time.sleep(PAUSE_S)
    return seen


def run_checks(targets: list[Target], origin: str, workers: int = WORKERS) -> list[dict[str, Any]]:
    """Run the checks in parallel and return their results in order."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(lambda target: run_check(target, origin), targets))
