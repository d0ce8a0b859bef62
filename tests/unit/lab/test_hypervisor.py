"""The lab's hypervisor: guests of a fake Proxmox API in, podman commands out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from lab import boot, cloud_init, containers, hypervisor, registry
from lab.containers import Container, Lab, PodmanError
from lab.guests import Api, Drive, Guest
from lab.verbs import PROXMOX
from proxmoxer import ProxmoxAPI

LAB = Lab("test", "localhost/hal-lab:test", "hal-test", ((Path("/etc/ca.crt"), "/etc/ssl/ca.crt"),))
KEY = "ssh-ed25519 AAAAC3+/ lab"
PATIENCE_S = 30


class FakePodman:
    """Stands in for podman: keeps what it was told to do, and the containers that result."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.created: list[Sequence[str]] = []
        self.hosts: dict[str, dict[str, Any]] = {}
        self.failing: set[str] = set()

    def __call__(self, arguments: Sequence[str]) -> str:
        verb, name = arguments[0], arguments[-1]
        if verb == "ps":
            return self._list(arguments)
        if verb == "image":
            return "270000000\n" if "inspect" in arguments else "/images/merged\n"
        if verb in self.failing:
            raise PodmanError(f"Error: {verb} is out of order")
        if verb == "create":
            name = arguments[arguments.index("--name") + 1]
            labels = dict(item[8:].partition("=")[::2] for item in arguments if item.startswith("--label="))
            self.hosts[name] = {"Names": [name], "State": "created", "Labels": labels}
            self.created.append(arguments)
        elif verb == "rm":
            if self.hosts.pop(name, None) is None:
                return ""
        else:
            self.hosts[name]["State"] = {"start": "running", "stop": "exited"}[verb]
        self.calls.append(f"{verb} {name}")
        return ""

    def _list(self, arguments: Sequence[str]) -> str:
        named = next((item for item in arguments if item.startswith("--filter=name=^")), None)
        if named is None:
            return json.dumps(list(self.hosts.values()))
        host = self.hosts.get(named.removeprefix("--filter=name=^").removesuffix("$"))
        return f"{host['Labels'].get('hal.disks', '')}\n" if host else ""

    def state(self, host: str) -> str | None:
        """Return the state of a host's container, or None without one."""
        found = self.hosts.get(LAB.container(host))
        return found["State"] if found else None


@pytest.fixture
def fake_podman(monkeypatch: pytest.MonkeyPatch) -> FakePodman:
    fake = FakePodman()
    monkeypatch.setattr(containers, "podman", fake)
    return fake


class FakeDisks:
    """Stands in for block devices: keeps which disks there are, how large, and what was written to them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sizes: dict[str, float] = {}

    def attach(self, disk: Path, size_gib: float) -> str:
        self.sizes[disk.name] = max(size_gib, self.sizes.get(disk.name, 0))
        return f"/dev/loop{sorted(self.sizes).index(disk.name)}"

    def mount_system(self, directory: Path, device: str, image: Path, image_bytes: int) -> Path:
        (directory / "root").mkdir(parents=True, exist_ok=True)
        return directory / "root"

    def destroy(self, directory: Path) -> None:
        self.sizes = {name: size for name, size in self.sizes.items() if not name.startswith(directory.name)}
        shutil.rmtree(directory, ignore_errors=True)

    def written(self, vmid: int, path: str) -> str:
        """Return what a guest's system disk holds at a path."""
        return (self.directory / f"vm-{vmid}" / "root" / path).read_text()


@pytest.fixture(autouse=True)
def fake_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDisks:
    fake = FakeDisks(tmp_path / "disks")
    monkeypatch.setattr(boot, "DISKS", fake.directory)
    for module in (boot, containers):
        monkeypatch.setattr(module, "disks", fake)
    monkeypatch.setattr(registry, "name_servers", lambda: ["192.0.2.53"])
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


