"""What is waited for of a host of the lab."""

from __future__ import annotations

import socket
import subprocess
import threading
import time

import pytest
from lab import containers
from lab.containers import Lab, PodmanError, wait_booted, wait_port
from tests.ports import free_port


def test_a_port_that_answers_later_is_waited_for():
    port = free_port()

    def listen():
        time.sleep(0.5)
        with socket.create_server(("127.0.0.1", port)) as server:
            server.accept()

    thread = threading.Thread(target=listen)
    thread.start()
    wait_port("127.0.0.1", port, timeout=30)
    thread.join()


def test_a_port_that_does_not_answer_is_named():
    port = free_port()
    with pytest.raises(TimeoutError, match=f"127.0.0.1:{port} has not answered within 0.3 s"):
        wait_port("127.0.0.1", port, timeout=0.3)


LAB = Lab("mine", "image", "network")


@pytest.fixture
def systemd(monkeypatch, tmp_path):
    """Return what has a host's systemctl answer one state after the other; it returns what was asked."""

    def answers(*states):
        program = tmp_path / "systemctl"
        (tmp_path / "states").write_text("\n".join(states))
        program.write_text(
            f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n'
            f'case "$*" in *--wait*) sed -i 1d {tmp_path}/states; exit 0 ;; esac\n'
            f'state=$(head -1 {tmp_path}/states); echo "$state"; test "$state" = running\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return tmp_path / "asked"

    def podman(arguments):
        shell = arguments[arguments.index("sh") :]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PodmanError(done.stderr)
        return done.stdout

    monkeypatch.setattr(containers, "podman", podman)
    return answers


@pytest.mark.parametrize("state", ["running", "degraded"])
def test_systemd_waits_itself_until_a_host_has_booted(systemd, state):
    asked = systemd("starting", state)
    assert wait_booted(LAB, "qm1", timeout=30) == state
    assert asked.read_text().splitlines() == ["is-system-running --wait", "is-system-running"]


def test_a_host_that_does_not_boot_is_named_with_systemds_last_word(systemd):
    systemd("starting", "starting", "maintenance")
    with pytest.raises(TimeoutError, match=r"qm1 has not booted within 0\.1 s: (starting|maintenance)"):
        wait_booted(LAB, "qm1", timeout=0.1)
