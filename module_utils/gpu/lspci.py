# SPDX-License-Identifier: Apache-2.0
"""The GPUs of a host, from lspci's machine-readable output or, without lspci, from the kernel."""

from __future__ import annotations

from pathlib import Path

# VGA, 3D and other display controllers, and the processing accelerators as which AMD's Instinct appears.
GPU_CLASSES = ("0300", "0302", "0380", "1200")
VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
COMMAND = ["lspci", "-Dvmmnnk"]


def _gpu(slot: str, vendor: str, device: str, name: str, driver: str) -> dict[str, str]:
    kind = VENDORS.get(vendor, vendor)
    return {"slot": slot, "vendor": kind, "id": f"{vendor}:{device}", "name": name, "driver": driver}


def parse(text: str) -> list[dict[str, str]]:
    """Return the GPUs that `lspci -Dvmmnnk` lists.

    Args:
        text: what lspci printed: a record for each device, with an empty line after it. Values end with
            their number, such as `NVIDIA Corporation [10de]`.

    Returns:
        For each GPU its slot, vendor, id (`10de:2684`), name and the driver that is bound to it, if any.
    """
    gpus = []
    for record in text.strip().split("\n\n"):
        fields: dict[str, str] = {}
        for line in record.splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key, value.strip())
        number = {key: value[-5:-1] for key, value in fields.items()}
        if number.get("Class") in GPU_CLASSES:
            name, driver = fields["Device"][:-7], fields.get("Driver", "")
            gpus.append(_gpu(fields["Slot"], number["Vendor"], number["Device"], name, driver))
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
