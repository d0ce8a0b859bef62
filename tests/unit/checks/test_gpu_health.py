"""gpu_health, with the vendors' tools stood in for by scripts.

The samples are constructed: tests/data/gpu/README.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.module_utils.hal_checks import gpu
from tests.conftest import ModuleFailed

SAMPLES = Path(__file__).parents[2] / "data/gpu"
AMD = f"cat {SAMPLES}/rocm-smi-6.json"
NVIDIA = f"""case $1 in
    --query-gpu=*) cat {SAMPLES}/nvidia-smi.csv;;
    --query-compute-apps=*) printf '0000:01:00.0, %s, ollama, 1330\\n' 2345 2401;;
esac"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Write a script by which a tool is stood in for; only those that are written are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(name: str, body: str) -> str:
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
        return str(folder / name)

    return write


def test_gpus_that_are_well_are_told_with_their_processes(run_module, tool):
    tool("nvidia-smi", NVIDIA)
    result = run_module("gpu_health", {"count": 2, "driver": "580.", "max_processes": 2})
    assert (result["ok"], result["version"], result["changed"]) == (True, "580.95.05", False)
    assert "NVIDIA GeForce RTX 4090, Tesla P40, 41 °C, driver 580.95.05" in result["message"]
    assert [process["pid"] for process in result["details"]["processes"]] == [2345, 2401]


def test_an_amd_gpu_is_found_by_its_tool(run_module, tool):
    tool("rocm-smi", f'case "$*" in *--json) {AMD};; *) exit 2;; esac')
    result = run_module("gpu_health", {"max_processes": 1, "max_memory_percent": 5})
    assert result["ok"] and result["details"]["vendor"] == "amd"
    assert result["details"]["processes"][0]["name"] == "ollama"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_temperature_c": 40},
            "GeForce RTX 4090 (0000:01:00.0) is at 41 °C, above 40 °C. See to its fans",
        ),
        ({"max_memory_percent": 7}, "has 7 % of its memory in use, more than 7 %. See with `ollama ps`"),
        ({"max_processes": 1}, "2 processes use the GPUs, more than 1"),
        ({"count": 3}, "shows 2 of 3 GPUs. On this host: `journalctl -k -g NVRM`"),
        ({"driver": "550."}, "driver 580.95.05 is running instead of 550.. Run site.yml"),
        ({"vendor": "amd"}, "there is no rocm-smi, so no driver is installed"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(run_module, tool, options, message):
    tool("nvidia-smi", NVIDIA)
    with pytest.raises(ModuleFailed) as failure:
        run_module("gpu_health", options)
    assert message in failure.value.result["msg"]


def test_everything_that_exceeds_a_limit_is_said_at_once(run_module, tool):
    tool("nvidia-smi", NVIDIA)
    options = {"max_temperature_c": 32, "max_processes": 1, "fail_on_fault": False}
    message = run_module("gpu_health", options)["message"]
    assert "4090 (0000:01:00.0) is at 41 °C" in message and "P40 (0000:02:00.0) is at 33 °C" in message
    assert "2 processes" in message and message.count("See to its fans") == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo No devices were found >&2; exit 6", "nvidia-smi failed: No devices were found. On this host"),
        ("echo Failed to initialize NVML: Driver/library version mismatch", "nvidia-smi said: Failed to"),
        ("printf '\\377\\376'", "nvidia-smi said"),
        ("true", "shows 0 of 1 GPUs"),
        ("exec sleep 60", "nvidia-smi did not answer within 0.5 s: a GPU hangs"),
    ],
)
def test_a_tool_that_fails_is_quoted(run_module, tool, body, message):
    tool("nvidia-smi", body)
    with pytest.raises(ModuleFailed) as failure:
        run_module("gpu_health", {"timeout": 0.5 if "sleep" in body else 10})
    assert message in failure.value.result["msg"]


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory where the kernel lists PCI devices, empty."""
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    folder = tmp_path / "sys/bus/pci/devices"
    folder.mkdir(parents=True)
    return folder


def test_a_gpu_without_its_vendors_tool_has_no_driver(run_module, tool, devices):
    device = devices / "0000:01:00.0"
    device.mkdir()
    for name, value in (("class", "0x030000"), ("vendor", "0x10de"), ("device", "0x2684")):
        (device / name).write_text(f"{value}\n")
    with pytest.raises(ModuleFailed, match=r"there is no nvidia-smi nor rocm-smi.*Run site.yml"):
        run_module("gpu_health", {})


def test_a_host_without_a_gpu_needs_none_unless_one_is_asked_for(run_module, tool, devices):
    result = run_module("gpu_health", {"max_processes": 3})
    assert result["ok"] and "no GPU: the processor computes" in result["message"]
    with pytest.raises(ModuleFailed, match="there is no nvidia-smi"):
        run_module("gpu_health", {"vendor": "nvidia"})


def test_a_temperature_that_is_not_told_cannot_be_judged(run_module, tool):
    tool("nvidia-smi", f"{{ {NVIDIA}\n}} | sed -E 's/, (41|33),/, [N\\/A],/'")
    with pytest.raises(ModuleFailed, match="does not tell its temperature c, for which there is a limit"):
        run_module("gpu_health", {})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo 0", "finds no CUDA device, though nvidia-smi shows one"),
        ("echo RuntimeError: CUDA driver version is insufficient >&2; exit 1", "version is insufficient"),
    ],
)
def test_cuda_that_does_not_load_is_a_fault(run_module, tool, body, message):
    tool("nvidia-smi", NVIDIA)
    with pytest.raises(ModuleFailed, match=message):
        run_module("gpu_health", {"python": tool("python", body)})


def test_cuda_is_proved_or_its_absence_told(run_module, tool):
    tool("nvidia-smi", NVIDIA)
    assert "CUDA finds 2" in run_module("gpu_health", {"python": tool("python", "echo 2")})["message"]
    bare = tool("python", f'exec {sys.executable} -I -S "$@"')  # without any package
    assert f"{bare} has no ctranslate2" in run_module("gpu_health", {"python": bare})["message"]
    assert "there is no /nonexistent here" in run_module("gpu_health", {"python": "/nonexistent"})["message"]


def test_the_real_ctranslate2_is_asked(run_module, tool):
    devices = pytest.importorskip("ctranslate2").get_cuda_device_count()
    tool("nvidia-smi", NVIDIA)
    if devices:
        assert f"CUDA finds {devices}" in run_module("gpu_health", {"python": sys.executable})["message"]
    else:
        with pytest.raises(ModuleFailed, match="finds no CUDA device"):
            run_module("gpu_health", {"python": sys.executable})


def test_an_amd_gpu_that_the_kernel_does_not_offer_for_computing_is_a_fault(
    run_module, tool, devices, tmp_path
):
    tool("rocm-smi", AMD)
    node = tmp_path / "sys/class/kfd/kfd/topology/nodes/1/properties"
    node.parent.mkdir(parents=True)
    with pytest.raises(ModuleFailed, match="offers 0 of 1 GPUs for computing"):
        run_module("gpu_health", {"vendor": "amd"})
    node.write_text("location_id 768\ngfx_target_version 110000\n")
    assert run_module("gpu_health", {"vendor": "amd"})["ok"]
