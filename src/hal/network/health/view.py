"""What the page shows of a report: checks by host, timings as points of a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

type Check = dict[str, Any]
type Report = dict[str, Any]

TEMPLATE = Path(__file__).with_name("health.html.j2")
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 120, 24, 4
BAR_WIDTH, BARS_HEIGHT, BARS_SLOTS = 12, 100, 50


@dataclass(frozen=True)
class Spark:
    """The timings of one check as a drawing of SPARK_WIDTH by SPARK_HEIGHT, the time of 0 at its bottom.

    Attributes:
        lines: the points of each run of successes, as SVG has them.
        crosses: (x, y) of each failure.
        text: the same in words.
    """

    lines: list[str]
    crosses: list[tuple[float, float]]
    text: str


def environment(directory: Path) -> Environment:
    """Return what makes pages of the templates in a directory, and escapes everything in them."""
    made = Environment(
        loader=FileSystemLoader([directory, TEMPLATE.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"figure": figure, "duration": duration, "moment": moment}
    return made


def render(report: Report, diagram: str) -> str:
    """Return the page.

    Args:
        report: as `records.complete` returned it. Whatever a service said is escaped.
        diagram: the network, as an SVG element, which is taken as it is.
    """
    checks = report["checks"]
    return (
        environment(TEMPLATE.parent)
        .get_template(TEMPLATE.name)
        .render(
            report=report,
            diagram=Markup(diagram),  # noqa: S704 - made by this project from the inventory, which it escapes
            passed=sum(check["ok"] for check in checks),
            hosts=hosts(checks),
            bars=bars(report["runs"]),
            spark=spark,
        )
    )


def hosts(checks: list[Check]) -> list[dict[str, Any]]:
    """Return the checks by the host that was checked, hosts with failures first.

    Returns:
        [{host, count, failed, shown, closed, closed_count}]: how many checks there are, and how many failed;
        its services, [(name, checks)]; those of the flows proven closed.
    """

    def services(chosen: list[Check]) -> list[tuple[str, list[Check]]]:
        return [(name, list(group)) for name, group in groupby(chosen, key=lambda check: check["name"])]

    ordered = sorted(checks, key=lambda check: (check["host"], check["name"]))
    made = []
    for host, group in groupby(ordered, key=lambda check: check["host"]):
        own = list(group)
        closed = [check for check in own if check["ok"] and check["message"] == "closed"]
        made.append(
            {
                "host": host,
                "failed": sum(not check["ok"] for check in own),
                "count": len(own),
                "shown": services([check for check in own if check not in closed]),
                "closed": services(closed),
                "closed_count": len(closed),
            }
        )
    return sorted(made, key=lambda entry: not entry["failed"])


def spark(past: list[float | None]) -> Spark:
    """Return the timings of a check, oldest first, as a drawing; None is a run in which it failed."""
    passed = [ms for ms in past if ms is not None]
    most = max(passed, default=0) or 1
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(len(past) - 1, 1)

    def place(index: int, ms: float) -> tuple[float, float]:
        height = (SPARK_HEIGHT - 2 * SPARK_EDGE) * ms / most
        return round(SPARK_EDGE + index * step, 1), round(SPARK_HEIGHT - SPARK_EDGE - height, 1)

    points = [None if ms is None else place(index, ms) for index, ms in enumerate(past)]
    runs = [list(group) for there, group in groupby(points, key=lambda point: point is not None) if there]
    # A line of no length is a dot; a single point would be nothing.
    lines = [
        " ".join(f"{x:g},{y:g}" for x, y in filter(None, run * 2 if len(run) == 1 else run)) for run in runs
    ]
    crosses = [place(index, most / 2) for index, ms in enumerate(past) if ms is None]
    return Spark(lines, crosses, f"{_count(len(past), 'run')}: {_spread(passed)}{_failed(len(crosses))}")


def bars(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how long the last runs took as a drawing: {width, height, slot, bars, most}."""
    most = max((run["seconds"] for run in runs), default=0) or 1
    drawn = [
        {
            "x": index * BAR_WIDTH,
            "height": round(max(BARS_HEIGHT * run["seconds"] / most, 1), 1),
            "failed": run["failed"],
            "text": f"{moment(run['at'])}: {duration(run['seconds'])}{_failed(run['failed'])}",
        }
        for index, run in enumerate(runs)
    ]
    width = BAR_WIDTH * max(len(runs), BARS_SLOTS)
    return {"width": width, "height": BARS_HEIGHT, "slot": BAR_WIDTH, "bars": drawn, "most": most}


def figure(value: object, unit: str = "") -> str:
    """Return a number as a person reads it, a dash if there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "\N{EN DASH}"
    digits = 0 if isinstance(value, int) or value >= 100 else 1
    return f"{value:,.{digits}f}{unit and ' '}{unit}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def duration(value: object) -> str:
    """Return seconds as a person reads them."""
    return figure(value, "s")


def moment(at: object) -> str:
    """Return a time, ISO 8601 and UTC unless it says otherwise, to the minute; other text as it is."""
    try:
        read = datetime.fromisoformat(str(at))
    except ValueError:
        return str(at)
    return (read if read.tzinfo is None else read.astimezone(UTC)).strftime("%Y-%m-%d %H:%M UTC")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _spread(passed: list[float]) -> str:
    if not passed:
        return "none passed"
    least, most = figure(min(passed)), figure(max(passed))
    return f"{least} ms" if least == most else f"{least} to {most} ms"


def _failed(count: int) -> str:
    return f", {count} failed" if count else ""
