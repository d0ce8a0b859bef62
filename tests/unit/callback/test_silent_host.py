"""A host that hangs in the middle of a task does not keep the run waiting for ever."""

from __future__ import annotations

import configparser
import re
import time
from pathlib import Path

import pytest
from tests.unit.ssh_server import new_key, ssh_server

from .conftest import ROOT, run_play

pytestmark = pytest.mark.slow


def ssh_arguments() -> str:
    """Return what the project tells SSH."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "ansible.cfg")
    return settings["ssh_connection"]["ssh_args"]


def test_a_silent_host_is_given_up_within_a_minute() -> None:
    interval, times = (
        int(number)
        for name in ("ServerAliveInterval", "ServerAliveCountMax")
        for number in re.findall(rf"-o {name}=(\d+)", ssh_arguments())
    )
    assert 30 <= interval * times <= 60


def test_a_host_that_falls_silent_during_a_task_is_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = re.sub(r"ServerAliveInterval=\d+", "ServerAliveInterval=1", ssh_arguments())
    monkeypatch.setenv("ANSIBLE_SSH_ARGS", quick)
    monkeypatch.setenv("ANSIBLE_SSH_CONTROL_PATH_DIR", str(tmp_path))
    with ssh_server(new_key(), silent=True) as port:
        host = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
        }
        begin = time.monotonic()
        run = run_play(tmp_path, [{"name": "Ask", "ansible.builtin.raw": "anything"}], hosts={"away": host})
    assert run.code == 4 and time.monotonic() - begin < 60, run.output
    assert "unreachable=1" in run.output
