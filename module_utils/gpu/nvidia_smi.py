# SPDX-License-Identifier: Apache-2.0
"""What nvidia-smi says of its GPUs, from its CSV and from its XML."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from xml.etree import ElementTree

# Names of --query-gpu, and of what is made of them.
FIELDS = {
    "pci.bus_id": "slot",
    "name": "name",
    "uuid": "uuid",
    "driver_version": "driver",
    "memory.total": "memory_mib",
    "memory.used": "memory_used_mib",
    "temperature.gpu": "temperature_c",
    "utilization.gpu": "utilization_percent",
    "power.draw": "power_w",
    "power.limit": "power_limit_w",
    "persistence_mode": "persistence",
}
COMMAND = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
XML_COMMAND = ["nvidia-smi", "-q", "-x"]  # the processes, too
_TEXTS = ("slot", "name", "uuid", "driver", "persistence")
_XML_PATHS = {
    "name": "product_name",
    "uuid": "uuid",
    "memory_mib": "fb_memory_usage/total",
    "memory_used_mib": "fb_memory_usage/used",
    "temperature_c": "temperature/gpu_temp",
    "utilization_percent": "utilization/gpu_util",
    "persistence": "persistence_mode",
}
# Drivers up to 530 write power_readings, later ones gpu_power_readings.
_POWER = ("gpu_power_readings", "power_readings")

type Gpu = dict[str, str | float | None]
type Process = dict[str, str | int | float | None]


class SmiError(ValueError):
    """The tool's output is not what it documents; the text says what it printed instead."""


def _number(text: str) -> float | None:
    """Return the number a value begins with; None where the GPU does not report it (`[N/A]`)."""
    match = re.match(r"-?\d+(\.\d+)?", text.strip())
    return float(match[0]) if match else None


def _slot(text: str) -> str:
    """Return a PCI address as lspci writes it: nvidia-smi's domain has eight digits, in capitals."""
    return re.sub(r"^0{4}(?=[0-9a-f]{4}:)", "", text.strip().lower())


def _gpu(values: dict[str, str]) -> Gpu:
    gpu: Gpu = {key: (text.strip() if key in _TEXTS else _number(text)) for key, text in values.items()}
    gpu["slot"] = _slot(values["slot"])
    gpu["persistence"] = values["persistence"].strip() == "Enabled"
    return gpu


def parse_csv(text: str, fields: Sequence[str] = tuple(FIELDS.values())) -> list[Gpu]:
    """Return the GPUs of `nvidia-smi --query-gpu=… --format=csv,noheader[,nounits]`.

    Args:
        text: what nvidia-smi printed, a line for each GPU.
        fields: what the columns are, by the names of FIELDS' values; by default those of COMMAND.

    Raises:
        SmiError: a line has another number of columns, such as an error message.
    """
    gpus = []
    for row in csv.reader(text.strip().splitlines(), skipinitialspace=True):
        if len(row) != len(fields):
            raise SmiError(f"nvidia-smi said: {', '.join(row)}")
        gpus.append(_gpu(dict(zip(fields, row, strict=True))))
    return gpus


def _log(text: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - of the host's own driver
    except ElementTree.ParseError:
        raise SmiError(f"nvidia-smi said: {text.strip()[:200]}") from None


def parse_processes(text: str) -> list[Process]:
    """Return the processes of `nvidia-smi -q -x`: slot of their GPU, pid, name and memory_mib.

    Raises:
        SmiError: it is no XML, such as an error message.
    """
    return [
        {
            "slot": _slot(gpu.get("id", "")),
            "pid": int(process.findtext("pid", "0")),
            "name": process.findtext("process_name", ""),
            "memory_mib": _number(process.findtext("used_memory", "")),
        }
        for gpu in _log(text).iter("gpu")
        for process in gpu.iter("process_info")
    ]


def parse_xml(text: str) -> list[Gpu]:
    """Return the GPUs of `nvidia-smi -q -x`, as `parse_csv` does.

    Raises:
        SmiError: it is no XML, such as an error message.
    """
    log = _log(text)
    gpus = []
    for element in log.iter("gpu"):
        values = {key: element.findtext(path, "") for key, path in _XML_PATHS.items()}
        power = next((found for name in _POWER if (found := element.find(name)) is not None), element)
        limits = [power.findtext(name, "") for name in ("current_power_limit", "power_limit")]
        draws = [power.findtext(name, "") for name in ("instant_power_draw", "power_draw")]
        values |= {
            "slot": element.get("id", ""),
            "driver": log.findtext("driver_version", ""),
            "power_w": next(filter(None, draws), ""),
            "power_limit_w": next(filter(None, limits), ""),
        }
        gpus.append(_gpu(values))
    return gpus
