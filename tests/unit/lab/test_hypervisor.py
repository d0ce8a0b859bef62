"""The lab's hypervisor: guests of a fake Proxmox API in, podman commands out."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI

import containers
import hypervisor
from containers import Container, Lab, PodmanError
from guests import Api, Guest

ROOT = Path(__file__).parents[3]
LAB = Lab("test", "localhost/hal-lab:test", "hal-test", ((Path("/etc/ca.crt"), "/etc/ssl/ca.crt"),))
KEY = "ssh-ed25519 AAAAC3+/ lab"
PATIENCE_S = 30


class FakePodman:
    """Stands in for podman: keeps what it was told to do, and the containers that result."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.created: list[Sequence[str]] = []
        self.seeds: list[bytes] = []
        self.hosts: dict[str, dict[str, Any]] = {}
        self.failing: set[str] = set()

    def __call__(self, arguments: Sequence[str], standard_input: bytes = b"") -> str:
        verb, name = arguments[0], arguments[-1].removesuffix(":/")
        if verb == "ps":
            return json.dumps(list(self.hosts.values()))
        if verb in self.failing:
            raise PodmanError(f"Error: {verb} is out of order")
        if verb == "create":
            name = arguments[arguments.index("--name") + 1]
            labels = dict(item[8:].partition("=")[::2] for item in arguments if item.startswith("--label="))
            self.hosts[name] = {"Names": [name], "State": "created", "Labels": labels}
            self.created.append(arguments)
        elif verb == "cp":
            self.seeds.append(standard_input)
        elif verb == "rm":
            self.hosts.pop(name, None)
        else:
            self.hosts[name]["State"] = {"start": "running", "stop": "exited"}[verb]
        self.calls.append(f"{verb} {name}")
        return ""

    def state(self, host: str) -> str | None:
        """Return the state of a host's container, or None without one."""
        found = self.hosts.get(LAB.container(host))
        return found["State"] if found else None


@pytest.fixture
def fake_podman(monkeypatch: pytest.MonkeyPatch) -> FakePodman:
    fake = FakePodman()
    monkeypatch.setattr(containers, "podman", fake)
    return fake


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reconcile(fake_podman: FakePodman, clock: Clock) -> Callable[..., None]:
    """Bring the containers in line with some guests, by a daemon that has just started."""

    def run(*guests: Guest) -> None:
        daemon = hypervisor.Hypervisor(LAB, clock=clock)
        daemon.reconcile(list(guests))
        daemon.close()

    return run


def guest(name: str = "qm1", **changes: Any) -> Guest:
    values = {
        "identity": "uuid-1",
        "name": name,
        "running": True,
        "address": "198.18.34.103",
        "user": "lawr",
        "ssh_keys": (KEY,),
        "memory": 2048,
    }
    return Guest(**(values | changes))


