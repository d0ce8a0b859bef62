"""The limits that may be set for what is measured, and what an exceeded one means."""

from __future__ import annotations

from collections.abc import Iterable

from ansible.module_utils.hal_checks.result import Measure

# What is said of a value above its limit, and what to do about it.
LIMITS: dict[str, tuple[str, str]] = {
    "latency_ms": (
        "connecting to {of} takes {value:.1f} ms, more than {limit:g} ms",
        "Look for load, a weak radio link or a router in between",
    ),
    "seconds": (
        "{of} took {value:.1f} s, longer than {limit:g} s",
        "See with `top` what keeps that host busy",
    ),
    "queue": (
        "{value:g} requests wait at {of}, more than {limit:g}",
        "Take load off it, or add a server that shares the work",
    ),
    "sessions": (
        "{value:g} sessions are open at {of}, more than {limit:g}",
        "See in its log who holds them; if all are wanted, raise its limit or add a server",
    ),
    "sessions_percent": (
        "{of} has {value:.0f} % of its sessions in use, more than {limit:g} %",
        "See in its log who holds them; if all are wanted, raise its limit",
    ),
    "temperature_c": (
        "{of} is at {value:g} °C, above {limit:g} °C",
        "See to its fans, dust and air; it slows down by itself shortly before damage",
    ),
    "memory_percent": (
        "{of} has {value:.0f} % of its memory in use, more than {limit:g} %",
        "See with `ollama ps` which models are loaded, and take a smaller one or stop what else uses it",
    ),
    "processes": (
        "{value:g} processes use {of}, more than {limit:g}",
        "See with the vendor's tool which they are, and stop those that have no business there",
    ),
}


def exceeded(measures: Iterable[Measure], limits: dict[str, float]) -> list[tuple[str, str]]:
    """Return what is wrong and its remedy for each measure above its limit, and for each limit unmeasured."""
    faults = []
    measured = set()
    for measure in measures:
        limit = limits.get(measure.name)
        if limit is None or measure.value is None:
            continue
        measured.add(measure.name)
        if measure.value > limit:
            text, remedy = LIMITS[measure.name]
            faults.append((text.format(of=measure.of, value=measure.value, limit=limit), remedy))
    faults += [
        (f"it does not tell its {name.replace('_', ' ')}, for which there is a limit", "Do without the limit")
        for name in limits
        if name not in measured
    ]
    return faults
