"""`ansible-playbook site.yml --tags ROLE` runs that role: it has its tag, and so has everything in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
# These prepare the machines before they are configured, or are part of other roles.
ELSEWHERE = {"proxmox_host", "proxmox_vm", "python_service"}
PLAYS = yaml.safe_load((ROOT / "playbooks/configure.yml").read_text())
TASKS: list[dict[str, Any]] = [
    task for play in PLAYS if play.get("tags") != ["always"] for task in play.get("tasks", [])
]
ROLES = [task for task in TASKS if "ansible.builtin.include_role" in task]


def test_every_role_is_run_with_its_own_tag() -> None:
    tags = {
        task["ansible.builtin.include_role"]["name"]: task["tags"]
        for task in ROLES
        if task["tags"] != ["always"]
    }
    brings_back = ["backup", "openqm", "haproxy"]  # no service whose data it keeps starts before it
    assert tags == {name: [name] for name in tags} | {"backup": brings_back}
    assert tags.keys() | ELSEWHERE == {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}


def test_the_tasks_of_a_role_have_the_tag_of_what_includes_it() -> None:
    assert ROLES
    for task in ROLES:
        assert task["ansible.builtin.include_role"]["apply"] == {"tags": task["tags"]}, task["name"]


def test_what_every_role_needs_runs_with_each_tag() -> None:
    assert [task["name"] for task in TASKS if task not in ROLES and task.get("tags") != ["always"]] == []