def test_a_running_guest_gets_a_running_container(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    assert fake_podman.calls == ["create hal-test-qm1", "cp hal-test-qm1", "start hal-test-qm1"]
    (arguments,) = fake_podman.created
    assert arguments[-1] == LAB.image
    expected = {"--network": "hal-test", "--ip": "198.18.34.103", "--hostname": "qm1"}
    # The same for each machine that has the address: its neighbours need learn nothing when it is made anew.
    expected |= {"--mac-address": "02:00:c6:12:22:67"}
    for option, value in expected.items():
        assert arguments[arguments.index(option) + 1] == value
    assert {"--label=hal.lab=test", "--label=hal.guest=uuid-1"} <= set(arguments)
    assert "--volume=/etc/ca.crt:/etc/ssl/ca.crt:ro" in arguments
    assert not any(option.startswith("--memory") for option in arguments)


def test_the_seed_carries_user_and_keys(fake_podman: FakePodman, reconcile: Callable[..., None]) -> None:
    reconcile(guest())
    with tarfile.open(fileobj=io.BytesIO(fake_podman.seeds[0])) as archive:

        def content(path: str) -> str:
            member = archive.extractfile(path)
            assert member is not None
            return member.read().decode()

        assert content("var/lib/hal-lab/user") == "lawr"
        assert content("var/lib/hal-lab/authorized_keys") == f"{KEY}\n"
        assert archive.getmember("usr/local/lib/hal-lab/first-boot").mode & 0o111
        assert "Before=ssh.service" in content(containers.UNIT)
        assert archive.getmember(containers.UNIT_LINK).linkname == f"/{containers.UNIT}"
        script = content("usr/local/lib/hal-lab/first-boot")
    assert subprocess.run(["sh", "-n"], input=script.encode(), check=False).returncode == 0


def test_what_is_right_is_left_alone(fake_podman: FakePodman, reconcile: Callable[..., None]) -> None:
    reconcile(guest())
    fake_podman.calls.clear()
    reconcile(guest())
    assert fake_podman.calls == []


def test_a_guest_is_stopped_started_and_removed(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    reconcile(guest(running=False))
    assert fake_podman.state("qm1") == "exited"
    reconcile(guest(user="hal"))
    assert fake_podman.state("qm1") == "running"
    assert len(fake_podman.seeds) == 2, "cloud-init's data is applied at each start"
    reconcile()
    assert fake_podman.hosts == {}


def test_a_guest_that_was_never_started_has_no_container(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest(running=False))
    assert fake_podman.calls == []


def test_a_new_guest_of_an_old_name_does_not_inherit_its_disk(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    reconcile(guest(identity="uuid-2"))
    assert fake_podman.hosts == {}
    reconcile(guest(identity="uuid-2"))
    assert fake_podman.state("qm1") == "running"


def test_hosts_that_proxmox_does_not_know_are_left_alone(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    containers.create(LAB, "nas", "198.18.70.10", "lawr", [KEY])
    fake_podman.calls.clear()
    reconcile(guest("nas"))
    reconcile()
    assert fake_podman.calls == [] and fake_podman.state("nas") == "running"


def test_a_half_made_container_is_completed(fake_podman: FakePodman, reconcile: Callable[..., None]) -> None:
    fake_podman.failing = {"cp"}
    reconcile(guest())
    assert fake_podman.state("qm1") == "created"
    fake_podman.failing = set()
    reconcile(guest())
    assert fake_podman.state("qm1") == "running" and len(fake_podman.created) == 1


def test_failures_are_retried_at_growing_intervals(
    fake_podman: FakePodman, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake_podman.failing = {"create"}
    daemon = hypervisor.Hypervisor(LAB, clock=clock)

    def tries(until: float) -> list[float]:
        """Reconcile every half second and return when something was tried."""
        found = []
        while clock.now < until:
            before = len(caplog.records)
            daemon.reconcile([guest()])
            wait_for(lambda: not daemon._busy)
            found += [clock.now] if len(caplog.records) > before else []
            clock.now += 0.5
        return found

    assert tries(until=20) == [0, 1, 3, 8, 18]
    assert "create is out of order" in caplog.text
    fake_podman.failing = set()
    clock.now = 100
    daemon.reconcile([guest(), guest("ubuai")])
    daemon.close()
    assert fake_podman.state("qm1") == fake_podman.state("ubuai") == "running"


def test_a_guest_without_address_is_reported(
    fake_podman: FakePodman, reconcile: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    reconcile(guest(address=""))
    assert fake_podman.calls == [] and "no fixed IPv4 address" in caplog.text


def test_memory_can_be_limited(fake_podman: FakePodman) -> None:
    daemon = hypervisor.Hypervisor(LAB, limit_memory=True)
    daemon.reconcile([guest()])
    daemon.close()
    assert "--memory=2048m" in fake_podman.created[0]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"ipconfig0": "gw=198.18.0.1,ip=198.18.34.103/16"}, {"address": "198.18.34.103"}),
        ({"ipconfig0": "ip=dhcp"}, {"address": ""}),
        ({"sshkeys": "ssh-ed25519%20AAAAC3%2B%2F%20lab%0A"}, {"ssh_keys": (KEY,)}),
        ({"smbios1": "base64=1,uuid=1-2-3"}, {"identity": "1-2-3"}),
        ({}, {"identity": "103", "address": "", "user": "", "ssh_keys": ()}),
    ],
)
def test_a_guest_is_read_from_its_configuration(config: dict[str, str], expected: dict[str, Any]) -> None:
    machine = {"vmid": 103, "status": "running", "config": {"name": "qm1"} | config}
    found = Guest.from_machine(machine)
    assert {key: getattr(found, key) for key in expected} == expected


def test_containers_are_read_from_podman(fake_podman: FakePodman) -> None:
    containers.create(LAB, "nas", "198.18.70.10", "lawr", [KEY])
    assert containers.list_all(LAB) == [Container("nas", True, "198.18.70.10", None)]


def test_podman_failures_carry_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "podman"
    program.write_text("#!/bin/sh\necho warning >&2\necho 'Error: no such image' >&2\nexit 125\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(PodmanError, match=r"^Error: no such image$"):
        containers.podman(["start", "nothing"])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


class ProxmoxProcess:
    """`fakepve` as the lab runs it, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "pve.crt", folder / "pve.key"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=pve"
        command += " -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
        command += f" -keyout {self.key} -out {self.certificate}"
        subprocess.run(command.split(), check=True, capture_output=True)
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self, guests: Path) -> None:
        command = [str(Path(sys.executable).with_name("fakepve")), str(guests), "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--time-scale", "0"]
        command += ["--cert", str(self.certificate), "--key", str(self.key)]
        environment = os.environ | {"PVE_PASS": "secret"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.communicate()
            self.process = None

    def connect(self) -> ProxmoxAPI:
        return ProxmoxAPI(
            "127.0.0.1",
            port=self.port,
            user="root@pam",
            password="secret",
            verify_ssl=str(self.certificate),
        )


@pytest.fixture
def proxmox(tmp_path: Path) -> Iterator[ProxmoxProcess]:
    process = ProxmoxProcess(tmp_path)
    process.start(ROOT / "lab/hypervisor.json")
    yield process
    process.stop()


def test_guests_of_the_api_become_containers_and_survive_its_restart(
    proxmox: ProxmoxProcess, fake_podman: FakePodman, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state, stop = tmp_path / "guests.json", threading.Event()
    caplog.set_level("INFO")
    daemon = hypervisor.Hypervisor(LAB)
    arguments = (Api(proxmox.connect), daemon, state, 0.02, stop)
    thread = threading.Thread(target=hypervisor.watch, args=arguments)
    thread.start()
    try:
        node = proxmox.connect().nodes("pve")
        node.qemu(9000).clone.post(newid=103, name="qm1", full=1)
        node.qemu(103).config.post(
            ipconfig0="ip=198.18.34.103/16,gw=198.18.0.1", ciuser="lawr", sshkeys="ssh-ed25519%20AAAA"
        )
        node.qemu(103).status.start.post()
        wait_for(lambda: fake_podman.state("qm1") == "running")
        assert len(fake_podman.hosts) == 1, "the template is no host"
        wait_for(lambda: '"running"' in state.read_text())

        proxmox.stop()
        wait_for(lambda: "does not answer" in caplog.text)
        assert fake_podman.state("qm1") == "running"
        calls = list(fake_podman.calls)
        proxmox.start(state)
        wait_for(lambda: caplog.text.count("following the Proxmox API") == 2)
        assert fake_podman.calls == calls

        node = proxmox.connect().nodes("pve")
        node.qemu(103).status.stop.post()
        wait_for(lambda: fake_podman.state("qm1") == "exited")
        node.qemu(103).delete()
        wait_for(lambda: fake_podman.hosts == {})
    finally:
        stop.set()
        thread.join()
        daemon.close()
