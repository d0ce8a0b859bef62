# SPDX-License-Identifier: Apache-2.0
"""What rocm-smi says of its GPUs, from its JSON, and what the kernel offers of them for computing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COMMAND = [
    "rocm-smi",
    *("--showbus", "--showproductname", "--showmeminfo", "vram", "--showuse", "--showtemp", "--showpower"),
    "--showdriverversion",
    "--json",
]
PROCESSES = ["rocm-smi", "--showpids", "--json"]
_MIB = 1 << 20
# Releases differ in capitals and wording: the first key that is there counts.
_KEYS = {
    "slot": ("pci bus",),
    "name": ("card series", "device name", "card model"),
    "memory_mib": ("vram total memory (b)",),
    "memory_used_mib": ("vram total used memory (b)",),
    "temperature_c": ("temperature (sensor edge) (c)", "temperature (sensor junction) (c)"),
    "utilization_percent": ("gpu use (%)",),
    "power_w": ("average graphics package power (w)", "current socket graphics package power (w)"),
}
_TEXTS = ("slot", "name")

type Gpu = dict[str, str | float | None]
type Process = dict[str, str | int | float | None]


class SmiError(ValueError):
    """The tool's output is not what it documents; the text says what it printed instead."""


def _value(key: str, text: Any) -> str | float | None:
    if key in _TEXTS:
        return str(text or "").strip().lower() if key == "slot" else str(text or "").strip()
    try:
        return float(text) / (_MIB if key.startswith("memory") else 1)
    except (TypeError, ValueError):
        return None


def _cards(text: str) -> dict[str, Any]:
    """Return what the tool said, without the warnings that some releases print before the JSON."""
    try:
        cards: dict[str, Any] = json.loads(text[text.index("{") :])
    except ValueError:
        raise SmiError(f"rocm-smi said: {text.strip()[:200] or 'nothing'}") from None
    return cards


def parse_processes(text: str) -> list[Process]:
    """Return the processes of PROCESSES: pid, name and memory_mib; the tool does not tell which GPU they use.

    Raises:
        SmiError: there is no JSON in it.
    """
    processes: list[Process] = []
    for key, value in _cards(text).get("system", {}).items():
        if key.startswith("PID") and key[3:].isdigit():  # name, GPUs, VRAM in bytes, SDMA, compute units
            name, _, vram, *_ = [*(field.strip() for field in str(value).split(",")), "", ""]
            processes.append(
                {"slot": "", "pid": int(key[3:]), "name": name, "memory_mib": _value("memory", vram)}
            )
    return processes


def parse(text: str) -> list[Gpu]:
    """Return the GPUs of COMMAND, by the keys that nvidia_smi uses where both have a value.

    Raises:
        SmiError: there is no JSON in it.
    """
    cards = _cards(text)
    driver = str(cards.get("system", {}).get("Driver version", ""))
    gpus = []
    for card in sorted(name for name in cards if name.startswith("card")):
        said = {key.lower(): value for key, value in cards[card].items()}
        found = {k: next((said[name] for name in names if name in said), None) for k, names in _KEYS.items()}
        gpus.append({key: _value(key, value) for key, value in found.items()} | {"driver": driver})
    return gpus


def compute_targets(root: Path) -> dict[str, str]:
    """Return the LLVM target (`gfx1100`) of each GPU that amdgpu offers for computing, by its slot."""
    found = {}
    for path in (root / "sys/class/kfd/kfd/topology/nodes").glob("*/properties"):
        lines = (line.split() for line in path.read_text().splitlines())
        said = {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}
        if version := said.get("gfx_target_version", 0):
            bus, function = divmod(said.get("location_id", 0), 256)
            slot = f"{said.get('domain', 0):04x}:{bus:02x}:{function >> 3:02x}.{function & 7}"
            found[slot] = f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
    return found
