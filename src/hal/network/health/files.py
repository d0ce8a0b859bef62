"""The files of a report: health.json for programs, health.html for people, and the history of the runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hal.network.files import write_public
from hal.network.health.records import Report, as_json, complete, read_drills, record
from hal.network.health.view import render


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        page: the page to read.
        runs: how many runs of this network are known, this one included.
        notes: a sentence for each record that is damaged and was left out.
    """

    page: Path
    runs: int
    notes: list[str]


def write_reports(directory: Path, report: Report, diagram: str) -> Written:
    """Add a report to the history and write it, with what was recorded before, as JSON and as a page.

    Args:
        directory: where the files are; it is made.
        report: what `report.health_report` returned.
        diagram: the network with its state, as an SVG element.

    Raises:
        OSError: a file cannot be read or written.
    """
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    runs, damaged = record(directory, report)
    drills, no_drills = read_drills(directory)
    completed = complete(report, runs, drills, [*damaged, *no_drills])
    page = directory / "health.html"
    write_public(directory / "health.json", as_json(completed))
    write_public(page, render(completed, diagram))
    return Written(page, len(runs), completed["notes"])
