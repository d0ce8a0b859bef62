"""An Ansible whose Python lacks the model says what to type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("callback", ["summary", "ansible.builtin.default"])
def test_it_is_said_what_to_type(tmp_path, callback):
    (tmp_path / "hal").mkdir()
    (tmp_path / "hal/__init__.py").write_text("")  # found first, and without the model
    play = '{hosts: localhost, gather_facts: false, tasks: [{debug: {msg: "{{ 60 | interval }}"}}]}'
    (tmp_path / "play.yml").write_text(f"- {play}\n")
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(tmp_path / "play.yml")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "ANSIBLE_STDOUT_CALLBACK": callback},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "No module named 'hal.network'. Run `make tools`, then .venv/bin/ansible-playbook" in done.stderr
    assert "Traceback" not in done.stderr
