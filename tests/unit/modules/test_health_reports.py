"""The action that writes the report of the checks, run by Ansible itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.network.health.conftest import report

ROOT = Path(__file__).parents[3]


@pytest.fixture
def write(tmp_path: Path):
    """Write a report into `tmp_path / "reports"`; return the exit code, the result and what was warned of."""

    def run(*options: str) -> tuple[int, dict[str, Any], str]:
        arguments = {"directory": str(tmp_path / "reports"), "report": report(), "diagram": "<svg></svg>"}
        command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", "health_reports", *options]
        done = subprocess.run(
            [*command, "-a", json.dumps(arguments)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        result = json.loads(done.stdout.partition("=>")[2])
        return done.returncode, result, done.stderr

    return run


def test_check_mode_writes_too_and_is_never_changed(write, tmp_path):
    code, result, _ = write("--check")
    assert (code, result["changed"], result["runs"]) == (0, False, 1)
    assert Path(result["page"]).is_file()
    assert json.loads((tmp_path / "reports/health.json").read_text())["ok"]


def test_what_is_damaged_is_a_warning(write, tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/health-history.jsonl").write_text("{\n")
    code, result, warned = write()
    assert (code, result["runs"]) == (0, 1)
    assert "1 damaged line(s) of health-history.jsonl were left out" in warned


def test_what_cannot_be_written_is_a_sentence(write, tmp_path):
    (tmp_path / "reports/health-history.jsonl").mkdir(parents=True)
    code, result, _ = write()
    assert code != 0
    assert "cannot be written: " in result["msg"] and "health-history.jsonl" in result["msg"]
    assert result["msg"].endswith(f"Make {tmp_path}/reports writable, or move that file away.")
