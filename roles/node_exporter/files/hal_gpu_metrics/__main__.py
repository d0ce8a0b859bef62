"""Print what a host's GPUs tell, as Prometheus' node exporter reads it from a text file.

Usage: hal-gpu-metrics [--vendor auto|nvidia|amd] [--count N] [--state FILE]
The parsers beside this file are those of the project's module_utils/gpu.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lspci
import nvidia_smi
import rocm_smi

type Gpu = dict[str, str | float | None]

TOOLS: dict[str, tuple[list[str], Callable[[str], list[Gpu]]]] = {
    "nvidia": (nvidia_smi.COMMAND, nvidia_smi.parse),
    "amd": (rocm_smi.COMMAND, rocm_smi.parse),
}
# Name of the metric, of the parsers' value, and what one of its units is in the metric's.
FIGURES = (
    ("hal_gpu_temperature_celsius", "temperature_c", 1),
    ("hal_gpu_memory_used_bytes", "memory_used_mib", 1 << 20),
    ("hal_gpu_memory_bytes", "memory_mib", 1 << 20),
    ("hal_gpu_utilization_ratio", "utilization_percent", 0.01),
    ("hal_gpu_power_watts", "power_w", 1),
)
TIMEOUT_S = 20


def ask(vendor: str) -> list[Gpu]:
    """Return the GPUs that the vendor's tool shows; none where it is missing, fails or hangs."""
    wanted = TOOLS if vendor == "auto" else {vendor: TOOLS[vendor]}
    for command, parse in wanted.values():
        if shutil.which(command[0]):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
                return parse(done.stdout) if done.returncode == 0 else []
            except (nvidia_smi.SmiError, rocm_smi.SmiError, subprocess.TimeoutExpired) as error:
                print(f"{command[0]}: {error}", file=sys.stderr)
                return []
    return []


def expected(count: int, found: int, vendor: str, state: Path, root: Path) -> int:
    """Return how many GPUs there must be: `count`, or as many as the tool or the PCI bus ever showed."""
    if count:
        return count
    on_the_bus = [gpu for gpu in lspci.from_sysfs(root) if gpu["vendor"] in ("nvidia", "amd")]
    if vendor != "auto":
        on_the_bus = [gpu for gpu in on_the_bus if gpu["vendor"] == vendor]
    try:
        seen = int(state.read_text())
    except (OSError, ValueError):  # there is none yet, or a loss of power has left it empty
        seen = 0
    most = max(seen, found, len(on_the_bus))
    if most > seen:
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text(f"{most}\n")
    return most


def render(gpus: list[Gpu], wanted: int) -> str:
    """Return the metrics in Prometheus' text format."""
    lines = [f"hal_gpu_count {len(gpus)}", f"hal_gpu_expected {wanted}"]
    for metric, key, unit in FIGURES:
        for gpu in gpus:
            value = gpu.get(key)
            if isinstance(value, float):
                name = str(gpu["name"]).replace("\\", "").replace('"', "")
                lines.append(f'{metric}{{slot="{gpu["slot"]}",gpu="{name}"}} {value * unit:g}')
    return "".join(f"{line}\n" for line in lines)


def main() -> int:
    """Ask once and print what was told."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vendor", choices=["auto", *TOOLS], default="auto")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--state", type=Path, default=Path("/var/lib/hal/gpu/most"))
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the host's files stand")
    options = parser.parse_args()
    gpus = ask(options.vendor)
    wanted = expected(options.count, len(gpus), options.vendor, options.state, options.root)
    print(render(gpus, wanted), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
