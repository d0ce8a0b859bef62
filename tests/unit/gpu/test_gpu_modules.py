"""The module on this machine, with tools stood in for by scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import load_module
from tests.unit.gpu.conftest import SAMPLES


@pytest.fixture
def plan(run_module, tmp_path, monkeypatch) -> Callable[..., dict[str, Any]]:
    """Run the module that decides on a machine with an RTX 4090, which is no container."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    for name, body in (("lspci", f"cat {SAMPLES}/ada_nouveau.lspci"), ("systemd-detect-virt", "exit 1")):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return lambda **params: run_module(
        "gpu_driver_plan", {"restart_record": str(tmp_path / "record")} | params
    )


def test_the_module_decides_for_this_machine(plan):
    result = plan()
    assert (result["plan"]["outcome"], result["changed"], result["restarted"]) == ("ask", False, False)
    assert result["plan"]["reboot"] == "nouveau holds AD102 [GeForce RTX 4090] [10de:2684]"
    assert "is not installed" in plan(choose=True)["plan"]["message"]
    assert plan(vendor="amd")["plan"]["outcome"] == "refused"


def test_a_restart_is_remembered_over_the_boot_and_for_that_driver_alone(plan):
    module = load_module("gpu_driver_plan")
    wanted = plan()["record"]
    driver, _, boot = wanted.strip().rpartition(" ")
    assert boot == module.BOOT.read_text().strip()
    assert not module.restarted(wanted, wanted)  # asked for in this boot, which has not ended
    assert module.restarted(f"{driver} another-boot\n", wanted)
    assert not module.restarted("nvidia 470.1 another-boot\n", wanted)
    assert not module.restarted("", wanted)
