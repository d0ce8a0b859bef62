"""The controller remembers which hosts have had data, and the role is told, as the playbooks do it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def remembered(tmp_path):
    """Return the file in which the controller remembers."""
    return tmp_path / "local" / "data.json"


@pytest.fixture
def play(tmp_path, remembered):
    """Run tasks on a host of the lab's inventory that is this machine, with the playbooks' own variables."""
    shutil.copytree(
        ROOT / "inventories",
        tmp_path / "inventories",
        ignore=shutil.ignore_patterns("secrets.yml", "profile.yml"),
    )
    remembered.parent.mkdir()
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/group_vars").symlink_to(ROOT / "playbooks/group_vars")
    program = tmp_path / "bin/hal-backup"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "called: $*"\n')
    program.chmod(0o755)

    def run(host: str, tasks: list[dict[str, Any]], **variables: Any) -> str:
        file = tmp_path / "playbooks/play.yml"
        file.write_text(yaml.safe_dump([{"hosts": host, "gather_facts": False, "tasks": tasks}]))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        given = json.dumps(local | {"network_local_directory": str(remembered.parent)} | variables)
        command = (sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "inventories/lab"))
        done = subprocess.run(
            [*command, "-e", given, str(file)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
            env=os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


RECOVER = [
    {"ansible.builtin.include_tasks": str(ROOT / "roles/backup/tasks/restore.yml")},
    {"ansible.builtin.debug": {"msg": "{{ backup_restored.stdout }}"}},
]


@pytest.mark.parametrize(
    ("had", "variables", "called"),
    [
        (None, {}, '"called: recover"'),
        ({"ubuai": ["models"]}, {}, '"called: recover"'),
        ({"qm1": ["engine"]}, {}, '"called: recover --had=engine"'),
        ({"qm1": ["engine"]}, {"start_empty": "haproxy"}, '"called: recover --had=engine"'),
        ({"qm1": ["engine"]}, {"start_empty": "haproxy,qm1"}, '"called: recover --had=engine --empty"'),
    ],
)
def test_the_role_is_told_what_the_host_has_had(play, remembered, had, variables, called):
    if had is not None:
        remembered.write_text(json.dumps(had))
    assert called in play("qm1", RECOVER, **variables)


def task(playbook: str, name: str) -> dict[str, Any]:
    plays = yaml.safe_load((ROOT / "playbooks" / playbook).read_text())
    return next(task for play in plays for task in play.get("tasks", []) if task["name"] == name)


def test_what_the_checks_find_is_remembered_and_kept(play, remembered):
    remember = [task("verify.yml", "Remember which data the hosts have")]
    found = {"kind": "backup", "host": "qm1", "details": {"engine": {"present": True}}}
    play("localhost", remember, health_results=[found])
    assert json.loads(remembered.read_text()) == {"qm1": ["engine"]}
    lost = found | {"details": {"engine": {"present": False}}}
    assert "changed=0" in play("localhost", remember, health_results=[lost])
    assert json.loads(remembered.read_text()) == {"qm1": ["engine"]}
