"""The GPUs of the host that this runs on, as the vendor's own tool tells them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.gpu import lspci, nvidia_smi, rocm_smi
from ansible.module_utils.hal_checks.result import CheckFailed, Found, Measure
from ansible.module_utils.hal_checks.target import Target

ROOT = Path("/")
TOOLS = {"nvidia": nvidia_smi.XML_COMMAND, "amd": rocm_smi.PROCESSES}
KERNEL_LOG = {"nvidia": "journalctl -k -g NVRM", "amd": "journalctl -k -g amdgpu"}


def _vendor(target: Target) -> str:
    """Return whose GPUs they are, nothing if there is none and none is asked for.

    Raises CheckFailed if that vendor's tool is not installed.
    """
    wanted = TOOLS if target.vendor == "auto" else {target.vendor: TOOLS[target.vendor]}
    for vendor, command in wanted.items():
        if shutil.which(command[0]):
            return vendor
    if target.vendor == "auto" and not [gpu for gpu in lspci.from_sysfs(ROOT) if gpu["vendor"] in TOOLS]:
        return ""
    tools = " nor ".join(command[0] for command in wanted.values())
    raise CheckFailed(
        f"there is no {tools}, so no driver is installed or it is not complete",
        f"Run site.yml, whose role gpu_driver says what it chooses for {target.host} and why; "
        "set network_gpu: none if its GPU is not to be used",
    )


def _output(target: Target, vendor: str) -> str:
    command = TOOLS[vendor]
    look = f"On {target.host}: `{KERNEL_LOG[vendor]}` and `dkms status`"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=target.timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise CheckFailed(
            f"{command[0]} did not answer within {target.timeout:g} s: a GPU hangs",
            f"{look}, then restart it",
        ) from None
    if done.returncode:
        raise CheckFailed(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[:300]}", look)
    return done.stdout


def _read(target: Target, vendor: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the GPUs and the processes that use them."""
    output = _output(target, vendor)
    try:
        if vendor == "nvidia":
            return nvidia_smi.parse_xml(output), nvidia_smi.parse_processes(output)
        return rocm_smi.parse(output), rocm_smi.parse_processes(output)
    except (nvidia_smi.SmiError, rocm_smi.SmiError) as error:
        raise CheckFailed(str(error), f"On {target.host}: `{KERNEL_LOG[vendor]}`") from error


def _measures(gpus: list[dict[str, Any]], processes: list[dict[str, Any]]) -> list[Measure]:
    measures = [Measure("processes", float(len(processes)), "the GPUs")]
    for gpu in gpus:
        name = f"{gpu['name']} ({gpu['slot']})"
        measures.append(Measure("temperature_c", gpu["temperature_c"], name))
        total, used = gpu["memory_mib"], gpu["memory_used_mib"]
        share = 100 * used / total if total and used is not None else None
        measures.append(Measure("memory_percent", share, name))
    return measures


def gpu(target: Target) -> Found:
    """Check that the GPUs are there with their driver."""
    vendor = _vendor(target)
    if not vendor:
        nothing = [Measure(name, 0.0, "no GPU") for name in ("temperature_c", "memory_percent", "processes")]
        none = {"vendor": "", "gpus": [], "processes": []}
        return Found("no GPU: the processor computes", measures=nothing, details=none)
    gpus, processes = _read(target, vendor)
    look = f"On {target.host}: `{KERNEL_LOG[vendor]}`"
    if len(gpus) < target.count:
        raise CheckFailed(f"{TOOLS[vendor][0]} shows {len(gpus)} of {target.count} GPUs", look)
    driver = str(gpus[0]["driver"]) if gpus else ""
    if not driver.startswith(target.driver):
        raise CheckFailed(
            f"driver {driver} is running instead of {target.driver}",
            f"Run site.yml, which installs it and restarts {target.host} if it must",
        )
    hottest = max((gpu["temperature_c"] for gpu in gpus if gpu["temperature_c"] is not None), default=None)
    names = ", ".join(str(gpu["name"]) for gpu in gpus)
    warmth = "" if hottest is None else f", {hottest:g} °C"
    details = {"vendor": vendor, "gpus": gpus, "processes": processes}
    return Found(f"{names}{warmth}, driver {driver}", driver, _measures(gpus, processes), details)
