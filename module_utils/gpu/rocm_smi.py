# SPDX-License-Identifier: Apache-2.0
"""What rocm-smi says of its GPUs, from its JSON."""

from __future__ import annotations

import json
from typing import Any

COMMAND = [
    "rocm-smi",
    *("--showbus", "--showproductname", "--showmeminfo", "vram", "--showuse", "--showtemp", "--showpower"),
    "--showdriverversion",
    "--json",
]
PROCESSES = [*COMMAND[:-1], "--showpids", "--json"]  # all that, and the processes
_MIB = 1 << 20
# Releases differ in capitals and wording: the first key that is there counts.
_KEYS = {
    "slot": ("pci bus",),
    "name": ("card series", "device name", "card model"),
    "target": ("gfx version",),
    "memory_mib": ("vram total memory (b)",),
    "memory_used_mib": ("vram total used memory (b)",),
    "temperature_c": ("temperature (sensor edge) (c)", "temperature (sensor junction) (c)"),
    "utilization_percent": ("gpu use (%)",),
    "power_w": ("average graphics package power (w)", "current socket graphics package power (w)"),
}
_TEXTS = ("slot", "name", "target")

type Gpu = dict[str, str | float | None]
type Process = dict[str, str | int | float | None]


class SmiError(ValueError):
    """The tool's output is not what it documents; the text says what it printed instead."""


def _value(key: str, text: Any) -> str | float | None:
    if key in _TEXTS:
        return str(text or "").strip().lower() if key == "slot" else str(text or "").strip()
    try:
        number = float(text)
    except (TypeError, ValueError):
        return None
    return number / _MIB if key.startswith("memory") else number


def _cards(text: str) -> dict[str, Any]:
    try:
        cards = json.loads(text[text.index("{") :])
    except ValueError:
        raise SmiError(f"rocm-smi said: {text.strip()[:200] or 'nothing'}") from None
    if not isinstance(cards, dict):
        raise SmiError(f"rocm-smi said: {text.strip()[:200]}")
    return cards


def parse_processes(text: str) -> list[Process]:
    """Return the processes of `rocm-smi --showpids --json`: pid, name and memory_mib.

    The tool does not tell which GPU they use, only how many.

    Raises:
        SmiError: there is no JSON in it.
    """
    processes: list[Process] = []
    for key, value in _cards(text).get("system", {}).items():
        if key.startswith("PID") and key[3:].isdigit():  # name, GPUs, VRAM in bytes, SDMA, compute units
            name, _, vram, *_ = [*(field.strip() for field in str(value).split(",")), "", ""]
            memory = int(vram) / _MIB if vram.isdigit() else None
            processes.append({"slot": "", "pid": int(key[3:]), "name": name, "memory_mib": memory})
    return processes


def parse(text: str) -> list[Gpu]:
    """Return the GPUs of `rocm-smi … --json`, by the keys that nvidia_smi uses where both have a value.

    Args:
        text: what rocm-smi printed. Warnings before the JSON, as some releases print, are skipped.

    Raises:
        SmiError: there is no JSON in it.
    """
    cards = _cards(text)
    driver = str(cards.get("system", {}).get("Driver version", ""))
    gpus = []
    for card in sorted(name for name in cards if name.startswith("card")):
        said = {key.lower(): value for key, value in cards[card].items()}
        first = {
            key: next((said[name] for name in names if name in said), None) for key, names in _KEYS.items()
        }
        gpu = {key: _value(key, value) for key, value in first.items()}
        gpus.append(gpu | {"driver": driver})
    return gpus
