"""The measurement of the gateway, on a scale that says nothing: that it runs, and measures both servers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_both_servers_are_measured():
    scale = ["--talkers", "3", "--seconds", "2", "--rounds", "1", "--sessions", "10"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.gateway", *scale],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    figures = [re.findall(r"\d+\.\d", line) for line in done.stdout.splitlines()[1:]]
    assert len(figures) == 4 and all(len(line) >= 2 for line in figures), done.stdout