def guest(name: str = "qm1", uuid: str = "uuid-1", *, running: bool = True, **config: Any) -> Guest:
    vmid = 103 if name == "qm1" else 120
    described = {
        "name": name,
        "smbios1": f"product=trixie,uuid={uuid}",
        "boot": "order=scsi0",
        "scsi0": f"local-lvm:vm-{vmid}-disk-0,size=3G",
        "ide2": f"local-lvm:vm-{vmid}-cloudinit,media=cdrom",
        "net0": "virtio=BC:24:11:00:01:03,bridge=vmbr0",
        "ipconfig0": "ip=198.18.34.103/16,gw=198.18.0.1",
        "ciuser": "lawr",
        "sshkeys": "ssh-ed25519%20AAAAC3%2B%2F%20lab",
        "memory": "2048",
    }
    status = "running" if running else "stopped"
    return Guest.from_machine({"vmid": vmid, "status": status, "config": described | config})


def test_a_running_guest_gets_a_running_container(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    assert fake_podman.calls == ["create hal-test-qm1", "start hal-test-qm1"]
    (arguments,) = fake_podman.created
    expected = {"--network": "hal-test", "--ip": "198.18.34.103", "--hostname": "qm1"}
    expected |= {"--mac-address": "BC:24:11:00:01:03"}  # by which cloud-init knows the interface
    for option, value in expected.items():
        assert arguments[arguments.index(option) + 1] == value
    assert {"--label=hal.lab=test", "--label=hal.guest=uuid-1"} <= set(arguments)
    assert "--volume=/etc/ca.crt:/etc/ssl/ca.crt:ro" in arguments
    assert not any(option.startswith("--memory") for option in arguments)


@pytest.mark.parametrize("state", ["paused", "stopping"])
def test_a_guest_that_stands_still_or_has_not_stopped_yet_is_not_started(
    fake_podman: FakePodman, reconcile: Callable[..., None], state: str
) -> None:
    reconcile(guest())
    fake_podman.hosts["hal-test-qm1"]["State"] = state
    fake_podman.calls.clear()
    reconcile(guest())
    assert fake_podman.calls == []


def test_its_disk_carries_the_seed_that_proxmox_writes(
    fake_disks: FakeDisks, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    seed = cloud_init.seed(guest().config, 103, ["192.0.2.53"])
    assert KEY in seed["user-data"] and "192.0.2.53" in seed["network-config"]
    assert {name: fake_disks.written(103, f"{boot.SEED}/{name}") for name in seed} == seed


def test_a_change_of_the_configuration_is_taken_over_at_the_next_start(
    fake_disks: FakeDisks, fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    reconcile(guest(scsi0="local-lvm:vm-103-disk-0,size=8G", ciuser="hal"))
    assert fake_disks.sizes == {"vm-103-disk-0.img": 3}
    reconcile(guest(running=False))
    reconcile(guest(scsi0="local-lvm:vm-103-disk-0,size=8G", ciuser="hal"))
    assert fake_disks.sizes == {"vm-103-disk-0.img": 8}
    assert "user: hal" in fake_disks.written(103, f"{boot.SEED}/user-data")
    assert fake_podman.state("qm1") == "running"


def test_further_disks_are_found_by_their_serial_numbers(
    fake_disks: FakeDisks, fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    more = {
        "scsi1": "local-lvm:vm-103-disk-1,serial=records,size=4G",
        "scsi2": "local-lvm:vm-103-disk-2,size=1G",
    }
    reconcile(guest(**more))
    links = [line.split() for line in fake_disks.written(103, boot.LINKS).splitlines()]
    by_id = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_"
    assert [(line[1], line[-1]) for line in links] == [
        (f"{by_id}records", "/dev/loop1"),
        (f"{by_id}drive-scsi2", "/dev/loop2"),
    ]
    assert {"--device=/dev/loop1", "--device=/dev/loop2"} <= set(fake_podman.created[0])
    assert "--device=/dev/loop0" not in fake_podman.created[0]


def test_a_disk_of_another_number_outlives_the_guest_that_uses_it(
    fake_disks: FakeDisks, reconcile: Callable[..., None]
) -> None:
    kept = {"scsi1": "local-lvm:vm-9103-disk-0,serial=records,size=4G"}
    reconcile(guest(**kept))
    reconcile()
    assert set(fake_disks.sizes) == {"vm-9103-disk-0.img"}
    reconcile(guest(uuid="uuid-2", **kept))
    assert set(fake_disks.sizes) == {"vm-9103-disk-0.img", "vm-103-disk-0.img"}


def test_the_template_says_which_image_a_clone_holds() -> None:
    assert guest(smbios1="product=bookworm,uuid=1").image == "bookworm"
    assert guest(smbios1="uuid=1").image == "trixie"


def test_what_is_right_is_left_alone(fake_podman: FakePodman, reconcile: Callable[..., None]) -> None:
    reconcile(guest())
    fake_podman.calls.clear()
    reconcile(guest())
    assert fake_podman.calls == []


def test_a_guest_is_stopped_started_and_removed(
    fake_disks: FakeDisks, fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest())
    reconcile(guest(running=False))
    assert fake_podman.state("qm1") == "exited"
    reconcile(guest())
    assert fake_podman.state("qm1") == "running"
    reconcile()
    assert fake_podman.hosts == {} and fake_disks.sizes == {}


def test_a_guest_that_was_never_started_has_no_container(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest(running=False))
    assert fake_podman.calls == []


def test_a_new_guest_of_an_old_name_does_not_inherit_its_disk(
    fake_disks: FakeDisks, fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest(scsi0="local-lvm:vm-103-disk-0,size=8G"))
    reconcile(guest(uuid="uuid-2"))
    assert fake_podman.hosts == {} and fake_disks.sizes == {}
    reconcile(guest(uuid="uuid-2"))
    assert fake_podman.state("qm1") == "running" and fake_disks.sizes == {"vm-103-disk-0.img": 3}


def test_nor_does_it_when_the_removal_was_interrupted(
    fake_disks: FakeDisks, fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    reconcile(guest(scsi0="local-lvm:vm-103-disk-0,size=8G"))
    fake_podman.hosts.clear()
    reconcile(guest(uuid="uuid-2"))
    assert fake_disks.sizes == {"vm-103-disk-0.img": 3}


def test_hosts_that_proxmox_does_not_know_are_left_alone(
    fake_podman: FakePodman, reconcile: Callable[..., None]
) -> None:
    containers.create(LAB, "nas", "198.18.70.10")
    containers.start(LAB, "nas")
    fake_podman.calls.clear()
    reconcile(guest("nas"))
    reconcile()
    assert fake_podman.calls == [] and fake_podman.state("nas") == "running"


def test_a_half_made_container_is_completed(fake_podman: FakePodman, reconcile: Callable[..., None]) -> None:
    fake_podman.failing = {"start"}
    reconcile(guest())
    assert fake_podman.state("qm1") == "created"
    fake_podman.failing = set()
    reconcile(guest())
    assert fake_podman.state("qm1") == "running"


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
    reconcile(guest(ipconfig0="ip=dhcp"))
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
        ({"smbios1": "base64=1,uuid=1-2-3"}, {"identity": "1-2-3"}),
        ({}, {"identity": "103", "address": "", "memory": 512, "drives": []}),
        (
            {
                "boot": "order=virtio1;net0",
                "scsi1": "a:vm-1-disk-1,size=1G",
                "virtio1": "a:vm-1-disk-0,size=2G",
            },
            {"drives": [Drive("vm-1-disk-0", 2, "drive-virtio1"), Drive("vm-1-disk-1", 1, "drive-scsi1")]},
        ),
        (
            {"scsi0": "files:103/vm-103-disk-0.qcow2,size=512M"},
            {"drives": [Drive("vm-103-disk-0.qcow2", 0.5, "drive-scsi0")]},
        ),
    ],
)
def test_a_guest_is_read_from_its_configuration(config: dict[str, str], expected: dict[str, Any]) -> None:
    machine = {"vmid": 103, "status": "running", "config": {"name": "qm1"} | config}
    found = Guest.from_machine(machine)
    assert {key: getattr(found, key) for key in expected} == expected


def test_containers_are_read_from_podman(fake_podman: FakePodman) -> None:
    containers.create(LAB, "nas", "198.18.70.10")
    assert containers.list_all(LAB) == [Container("nas", False, "198.18.70.10", None)]


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
    """The API as the lab runs it, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "pve.crt", folder / "pve.key"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=pve"
        command += " -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
        command += f" -keyout {self.key} -out {self.certificate}"
        subprocess.run(command.split(), check=True, capture_output=True)
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self, guests: Path) -> None:
        command = [sys.executable, str(PROXMOX / "api.py"), str(guests), "--host", "127.0.0.1"]
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
    process.start(PROXMOX / "guests.json")
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
