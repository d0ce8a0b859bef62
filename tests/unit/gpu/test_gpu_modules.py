"""The modules on this machine, with the drivers' tools stood in for by scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ModuleFailed, load_module
from tests.unit.gpu.conftest import SAMPLES

PROGRAM = "#!/bin/sh\n{body}\n"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Write a script by which a tool is stood in for; only those that are written are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(name: str, body: str) -> Path:
        path = folder / name
        path.write_text(PROGRAM.format(body=body))
        path.chmod(0o755)
        return path

    return write


def prove(run_module: Callable[..., dict[str, Any]], **params: Any) -> dict[str, Any]:
    return run_module("gpu_proof", {"vendor": "nvidia"} | params)


def test_a_working_gpu_is_proved_and_described(run_module, program):
    program("nvidia-smi", f"cat {SAMPLES}/nvidia-smi.csv")
    python = program("python", "echo 2")
    result = prove(run_module, count=2, branch=580, python=str(python))
    assert (result["cuda_devices"], result["changed"], result["skipped_parts"]) == (2, False, [])
    assert [gpu["slot"] for gpu in result["gpus"]] == ["0000:01:00.0", "0000:02:00.0"]


@pytest.mark.parametrize(
    ("body", "params", "reason"),
    [
        ("echo No devices were found >&2; exit 6", {}, "No devices were found"),
        (f"cat {SAMPLES}/nvidia-smi.csv", {"count": 3}, "shows 2 of 3 GPUs"),
        (f"cat {SAMPLES}/nvidia-smi.csv", {"branch": 550}, "Branch 580 is running instead of 550"),
        ("echo Unable to determine the device handle", {}, "nvidia-smi said: Unable to determine"),
    ],
)
def test_a_gpu_that_does_not_work_fails_with_what_the_tool_said(run_module, program, body, params, reason):
    program("nvidia-smi", body)
    with pytest.raises(ModuleFailed) as failure:
        prove(run_module, **params)
    assert reason in failure.value.result["msg"]


def test_a_missing_tool_is_a_fault_unless_the_driver_comes_from_outside(run_module, program):
    with pytest.raises(ModuleFailed, match="nvidia-smi is not installed"):
        prove(run_module)
    assert "comes from outside" in prove(run_module, external=True)["skipped_parts"][0]


def test_cuda_is_skipped_with_the_reason_where_there_is_no_python_for_it(run_module, program):
    program("nvidia-smi", f"cat {SAMPLES}/nvidia-smi.csv")
    result = prove(run_module, python="/nonexistent/python")
    assert result["cuda_devices"] == -1
    assert "/nonexistent/python" in result["skipped_parts"][0]


def test_cuda_is_skipped_with_the_reason_where_ctranslate2_is_not_installed(run_module, program):
    program("nvidia-smi", f"cat {SAMPLES}/nvidia-smi.csv")
    python = program("python", f'exec {sys.executable} -I -S "$@"')  # without any package
    assert "No module named 'ctranslate2'" in prove(run_module, python=str(python))["skipped_parts"][0]


def test_the_real_ctranslate2_is_asked(run_module, program):
    devices = pytest.importorskip("ctranslate2").get_cuda_device_count()
    program("nvidia-smi", f"cat {SAMPLES}/nvidia-smi.csv")
    if devices:
        assert prove(run_module, python=sys.executable)["cuda_devices"] == devices
    else:
        with pytest.raises(ModuleFailed, match="finds no CUDA device"):
            prove(run_module, python=sys.executable)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo 0", "finds no CUDA device"),
        ("echo RuntimeError: CUDA driver version is insufficient >&2; exit 1", "version is insufficient"),
    ],
)
def test_cuda_that_does_not_load_is_a_fault(run_module, program, body, reason):
    program("nvidia-smi", f"cat {SAMPLES}/nvidia-smi.csv")
    with pytest.raises(ModuleFailed, match=reason):
        prove(run_module, python=str(program("python", body)))


def test_an_amd_gpu_that_the_kernel_does_not_offer_is_a_fault(run_module, program, monkeypatch):
    monkeypatch.setattr(load_module("gpu_proof"), "compute_targets", lambda root: {})
    with pytest.raises(ModuleFailed, match="offers 0 of 1 GPUs"):
        prove(run_module, vendor="amd")


def test_an_amd_gpu_is_described_by_rocm_smi(run_module, program, monkeypatch):
    monkeypatch.setattr(load_module("gpu_proof"), "compute_targets", lambda root: {"0000:03:00.0": "gfx1100"})
    program("rocm-smi", f"cat {SAMPLES}/rocm-smi-6.json")
    assert prove(run_module, vendor="amd")["gpus"][0]["target"] == "gfx1100"


@pytest.fixture
def plan(run_module, program, tables, tmp_path) -> Callable[..., dict[str, Any]]:
    """Run the module that decides; the PCI inventory is a sample's, and this is no container."""
    needed = {name: tables[name] for name in ("nvidia_families", "amd_families", "offers", "amd_packages")}

    def run(sample: str, **params: Any) -> dict[str, Any]:
        program("lspci", f"cat {SAMPLES}/{sample}.lspci")
        program("systemd-detect-virt", "exit 1")
        return run_module(
            "gpu_driver_plan", {"restart_record": str(tmp_path / "restarted")} | needed | params
        )

    return run


def test_the_module_decides_for_this_machine(plan):
    result = plan("no_gpu")
    assert (result["plan"]["outcome"], result["changed"], result["restarted"]) == ("none", False, False)
    assert plan("kepler", minimum_branches={"default": 550}, vendor="nvidia")["plan"]["outcome"] == "refused"


def test_a_restart_is_remembered_over_the_boot_and_for_that_driver_alone(plan):
    module = load_module("gpu_driver_plan")
    wanted = plan("ada")["record"]
    driver, _, boot = wanted.strip().rpartition(" ")
    assert boot == module.BOOT.read_text().strip()
    assert not module.restarted(wanted, wanted)  # asked for in this boot, which has not ended
    assert module.restarted(f"{driver} another-boot\n", wanted)
    assert not module.restarted("nvidia 470.1 another-boot\n", wanted)
    assert not module.restarted("", wanted)
