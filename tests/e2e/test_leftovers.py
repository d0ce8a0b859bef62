"""What a lab leaves behind that was killed with its checkout can be found and removed from another."""

import os
import signal

import pytest
from lab import containers, machine
from lab.network import laboratory

NAME = "hal-test-leftover"
SUBNET = "198.19.7.0/24"  # reserved for tests as the lab's own range is, and no part of it


@pytest.fixture
def leftover():
    """Leave a host of some other lab, its processes killed from outside, on a network of its own."""
    options = ["--systemd=always", "--cap-add", containers.CAPABILITIES]
    containers.podman(
        ["network", "create", "--disable-dns", "--label=hal.lab=gone", "--subnet", SUBNET, NAME]
    )
    try:
        image = laboratory().image
        containers.podman(
            ["run", "--detach", "--name", NAME, "--label=hal.lab=gone", "--network", NAME, *options, image]
        )
        pids = containers.podman(["inspect", "--format={{.State.ConmonPid}} {{.State.Pid}}", NAME])
        for pid in map(int, pids.split()):
            os.kill(pid, signal.SIGKILL)
        yield NAME
    finally:
        containers.remove_container(NAME)
        machine.remove_network(NAME)


def test_a_dead_host_of_another_lab_is_found_and_removed(lab, leftover):
    assert leftover in containers.list_everything()
    assert lab.container("qm1") in containers.list_everything()
    containers.remove_container(leftover)
    assert leftover not in containers.list_everything()
    assert leftover in machine.lab_networks()
    machine.remove_network(leftover)
    assert leftover not in machine.lab_networks()
