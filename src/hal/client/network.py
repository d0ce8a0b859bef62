"""The network as a terminal shows it: what is wrong, hosts and flows, timings, drills."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from hal.client.answer_output import printable
from hal.client.output import MARKS
from hal.client.report import STALE, NetworkReport, Row

BARS = "▁▂▃▄▅▆▇█"
CROSS = "✕"
SHOWN_RUNS = 20
# A drill's figures in seconds: each with its name.
FIGURES = {
    "detected_s": "detected after",
    "provisioned_s": "provisioned",
    "configured_s": "configured",
    "restored_s": "restored",
    "rto_s": "healthy (RTO)",
    "rpo_s": "data lost (RPO)",
}


def show_network(
    report: NetworkReport, now: datetime, *, every: bool, console: Console | None = None
) -> None:
    """Print a report, what is wrong first.

    Arguments:
        report: that of the network.
        now: the time.
        every: list every check, too.
        console: where to; standard output unless given.
    """
    console = console or Console(highlight=False)
    plain = not (console.encoding or "").lower().startswith("utf")
    _verdict(console, report, now)
    console.print(_flows(report))
    console.print(_slowest(report, plain=plain))
    _runs(console, report, plain=plain)
    if every:
        console.print(_checks(report, plain=plain))
    if report.drills:
        console.print(_drills(report))
        for drill in report.drills:
            for fault in drill.get("faults") or []:
                console.print(_line(f"drill of {drill['host']}: {fault}", "red"))


def _verdict(console: Console, report: NetworkReport, now: datetime) -> None:
    failed, count = sum(not check["ok"] for check in report.checks), len(report.checks)
    said = f"{failed} of {count} checks failed" if failed else f"all {count} checks passed"
    age = now - report.at
    console.print(
        _line(f"The network {report.network}: {said}, {_age(age)}, in {report.seconds:.1f} s.", "bold")
    )
    if age > STALE:
        console.print(_line("That is old: `make health`, or playbooks/verify.yml, checks again.", "yellow"))
    for failure in report.failures:
        origins = ", ".join(map(str, failure["origins"]))
        console.print(
            _line(f"FAILED {failure['name']} on {failure['host']}, seen from {origins}", "bold red")
        )
        console.print(_line(f"  {failure['problem']}"))
        if failure["remedy"]:
            console.print(_line(f"  What to do: {failure['remedy']}"))


def _flows(report: NetworkReport) -> Table:
    """Return how what each host (a row) may and may not do to each host (a column) was found."""
    targets = sorted({check["host"] for check in report.checks})
    table = _table("from \\ to", *map(printable, targets))
    for origin, checks in report.by_origin():
        cells = []
        for target in targets:
            states = [check["ok"] for check in checks if check["host"] == target]
            mark, style = MARKS[all(states) if states else None]
            count = states.count(all(states))
            cells.append(_line(f"{count} {mark}" if states else mark, style))
        table.add_row(_line(origin), *cells)
    return table


def _slowest(report: NetworkReport, *, plain: bool) -> Table:
    """Return the slowest of what each host uses; how long was waited at a closed door does not count."""
    table = _table("from", "slowest", "ms", "last runs")
    for origin, checks in report.by_origin():
        used = [check for check in checks if not (check["ok"] and check["message"] == "closed")]
        if used:
            slowest = max(used, key=lambda check: check["ms"])
            where, ms = f"{slowest['name']} on {slowest['host']}", f"{slowest['ms']:.0f}"
            drawn = spark(slowest["past_ms"], plain=plain)
            table.add_row(_line(origin), _line(where), _line(ms), _line(drawn))
    return table


def _runs(console: Console, report: NetworkReport, *, plain: bool) -> None:
    runs = report.runs[-SHOWN_RUNS:]
    if not runs:
        return
    seconds = [run["seconds"] for run in runs]
    failed = sum(not run["ok"] for run in runs)
    drawn = spark([run["seconds"] if run["ok"] else None for run in runs], plain=plain)
    console.print(
        _line(
            f"Runs, the newest last: {drawn}{drawn and '  '}{min(seconds):.1f} to {max(seconds):.1f} s, "
            f"{failed} of {len(runs)} with failures."
        )
    )


def _checks(report: NetworkReport, *, plain: bool) -> Table:
    table = _table("host", "service", "from", "state", "ms", "last runs", "result")
    for check in sorted(report.checks, key=lambda check: (check["ok"], check["host"], check["name"])):
        mark, style = MARKS[check["ok"]]
        table.add_row(
            *(_line(check[key]) for key in ("host", "name", "from")),
            _line(mark, style),
            _line(f"{check['ms']:.1f}"),
            _line(spark(check["past_ms"][-SHOWN_RUNS // 2 :], plain=plain)),
            _line(check["message"]),
        )
    return table


def _drills(report: NetworkReport) -> Table:
    """Return a column for each drill."""
    drills = report.drills
    table = _table("drill", *(printable(drill["host"]) for drill in drills))
    table.add_row("state", *(_line(*MARKS[drill["ok"]]) for drill in drills))
    table.add_row("when", *(_line(str(drill.get("at", ""))[:16].replace("T", " ")) for drill in drills))
    for key, name in FIGURES.items():
        table.add_row(name, *(_line(_figure(drill, key, " s")) for drill in drills))
    turns = (f"{_figure(drill, 'turns_failed')} of {_figure(drill, 'turns_asked')}" for drill in drills)
    table.add_row("turns failed", *map(_line, turns))
    table.add_row("turns lost", *(_line(_figure(drill, "turns_lost")) for drill in drills))
    same = ("yes" if drill.get("digests_equal") is True else "NO" for drill in drills)
    table.add_row("data the same", *map(_line, same))
    return table


def spark(past: list[Any], *, plain: bool = False) -> str:
    """Return the last timings as bars from zero on, oldest first, with a cross for a failure.

    Arguments:
        past: milliseconds, or None where the check failed.
        plain: the terminal can show ASCII alone: nothing is drawn.
    """
    shown = [value if isinstance(value, int | float) else None for value in past[-SHOWN_RUNS:]]
    most = max([value for value in shown if value is not None], default=0) or 1
    if plain:
        return ""
    return "".join(
        CROSS if value is None else BARS[min(int(len(BARS) * value / most), len(BARS) - 1)] for value in shown
    )


def _figure(row: Row, key: str, unit: str = "") -> str:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-"
    return f"{value:.1f}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _age(age: timedelta) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    seconds = max(int(age.total_seconds()), 0)
    for length, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def _line(text: str, style: str = "") -> Text:
    """Return text that the terminal shows and does not obey."""
    return Text(printable(text), style, overflow="fold")


def _table(*headings: str) -> Table:
    return Table(*(Column(Text(heading), overflow="fold") for heading in headings), box=SIMPLE)
