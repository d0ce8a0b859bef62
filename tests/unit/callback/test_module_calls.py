"""How many modules a run starts is told: a task can start several, one or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import run_play


def test_modules_are_counted_by_role_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_CALLBACKS_ENABLED", "module_calls")
    copied = {"content": "x", "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}", "mode": "0644"}
    tasks = [
        {"name": "Copy", "ansible.builtin.copy": copied},
        {"name": "Look", "ansible.builtin.stat": {"path": "/"}},
        {"name": "Say", "ansible.builtin.debug": {"msg": "x"}},
    ]
    run = run_play(tmp_path, tasks, hosts={"one": {}, "two": {}})
    assert run.code == 0, run.output
    counts = run.section("MODULE CALLS")
    assert "     6  playbooks\n" in counts, run.output
    assert "     4  stat\n" in counts and "     2  copy\n" in counts
    assert counts.rstrip().endswith("6 module calls")


def test_nothing_is_counted_unless_it_is_asked_for(tmp_path: Path) -> None:
    run = run_play(tmp_path, [{"name": "Look", "ansible.builtin.stat": {"path": "/"}}], hosts={"one": {}})
    assert run.code == 0 and "MODULE CALLS" not in run.output
