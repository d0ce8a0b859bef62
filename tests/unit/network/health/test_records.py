"""What is kept from run to run: bounded, whole, and read around what is damaged."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.network.health.conftest import check, drill, report

from hal.network.health import records

DAMAGED = [
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b"null",
    b'{"at": "2026-03-11T09:30:00", "network": "lab", "ok": true, "seconds": 8.2}',
    b'{"at": "2026-03-11T09:30:00", "network": "lab", "ok": true, "seconds": NaN, "checks": {}}',
    b'{"at": "2026-03-11T09:30:00", "network": "lab", "ok": true, "seconds": 1e999, "checks": {}}',
    b'{"at": "2026-03-11T09:30:00", "network": "lab", "ok": true, "seconds": 8.2, "checks": {"a": "12"}}',
    b'{"at": 5, "network": "lab", "ok": true, "seconds": 8.2, "checks": {}}',
]


def read(directory: Path) -> dict:
    return json.loads((directory / "reports/health.json").read_text())


def test_each_run_adds_its_timings_to_those_before(write, tmp_path):
    write(report())
    write(report(check("tts", "ubuai", "qm1", ok=False, ms=7.0), at="2026-03-11T10:00:00", seconds=9))
    assert write(report(check("tts", "ubuai", "qm1", ms=8.0))).runs == 3
    made = read(tmp_path)
    past = [(each["name"], each["past_ms"]) for each in made["checks"]]
    assert past == [
        ("gateway", [12.5] * 3),
        ("gateway", [1400.0] * 3),
        ("listener", [2003.0] * 3),
        ("speech", [12.5] * 3),
        ("tts", [None, 8.0]),
    ]
    assert made["runs"][1] == {
        "at": "2026-03-11T10:00:00",
        "ok": False,
        "seconds": 9,
        "checks": 5,
        "failed": 1,
    }
    lines = (tmp_path / "reports/health-history.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["checks"]["qm1 > ubuai tts"] is None
    assert json.loads(lines[1])["checks"]["mac > qm1 gateway 2"] == 1400.0


def test_the_last_runs_of_each_network_are_kept_and_not_mixed(tmp_path):
    for number in range(records.KEPT_RUNS + 3):
        records.record(tmp_path, report(seconds=number))
        records.record(tmp_path, report(seconds=100 + number, network="production"))
    runs, notes = records.record(tmp_path, report(seconds=99))
    assert [run["seconds"] for run in runs] == [*range(4, records.KEPT_RUNS + 3), 99] and not notes
    everything, _ = records.read_history(tmp_path / records.HISTORY)
    assert len(everything) == 2 * records.KEPT_RUNS


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_is_left_out_and_said_once(write, tmp_path, line):
    write(report())
    history = tmp_path / "reports/health-history.jsonl"
    history.write_bytes(line + b"\n" + history.read_bytes())
    done = write(report())
    assert done.runs == 2
    assert read(tmp_path)["notes"] == ["1 damaged line(s) of health-history.jsonl were left out"]
    write(report())
    assert read(tmp_path)["notes"] == []


def test_a_line_cut_off_by_a_full_disk_costs_no_other(write, tmp_path):
    write(report())
    history = tmp_path / "reports/health-history.jsonl"
    history.write_bytes(history.read_bytes() * 2 + history.read_bytes()[:40])
    assert write(report()).runs == 3


def test_runs_at_the_same_time_lose_nothing(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: records.record(tmp_path, report(seconds=number)), range(20)))
    runs, notes = records.read_history(tmp_path / records.HISTORY)
    assert (len(runs), notes) == (20, [])
    assert [path.name for path in tmp_path.iterdir()] == [records.HISTORY]


def test_drills_are_read_and_what_is_none_is_said(write, tmp_path):
    reports = tmp_path / "reports"
    for each in (drill("ubuai"), drill("haproxy", faults=["It did not come back."])):
        each.write(reports)
    (reports / "drill-qm1.json").write_text('{"host": ["qm1"], "ok": true}')
    write(report())
    made = read(tmp_path)
    assert [(each["host"], each["ok"]) for each in made["drills"]] == [("haproxy", False), ("ubuai", True)]
    assert made["notes"] == ["drill-qm1.json holds no drill: remove it, or drill that host again"]


def test_the_json_has_a_line_for_each_check(write, tmp_path):
    write(report(check("tts", "ubuai", "qm1", ok=False)))
    lines = (tmp_path / "reports/health.json").read_text().splitlines()
    assert [line.count('"name"') for line in lines if '"ok": false' in line and "name" in line] == [1]
