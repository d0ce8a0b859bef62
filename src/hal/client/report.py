"""The report of the network's checks, which the playbook verify.yml writes: found and read."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hal.client.errors import UsageError

REPORT = Path("reports/health.json")
PLAYBOOK = Path("playbooks/verify.yml")  # beside it, the report is that of this checkout
STDIN = Path("-")
STALE = timedelta(days=1)

logger = logging.getLogger(__name__)

type Row = dict[str, Any]

# What is shown of each part of a report, with its type.
_SHAPES: dict[str, dict[str, type]] = {
    "checks": {
        "name": str,
        "host": str,
        "from": str,
        "ok": bool,
        "ms": float,
        "message": str,
        "past_ms": list,
    },
    "failures": {"name": str, "host": str, "origins": list, "problem": str, "remedy": str},
    "runs": {"at": str, "ok": bool, "seconds": float, "failed": float},
    "drills": {"host": str, "ok": bool},
}


class ReportError(UsageError):
    """A report cannot be read; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """What the last run of the checks found.

    Attributes:
        at: when it ended.
        seconds: how long it took.
        raw: all of it, as it was read.
    """

    ok: bool
    at: datetime
    seconds: float
    network: str
    checks: list[Row]
    failures: list[Row]
    runs: list[Row]
    drills: list[Row]
    raw: Row

    def by_origin(self) -> Iterator[tuple[str, list[Row]]]:
        """Yield each host that ran checks, with these, in order of the hosts' names."""
        for origin in sorted({check["from"] for check in self.checks}):
            yield origin, [check for check in self.checks if check["from"] == origin]


def find_report(given: Path | None, here: Path) -> NetworkReport | None:
    """Return the report that was asked for, else that of the checkout that the person is in, if there is one.

    Arguments:
        given: a report, its directory, or - for standard input.
        here: the current directory.

    Raises:
        ReportError: what was asked for cannot be read. What was merely found is left, with a warning.
    """
    if given is not None:
        if given == STDIN:
            return parse_report(sys.stdin.buffer.read(), "standard input")
        return _read(given / REPORT.name if given.is_dir() else given)
    for folder in (here, *here.parents):
        if (folder / PLAYBOOK).is_file() and (folder / REPORT).is_file():
            try:
                return _read(folder / REPORT)
            except ReportError as error:
                logger.warning("%s", error)
                return None
    return None


def parse_report(text: bytes, source: str) -> NetworkReport:
    """Return a report.

    Raises:
        ReportError: it is none, or one of an older playbook.
    """
    try:
        raw = json.loads(text)
        parts = {name: _rows(raw[name], shape) for name, shape in _SHAPES.items()}
        at = datetime.fromisoformat(raw["at"])
        seconds, network, ok = raw["seconds"], raw["network"], raw["ok"]
        if not (_is(seconds, float) and _is(network, str) and _is(ok, bool)):
            raise TypeError("its head")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReportError(
            f"{source} is no report of the checks: run `ansible-playbook {PLAYBOOK}` again."
        ) from error
    return NetworkReport(
        ok=ok,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        seconds=seconds,
        network=network,
        raw=raw,
        **parts,
    )


def _read(path: Path) -> NetworkReport:
    try:
        return parse_report(path.read_bytes(), str(path))
    except OSError as error:
        raise ReportError(
            f"Cannot read the report {path}: {error.strerror}. `ansible-playbook {PLAYBOOK}` writes one."
        ) from error


def _rows(rows: Any, shape: dict[str, type]) -> list[Row]:
    """Return the rows of a part.

    Raises:
        TypeError: it is not what the playbook writes.
    """
    if not isinstance(rows, list):
        raise TypeError("no list")
    for row in rows:
        if not isinstance(row, dict) or not all(_is(row.get(key), kind) for key, kind in shape.items()):
            raise TypeError(f"a row without {', '.join(shape)}")
    return rows


def _is(value: Any, kind: type) -> bool:
    """Return whether a value is of a kind, where a float may be written as an integer."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)
