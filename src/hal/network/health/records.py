"""What was recorded before: the runs of the checks, a line each in one file, and the drills, a file each."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hal.network.files import write_public

type Run = dict[str, Any]
type Report = dict[str, Any]

HISTORY = "health-history.jsonl"
KEPT_RUNS = 50  # of each network
DRILLS = "drill-*.json"


def check_keys(checks: list[dict[str, Any]]) -> list[str]:
    """Return for each check the name under which its timings are kept, such as `qm1 > ubuai speech`.

    A second check of the same service from the same host, such as the spoken one, gets a number.
    """
    seen: Counter[str] = Counter()
    keys = []
    for check in checks:
        key = f"{check['from']} > {check['host']} {check['name']}"
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key} {seen[key]}")
    return keys


def run_of(report: Report) -> Run:
    """Return what the history keeps of a report."""
    checks = report["checks"]
    return {
        **{key: report[key] for key in ("at", "network", "ok", "seconds")},
        "checks": {
            key: check["ms"] if check["ok"] else None
            for key, check in zip(check_keys(checks), checks, strict=True)
        },
    }


def read_history(path: Path) -> tuple[list[Run], list[str]]:
    """Return the recorded runs, oldest first, and a sentence about what had to be left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    lines = path.read_bytes().splitlines() if path.exists() else []
    runs = [run for line in lines if (run := _parsed(line)) is not None and _is_run(run)]
    damaged = len(lines) - len(runs)
    return runs, [f"{damaged} damaged line(s) of {path.name} were left out"] if damaged else []


def record(directory: Path, report: Report) -> tuple[list[Run], list[str]]:
    """Add a report to the history and return that of its network, and what had to be left out.

    The file is replaced as a whole, so that it is never half written; two runs at once wait for each other.

    Raises:
        OSError: the history cannot be read or written.
    """
    path = directory / HISTORY
    with _alone(directory):
        runs, notes = read_history(path)
        runs.append(run_of(report))
        left = Counter(run["network"] for run in runs)
        kept = []
        for run in runs:
            if left[run["network"]] <= KEPT_RUNS:
                kept.append(run)
            left[run["network"]] -= 1
        write_public(path, "".join(f"{json.dumps(run)}\n" for run in kept))
    return [run for run in kept if run["network"] == report["network"]], notes


def read_drills(directory: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the last drill of each host, by host, and a sentence about each file that is none."""
    drills, notes = [], []
    for path in sorted(directory.glob(DRILLS)):
        drill = _parsed(path.read_bytes())
        if (
            isinstance(drill, dict)
            and isinstance(drill.get("host"), str)
            and isinstance(drill.get("ok"), bool)
        ):
            drills.append(drill)
        else:
            notes.append(f"{path.name} holds no drill: remove it, or drill that host again")
    return drills, notes


def complete(report: Report, runs: list[Run], drills: list[dict[str, Any]], notes: list[str]) -> Report:
    """Return a report with what was recorded before: the timings of its checks, the runs, the drills."""
    checks = [
        check | {"past_ms": [run["checks"][key] for run in runs if key in run["checks"]]}
        for key, check in zip(check_keys(report["checks"]), report["checks"], strict=True)
    ]
    summaries = [
        {key: run[key] for key in ("at", "ok", "seconds")}
        | {"checks": len(run["checks"]), "failed": sum(ms is None for ms in run["checks"].values())}
        for run in runs
    ]
    return report | {"checks": checks, "runs": summaries, "drills": drills, "notes": notes}


def as_json(report: Report) -> str:
    """Return a report as JSON with each check, run and drill on a line of its own."""
    parts = []
    for key, value in sorted(report.items()):
        text = json.dumps(value, sort_keys=True)
        if isinstance(value, list) and value:
            text = "[\n" + ",\n".join(json.dumps(item, sort_keys=True) for item in value) + "\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait until no other run writes to the directory."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _parsed(line: bytes) -> Any:
    """Return what JSON says, None if it is none."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(line, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def _is_run(run: Any) -> bool:
    """Return whether a line of the history holds what `run_of` makes."""
    kinds = {"at": str, "network": str, "ok": bool, "seconds": int | float, "checks": dict}
    return (
        isinstance(run, dict)
        and all(isinstance(run.get(key), kind) for key, kind in kinds.items())
        and all(ms is None or _is_time(ms) for ms in [run["seconds"], *run["checks"].values()])
    )


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e9  # which infinity is not, nor what is no number
