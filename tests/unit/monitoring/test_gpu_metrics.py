"""The program that tells Prometheus of the GPUs, with tools that print what real ones document."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "roles/node_exporter/files/hal_gpu_metrics"
SAMPLES = ROOT / "tests/data/gpu"


class Host:
    """A host with a tool, and a memory of what was seen."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("bin", "empty"):
            (root / name).mkdir()

    def tool(self, name: str, script: str) -> None:
        """Put a tool where it is found."""
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *arguments: str) -> dict[str, float]:
        """Run the program; return what it told, each series by its name and labels."""
        places = {"--state": "state/most", "--root": "empty"}
        options = [word for option, place in places.items() for word in (option, str(self.root / place))]
        done = subprocess.run(
            [sys.executable, "-B", PROGRAM, *options, *arguments],
            env={**os.environ, "PATH": f"{self.root}/bin:/usr/bin:/bin"},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in done.stdout.splitlines()}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize(
    ("tool", "sample"), [("nvidia-smi", "nvidia-smi.csv"), ("rocm-smi", "rocm-smi-6.json")]
)
def test_each_gpu_is_told_with_its_figures(host: Host, tool: str, sample: str) -> None:
    host.tool(tool, f"cat {SAMPLES / sample}")
    told = host.run()
    assert told["hal_gpu_count"] == told["hal_gpu_expected"] >= 1
    figures = {name.partition("{")[0] for name in told}
    assert {"hal_gpu_temperature_celsius", "hal_gpu_memory_used_bytes"} <= figures
    warm = [value for name, value in told.items() if name.startswith("hal_gpu_temperature")]
    assert all(20 < value < 100 for value in warm)


def test_a_gpu_that_was_seen_once_is_missed(host: Host) -> None:
    host.tool("nvidia-smi", f"head -n 1 {SAMPLES / 'nvidia-smi.csv'}")
    assert host.run("--vendor", "nvidia")["hal_gpu_expected"] == 1
    host.tool("nvidia-smi", "echo 'Unable to determine the device handle: Unknown Error'; exit 15")
    told = host.run("--vendor", "nvidia")
    assert (told["hal_gpu_count"], told["hal_gpu_expected"]) == (0, 1)


def test_a_memory_that_a_loss_of_power_has_emptied_is_begun_anew(host: Host) -> None:
    host.tool("nvidia-smi", f"head -n 1 {SAMPLES / 'nvidia-smi.csv'}")
    (host.root / "state").mkdir()
    (host.root / "state/most").touch()
    assert host.run("--vendor", "nvidia")["hal_gpu_expected"] == 1
    assert (host.root / "state/most").read_text() == "1\n"


def test_a_gpu_on_the_bus_is_expected_before_any_driver_shows_it(host: Host) -> None:
    device = host.root / "empty/sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    for name, number in (("class", "0x030000"), ("vendor", "0x10de"), ("device", "0x2684")):
        (device / name).write_text(f"{number}\n")
    told = host.run("--vendor", "nvidia")
    assert (told["hal_gpu_count"], told["hal_gpu_expected"]) == (0, 1)
    assert host.run("--vendor", "amd", "--state", str(host.root / "other"))["hal_gpu_expected"] == 0


def test_how_many_there_must_be_can_be_said(host: Host) -> None:
    assert host.run("--count", "2")["hal_gpu_expected"] == 2


def test_a_tool_that_prints_nonsense_is_no_gpu(host: Host) -> None:
    host.tool("rocm-smi", "echo WARNING: no driver")
    assert host.run("--vendor", "amd")["hal_gpu_count"] == 0
