"""The measurement of the floods, on a small scale: each strikes, and keeps nobody waiting."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench.attacker import AT_THE_PROXY, KINDS
from bench.floods import grown, slower

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


def flood(kind):
    """Return who asked during a flood, which kept none of them waiting."""
    done = floods("--seconds", "3", kind)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(rf"^{kind}(.*?) +([\d,]+) +[\d.]+ +[\d.]+ +[\d.]+ .* K$", done.stdout, re.MULTILINE)
    assert all(int(strikes.replace(",", "")) > 20 for _, strikes in rows), done.stdout
    return [asked for asked, _ in rows]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in AT_THE_PROXY])
def test_a_flood_of_one_address_keeps_nobody_waiting_and_leaves_no_memory_taken(kind):
    assert flood(kind) == [""]


@pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)")
@pytest.mark.parametrize("kind", AT_THE_PROXY)
def test_a_flood_of_the_proxy_keeps_neither_text_nor_recordings_waiting(kind):
    assert flood(kind) == [", asked by text", ", recordings"]


@pytest.mark.parametrize(
    ("first_kib", "second_kib", "told"), [(1000, 1100, False), (1000, 1101, True), (1000, 9, False)]
)
def test_a_tenth_more_memory_after_a_second_flood_is_lost(first_kib, second_kib, told):
    assert grown(first_kib, second_kib) is told


@pytest.mark.parametrize(
    ("quiet_ms", "flooded_ms", "told"), [(2, 99, False), (2, 101, True), (50, 400, False), (50, 501, True)]
)
def test_who_waits_ten_times_as_long_and_notices_it_is_kept_waiting(quiet_ms, flooded_ms, told):
    assert slower(quiet_ms, flooded_ms) is told


def test_a_flood_that_there_is_not_is_named():
    done = floods("frogs")
    assert done.returncode == 2 and "no flood of frogs" in done.stderr
