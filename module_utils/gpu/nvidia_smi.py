# SPDX-License-Identifier: Apache-2.0
"""What nvidia-smi says of its GPUs and of the processes that use them, from its CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable

# Names of --query-gpu, and of what is made of them.
FIELDS = {
    "pci.bus_id": "slot",
    "name": "name",
    "driver_version": "driver",
    "memory.total": "memory_mib",
    "memory.used": "memory_used_mib",
    "temperature.gpu": "temperature_c",
    "utilization.gpu": "utilization_percent",
    "power.draw": "power_w",
}
# Names of --query-compute-apps, and of what is made of them.
PROCESS_FIELDS = {"gpu_bus_id": "slot", "pid": "pid", "process_name": "name", "used_memory": "memory_mib"}
_FORMAT = "--format=csv,noheader,nounits"
COMMAND = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", _FORMAT]
PROCESSES = ["nvidia-smi", f"--query-compute-apps={','.join(PROCESS_FIELDS)}", _FORMAT]
_TEXTS = ("name", "driver")

type Gpu = dict[str, str | float | None]
type Process = dict[str, str | int | float | None]


class SmiError(ValueError):
    """The tool's output is not what it documents; the text says what it printed instead."""


def _value(key: str, text: str) -> str | float | None:
    """Return a text, or a number, which is None where the GPU does not report it (`[N/A]`)."""
    if key == "slot":  # as lspci writes it: nvidia-smi's domain has eight digits, in capitals
        return re.sub(r"^0{4}(?=[0-9a-f]{4}:)", "", text.strip().lower())
    number = re.match(r"-?\d+(\.\d+)?", text)
    return text.strip() if key in _TEXTS else float(number[0]) if number else None


def _rows(text: str, keys: Iterable[str]) -> list[dict[str, str | float | None]]:
    names, rows = list(keys), []
    for row in csv.reader(text.strip().splitlines(), skipinitialspace=True):
        if len(row) != len(names):
            raise SmiError(f"nvidia-smi said: {', '.join(row)}")
        rows.append({key: _value(key, value) for key, value in zip(names, row, strict=True)})
    return rows


def parse(text: str) -> list[Gpu]:
    """Return the GPUs of COMMAND, by the names of FIELDS' values.

    Raises:
        SmiError: a line has another number of columns, such as an error message.
    """
    return _rows(text, FIELDS.values())


def parse_processes(text: str) -> list[Process]:
    """Return the processes of PROCESSES, by the names of PROCESS_FIELDS' values.

    Raises:
        SmiError: as `parse`.
    """
    return [{**row, "pid": int(row["pid"] or 0)} for row in _rows(text, PROCESS_FIELDS.values())]
