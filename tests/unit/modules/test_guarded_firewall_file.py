"""guarded_firewall_file writes under a timer, which restores what was there also after a restart."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import firewall_guard

# `systemctl`: that the timer is enabled and runs is a file.
SYSTEMCTL = """#!/bin/sh
case "$1" in
  is-active) test -e {folder}/armed ;;
  disable) rm -f {folder}/armed ;;
  enable) touch {folder}/armed ;;
esac
"""
OLD, NEW = "policy_in: ACCEPT\n", "policy_in: DROP\n"


class Host:
    """A host with a stand-in for systemctl, and the file."""

    def __init__(self, folder: Path, run_module: Callable[..., Any]) -> None:
        self.folder, self.run_module = folder, run_module
        self.file = folder / "cluster.fw"

    def ensure(self, content: str = NEW, *, check: bool = False) -> Any:
        params = {"path": str(self.file), "content": content, "revert_after": 60}
        return self.run_module("guarded_firewall_file", params, check=check)

    @property
    def armed(self) -> bool:
        return (self.folder / "armed").exists()

    def revert(self) -> None:
        """Do what systemd does when the timer has run out."""
        for line in (self.folder / "hal-firewall-revert.service").read_text().splitlines():
            if line.startswith("ExecStart="):
                subprocess.run(line.removeprefix("ExecStart=").split(), check=True)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_module: Callable[..., Any]) -> Host:
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(firewall_guard, "UNITS", tmp_path)
    monkeypatch.setattr(firewall_guard, "KEPT", tmp_path / "kept")
    return Host(tmp_path, run_module)


def test_a_change_is_written_under_a_timer_that_a_restart_does_not_lose(host: Host) -> None:
    host.file.write_text(OLD)
    result = host.ensure()
    assert (result["changed"], result["armed"], host.armed) == (True, True, True)
    assert result["diff"] == {"before": OLD, "after": NEW}
    assert host.file.read_text() == NEW
    timer = (host.folder / "hal-firewall-revert.timer").read_text()
    assert "OnActiveSec=60s" in timer
    assert "WantedBy=timers.target" in timer


@pytest.mark.parametrize("old", [OLD, None])
@pytest.mark.parametrize("interrupted", [False, True])
def test_the_timer_restores_what_was_there(host: Host, old: str | None, *, interrupted: bool) -> None:
    if old:
        host.file.write_text(old)
    host.ensure()
    if interrupted:
        host.ensure("enable: 0\n")
    host.revert()
    assert (host.file.read_text() if host.file.exists() else None) == old
    assert not host.armed


def test_what_is_as_it_should_be_arms_nothing(host: Host) -> None:
    host.file.write_text(NEW)
    result = host.ensure()
    assert (result["changed"], result["armed"], host.armed) == (False, False, False)


def test_a_timer_that_an_interrupted_run_left_is_reported(host: Host) -> None:
    host.file.write_text(OLD)
    host.ensure()
    again = host.ensure()
    assert (again["changed"], again["armed"]) == (True, True)


def test_what_somebody_else_wrote_is_kept_beside_it(host: Host) -> None:
    host.file.write_text(OLD)
    host.ensure(f"# HAL network writes this file.\n{NEW}")
    host.ensure()
    assert host.file.with_name("cluster.fw.before-hal").read_text() == OLD


def test_a_check_changes_nothing(host: Host) -> None:
    host.file.write_text(OLD)
    assert host.ensure(check=True)["changed"]
    assert (host.file.read_text(), host.armed) == (OLD, False)
