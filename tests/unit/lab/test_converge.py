"""How the drills end a playbook: with all that it started, as a power cut would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.drills.converge import converge, kill_tree

PATIENCE_S = 30
# A child in a session of its own, as Ansible's workers are, and a child of that; both hold the pipe open.
WORKER = """
import subprocess, time
subprocess.Popen(["sleep", "600"])
print("up", flush=True)
time.sleep(600)
"""
FAMILY = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {WORKER!r}], start_new_session=True)
time.sleep(600)
"""


def test_everything_that_was_started_is_killed():
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        kill_tree(parent.pid)
        assert parent.stdout.read() == "", "the pipe ends when the last of them has gone"
        assert parent.wait(PATIENCE_S) == -9


def test_a_playbook_is_killed_after_so_many_results(tmp_path: Path):
    task = "{{ansible.builtin.command: 'sh -c \"echo {0} >> {1}\"'}}"
    marks = tmp_path / "marks"
    tasks = ", ".join(task.format(number, marks) for number in range(30))
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(f"- {{hosts: localhost, connection: local, gather_facts: false, tasks: [{tasks}]}}\n")

    killed = converge(str(playbook), "--inventory", "localhost,", kill_after=3)

    assert killed.code == -9
    assert [(host, outcome) for host, _, outcome in killed.results] == [("localhost", "ok")] * 3
    begun = len(marks.read_text().split())
    assert 3 <= begun < 30


def test_what_failed_is_told(tmp_path: Path):
    playbook = tmp_path / "playbook.yml"
    failing = "{name: Judge, ansible.builtin.fail: {msg: no space}}"
    playbook.write_text(
        f"- {{hosts: localhost, connection: local, gather_facts: false, tasks: [{failing}]}}\n"
    )
    done = converge(str(playbook), "--inventory", "localhost,")
    assert done.code == 2
    assert done.faults == ["localhost: Judge: no space"]
