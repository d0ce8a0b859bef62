"""The measurement of the floods, on a small scale: each strikes, and keeps nobody waiting."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench.attacker import KINDS
from bench.floods import slower

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]
ROOT = Path(__file__).parents[3]


def floods(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench.floods", *arguments],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=200,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_of_one_address_keeps_nobody_waiting(kind):
    done = floods("--seconds", "3", kind)
    assert done.returncode == 0, done.stdout + done.stderr
    strikes, *_ = re.search(rf"^{kind} +([\d,]+) +([\d.]+) +([\d.]+)", done.stdout, re.MULTILINE).groups()
    assert int(strikes.replace(",", "")) > 20, done.stdout


@pytest.mark.parametrize(
    ("quiet_ms", "flooded_ms", "told"), [(2, 99, False), (2, 101, True), (50, 400, False), (50, 501, True)]
)
def test_who_waits_ten_times_as_long_and_notices_it_is_kept_waiting(quiet_ms, flooded_ms, told):
    assert slower(quiet_ms, flooded_ms) is told


def test_a_flood_that_there_is_not_is_named():
    done = floods("frogs")
    assert done.returncode == 2 and "no flood of frogs" in done.stderr
