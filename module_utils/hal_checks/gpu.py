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
TOOLS = {"nvidia": nvidia_smi, "amd": rocm_smi}
KERNEL_LOG = {"nvidia": "journalctl -k -g NVRM", "amd": "journalctl -k -g amdgpu"}
CUDA = "import ctranslate2; print(ctranslate2.get_cuda_device_count())"


def _vendor(target: Target) -> str:
    """Return whose GPUs they are, nothing if there is none and none is asked for.

    Raises CheckFailed if that vendor's tool is not installed.
    """
    wanted = {vendor: tool.COMMAND[0] for vendor, tool in TOOLS.items() if target.vendor in ("auto", vendor)}
    for vendor, command in wanted.items():
        if shutil.which(command):
            return vendor
    if target.vendor == "auto" and not [gpu for gpu in lspci.from_sysfs(ROOT) if gpu["vendor"] in TOOLS]:
        return ""
    raise CheckFailed(
        f"there is no {' nor '.join(wanted.values())}, so no driver is installed or it is not complete",
        f"Run site.yml, whose role gpu_driver says what it chooses for {target.host} and why; "
        "set network_gpu: none if its GPU is not to be used",
    )


def is_installed() -> bool:
    """Return whether this host has a GPU and the tool of its vendor, which comes with the driver."""
    vendors = {gpu["vendor"] for gpu in lspci.from_sysfs(ROOT)} & TOOLS.keys()
    return any(shutil.which(TOOLS[vendor].COMMAND[0]) for vendor in vendors)


def _output(target: Target, command: list[str], look: str) -> str:
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
        raise CheckFailed(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-300:]}", look)
    return done.stdout


def _read(target: Target, vendor: str, look: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the GPUs and the processes that use them."""
    tool = TOOLS[vendor]
    try:
        gpus = tool.parse(_output(target, tool.COMMAND, look))
        return gpus, tool.parse_processes(_output(target, tool.PROCESSES, look))
    except (nvidia_smi.SmiError, rocm_smi.SmiError) as error:
        raise CheckFailed(str(error), look) from error


def _computing(target: Target, vendor: str, look: str) -> str:
    """Return what is to be said of computing with the GPUs; raise CheckFailed if that is not possible."""
    if vendor == "amd" and (ROOT / "sys/class/kfd").exists():
        offered = len(rocm_smi.compute_targets(ROOT))
        if offered < target.count:
            raise CheckFailed(
                f"amdgpu offers {offered} of {target.count} GPUs for computing",
                f"{look} (firmware?); a new GPU needs a newer kernel, a guest of Proxmox machine: q35",
            )
    if vendor == "amd" or not target.python:
        return ""
    if not Path(target.python).exists():
        return f"; CUDA was not loaded: there is no {target.python} here"
    try:
        devices = _output(target, [target.python, "-c", CUDA], look)
    except CheckFailed as error:
        if "No module named 'ctranslate2'" in str(error):
            return f"; CUDA was not loaded: {target.python} has no ctranslate2"
        raise
    if int(devices) < 1:
        raise CheckFailed(
            f"CTranslate2 ({target.python}) finds no CUDA device, though nvidia-smi shows one", look
        )
    return f"; CUDA finds {int(devices)}"


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
    """Check that the GPUs are there with their driver, and can be computed with."""
    vendor = _vendor(target)
    if not vendor:
        nothing = [Measure(name, 0.0, "no GPU") for name in ("temperature_c", "memory_percent", "processes")]
        none = {"vendor": "", "gpus": [], "processes": []}
        return Found("no GPU: the processor computes", measures=nothing, details=none)
    look = f"On {target.host}: `{KERNEL_LOG[vendor]}` and `dkms status`"
    gpus, processes = _read(target, vendor, look)
    if len(gpus) < target.count:
        raise CheckFailed(f"{TOOLS[vendor].COMMAND[0]} shows {len(gpus)} of {target.count} GPUs", look)
    driver = str(gpus[0]["driver"]) if gpus else ""
    if not driver.startswith(target.driver):
        raise CheckFailed(
            f"driver {driver} is running instead of {target.driver}",
            f"Run site.yml, which installs it and restarts {target.host} if it must",
        )
    computing = _computing(target, vendor, look)
    hottest = max((gpu["temperature_c"] for gpu in gpus if gpu["temperature_c"] is not None), default=None)
    names = ", ".join(str(gpu["name"]) for gpu in gpus)
    warmth = "" if hottest is None else f", {hottest:g} °C"
    details = {"vendor": vendor, "gpus": gpus, "processes": processes}
    measures = _measures(gpus, processes)
    return Found(f"{names}{warmth}, driver {driver}{computing}", driver, measures, details)
