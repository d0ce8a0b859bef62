# SPDX-License-Identifier: Apache-2.0
"""The PCI inventory, from lspci's machine-readable output or, without lspci, from the kernel."""

from __future__ import annotations

import re
from pathlib import Path

# VGA, 3D and other display controllers, and the processing accelerators as which AMD's Instinct appears.
GPU_CLASSES = ("0300", "0302", "0380", "1200")
VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
COMMAND = ["lspci", "-Dvmmnnk"]

_NUMBER = re.compile(r"^(?P<name>.*?)\s*\[(?P<number>[0-9a-f]{4})\]$")


def _split(value: str) -> tuple[str, str]:
    """Return name and number of a field such as `NVIDIA Corporation [10de]`."""
    match = _NUMBER.match(value)
    return (match["name"], match["number"]) if match else (value, "")


def _gpu(slot: str, vendor: str, device: str, name: str, driver: str) -> dict[str, str]:
    return {
        "slot": slot,
        "vendor": VENDORS.get(vendor, vendor),
        "id": f"{vendor}:{device}",
        "name": name,
        "driver": driver,
    }


def parse(text: str) -> list[dict[str, str]]:
    """Return the GPUs that `lspci -Dvmmnnk` lists.

    Args:
        text: what lspci printed: a record for each device, with an empty line after it.

    Returns:
        For each GPU its slot, vendor, id (`10de:2684`), name and the driver that is bound to it, if any.
    """
    gpus = []
    for record in re.split(r"\n\s*\n", text.strip()):
        fields: dict[str, str] = {}
        for line in record.splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key, value.strip())
        if _split(fields.get("Class", ""))[1] in GPU_CLASSES:
            name, device = _split(fields.get("Device", ""))
            vendor = _split(fields.get("Vendor", ""))[1]
            gpus.append(_gpu(fields.get("Slot", ""), vendor, device, name, fields.get("Driver", "")))
    return gpus


def from_sysfs(root: Path) -> list[dict[str, str]]:
    """Return the GPUs that the kernel lists under a root directory, as `parse` does but without names."""
    gpus = []
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        number = {field: (device / field).read_text().strip()[2:] for field in ("class", "vendor", "device")}
        if number["class"][:4] in GPU_CLASSES:
            driver = device / "driver"
            bound = driver.resolve().name if driver.exists() else ""
            gpus.append(_gpu(device.name, number["vendor"], number["device"], "", bound))
    return gpus
