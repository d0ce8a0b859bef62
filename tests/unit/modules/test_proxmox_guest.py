"""proxmox_guest against a fake Proxmox API that runs as its own process."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.unit.conftest import Fake
from tests.unit.modules.conftest import SECRET, TOKENS

KEYS = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA+b/c one@example", "ssh-rsa AAAAB3NzaC1yc2E= two@example"]
TEMPLATE = {
    "cores": 1,
    "memory": 1024,
    "scsihw": "virtio-scsi-pci",
    "scsi0": "local-lvm:base-9000-disk-0,discard=on,size=3G",
    "ide2": "local-lvm:vm-9000-cloudinit,media=cdrom",
    "net0": "virtio=BC:24:11:00:90:00,bridge=vmbr0",
    "net1": "virtio=BC:24:11:00:90:01,bridge=vmbr1",
    "tags": "template",
}
DESCRIPTION = {
    "node": "pve",
    "vmid": 103,
    "name": "qm1",
    "template": "debian-13-cloud",
    "storage": "local-lvm",
    "cores": 2,
    "sockets": 1,
    "memory": 4096,
    "balloon": 0,
    "disks": {"scsi0": {"size_gib": 32}, "scsi1": {"size_gib": 8, "storage": "local-lvm"}},
    "networks": [{"bridge": "vmbr0", "tag": 34, "firewall": True}],
    "hostpci": [{"mapping": "gpu", "pcie": True}],
    "cloud_init": {
        "user": "lawr",
        "ssh_keys": KEYS,
        "address": "198.18.34.103/16",
        "gateway": "198.18.0.1",
        "nameservers": ["198.18.0.1", "198.18.0.2"],
        "search_domain": "example.net",
    },
    "tags": ["HAL", "database"],
    "onboot": True,
    "startup": {"order": 2, "up": 30},
    "description": "Voice gateway",
    "agent": True,
    "state": "started",
}


@pytest.fixture
def fake(proxmox: Fake) -> Fake:
    """The fake with one node, a template and a token, every task done at once."""
    proxmox.reset()
    proxmox.assign(apitokens=TOKENS)
    proxmox.add_vm(9000, "debian-13-cloud", node="pve", template=True, config=TEMPLATE)
    for name in ("gpu", "gpu2"):
        proxmox.keep("mappings", name, {"map": ["node=pve,path=0000:01:00"]})
    proxmox.keep("devices", "pve", [{"id": "0000:01:00.0"}, {"id": "0000:01:00.1"}])
    return proxmox


type Ensure = Callable[..., dict[str, Any]]


@pytest.fixture
def ensure(fake: Fake, connection: dict[str, Any], run_module: Ensure) -> Ensure:
    """Run the module with the description above, changed by the given parameters (None leaves one out)."""

    def run(check: bool = False, diff: bool = False, **changes: Any) -> dict[str, Any]:
        params = {
            key: value for key, value in (connection | DESCRIPTION | changes).items() if value is not None
        }
        return run_module("proxmox_guest", params, check=check, diff=diff)

    return run


def test_a_guest_is_cloned_configured_and_started(fake: Fake, ensure: Ensure) -> None:
    result = ensure()
    assert result["changed"] and result["created"]
    assert result["actions"] == ["clone", "configure", "resize", "start"]
    assert (result["vmid"], result["node"], result["status"]) == (103, "pve", "running")
    guest = fake.guest(103)
    config = guest["config"]
    assert (guest["name"], guest["status"]) == ("qm1", "running")
    assert (config["cores"], config["memory"], config["balloon"]) == ("2", "4096", "0")
    assert config["scsi0"] == "local-lvm:vm-103-disk-0,discard=on,size=32G"
    assert config["scsi1"] == "local-lvm:vm-103-disk-1,size=8G"
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,tag=34,firewall=1", config["net0"])
    assert "net1" not in config, "a device of the template that is not described is removed"
    assert config["hostpci0"] == "mapping=gpu,pcie=1"
    assert config["ciuser"] == "lawr"
    assert config["sshkeys"].startswith("ssh-ed25519%20AAAA") and "%2B" in config["sshkeys"]
    assert config["ipconfig0"] == "ip=198.18.34.103/16,gw=198.18.0.1"
    assert config["nameserver"] == "198.18.0.1 198.18.0.2"
    assert config["searchdomain"] == "example.net"
    assert config["tags"] == "database;hal"
    assert (config["onboot"], config["startup"], config["agent"]) == ("1", "order=2,up=30", "1")
    assert config["ciupgrade"] == "0"  # a first boot that does not wait for the internet


def test_the_second_run_changes_nothing(fake: Fake, ensure: Ensure) -> None:
    first = ensure()
    writes = fake.writes()
    second = ensure(diff=True)
    assert not second["changed"] and not second["created"]
    assert second["actions"] == [] and second["pending"] == []
    assert second["diff"]["before"] == second["diff"]["after"]
    assert second["config"] == first["config"]
    assert fake.writes() == writes


def test_other_spellings_of_the_same_configuration_are_not_changes(fake: Fake, ensure: Ensure) -> None:
    """Proxmox and its web interface order and write properties in their own way."""
    ensure()
    config = fake.guest(103)["config"]
    mac = config["net0"].partition("=")[2].partition(",")[0]
    config |= {
        "net0": f"tag=34,firewall=1,bridge=vmbr0,virtio={mac.lower()},queues=4",
        "scsi0": "local-lvm:vm-103-disk-0,size=32768M,ssd=1",
        "tags": "HAL;Database",
        "agent": "enabled=1,fstrim_cloned_disks=1",
        "startup": "up=30,order=2,down=10",
        "memory": "current=4096",
        "sshkeys": "%0A".join(key.replace(" ", "%20").replace("/", "%2F") for key in reversed(KEYS))
        + "%0A%0A",
        "nameserver": "198.18.0.1,198.18.0.2",
        "description": "Voice gateway\n",
        "ipconfig0": "gw=198.18.0.1,ip=198.18.34.103/16",
        "hostpci0": "pcie=1,mapping=gpu,rombar=1",
    }
    fake.guest(103, config=config)
    assert not ensure()["changed"]


CHANGES = [
    ({"cores": 4}, "cores", "4"),
    ({"sockets": 2}, "sockets", "2"),
    ({"memory": 8192}, "memory", "8192"),
    ({"balloon": 2048}, "balloon", "2048"),
    ({"networks": [{"bridge": "vmbr7"}]}, "net0", "bridge=vmbr7"),
    ({"networks": [{"bridge": "vmbr0", "tag": 35}]}, "net0", "tag=35"),
    ({"networks": [{"bridge": "vmbr0", "firewall": False}]}, "net0", "firewall=0"),
    ({"networks": [{"bridge": "vmbr0", "model": "e1000"}]}, "net0", "e1000="),
    ({"networks": [{"bridge": "vmbr0", "mac": "bc:24:11:aa:bb:cc"}]}, "net0", "virtio=BC:24:11:AA:BB:CC"),
    ({"networks": [{"bridge": "vmbr0"}, {"bridge": "vmbr1"}]}, "net1", "virtio,bridge=vmbr1"),
    ({"hostpci": [{"mapping": "gpu2"}]}, "hostpci0", "mapping=gpu2,pcie=1"),
    ({"hostpci": [{"device": "01:00", "primary_gpu": True}]}, "hostpci0", "0000:01:00,pcie=1,x-vga=1"),
    ({"hostpci": []}, "hostpci0", None),
    ({"cloud_init": {"user": "hal"}}, "ciuser", "hal"),
    ({"cloud_init": {"ssh_keys": KEYS[:1]}}, "sshkeys", "one%40example%0A"),
    ({"cloud_init": {"address": "198.18.34.104/16"}}, "ipconfig0", "ip=198.18.34.104/16,gw=198.18.0.1"),
    ({"cloud_init": {"gateway": "198.18.0.9", "address": "198.18.34.103/16"}}, "ipconfig0", "gw=198.18.0.9"),
    ({"cloud_init": {"nameservers": ["198.18.0.3"]}}, "nameserver", "198.18.0.3"),
    ({"cloud_init": {"search_domain": "example.org"}}, "searchdomain", "example.org"),
    ({"tags": ["hal"]}, "tags", "hal"),
    ({"tags": []}, "tags", None),
    ({"onboot": False}, "onboot", "0"),
    ({"startup": {"order": 1}}, "startup", "order=1,up=30"),
    ({"description": "Database"}, "description", "Database"),
    ({"description": ""}, "description", None),
    ({"agent": False}, "agent", "0"),
    ({"disks": {"scsi0": {"size_gib": 64}}}, "scsi0", "size=64G"),
    ({"disks": {"scsi2": {"size_gib": 5}}}, "scsi2", "size=5G"),
]


@pytest.mark.parametrize(("changes", "key", "value"), CHANGES, ids=[str(change[0]) for change in CHANGES])
def test_a_changed_setting_is_written_once(
    fake: Fake, ensure: Ensure, changes: dict[str, Any], key: str, value: Any
) -> None:
    ensure(state="present")
    before = fake.guest(103)["config"]
    checked = ensure(check=True, **changes, state="present")
    assert checked["changed"] and fake.guest(103)["config"] == before
    result = ensure(**changes, state="present")
    assert result["actions"] == checked["actions"]
    config = fake.guest(103)["config"]
    if isinstance(value, str) and key not in ("tags", "description"):
        assert value in str(config[key])
    else:
        assert config.get(key) == value
    if key == "net0" and "mac" not in changes["networks"][0]:
        assert config["net0"].partition("=")[2][:17] == before["net0"].partition("=")[2][:17], (
            "the MAC is kept"
        )
    touched = {name for name in before.keys() | config.keys() if before.get(name) != config.get(name)}
    assert touched == {key}
    assert not ensure(**changes, state="present")["changed"]


def test_a_running_guest_takes_settings_over_later_and_says_so(ensure: Ensure) -> None:
    ensure()
    changed = ensure(memory=8192)
    assert changed["pending"] == ["memory"] and changed["actions"] == ["configure"]
    again = ensure(memory=8192)
    assert not again["changed"] and again["pending"] == ["memory"]


def test_check_mode_foresees_a_new_guest_and_writes_nothing(fake: Fake, ensure: Ensure) -> None:
    result = ensure(check=True, diff=True)
    assert result["actions"] == ["clone", "configure", "resize", "start"]
    assert result["created"] and result["status"] == "running"
    assert result["diff"]["before"] == {"status": "absent"}
    assert result["diff"]["after"]["memory"] == 4096
    assert fake.guest(103) is None and fake.writes() == []


def test_the_diff_shows_what_is_described_and_no_credential(ensure: Ensure) -> None:
    ensure()
    result = ensure(diff=True, memory=8192, tags=["hal"])
    before, after = result["diff"]["before"], result["diff"]["after"]
    assert {key: (before[key], after[key]) for key in before if before[key] != after[key]} == {
        "memory": (4096, 8192),
        "tags": (["database", "hal"], ["hal"]),
    }
    assert "scsihw" not in before
    assert SECRET not in json.dumps(result)


def test_what_is_not_given_is_left_alone(fake: Fake, ensure: Ensure) -> None:
    ensure(state="present")
    before = fake.guest(103)["config"]
    bare = dict.fromkeys(set(DESCRIPTION) - {"node", "vmid", "name", "state"})
    assert not ensure(**bare, state="present")["changed"]
    assert fake.guest(103)["config"] == before


def test_power(fake: Fake, ensure: Ensure) -> None:
    assert "start" not in ensure(state="present")["actions"]
    assert ensure(state="stopped")["actions"] == []
    assert ensure(state="started", check=True)["actions"] == ["start"]
    assert fake.guest(103)["status"] == "stopped"
    assert ensure(state="started")["actions"] == ["start"]
    assert ensure(state="present")["status"] == "running"
    assert ensure(state="stopped")["actions"] == ["stop"]
    assert fake.guest(103)["status"] == "stopped"


def test_a_guest_that_does_not_shut_down_is_turned_off_by_force_alone(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    ensure()
    fake.guest(103, acpi=False)
    assert "got timeout" in refused(state="stopped")
    assert fake.guest(103)["status"] == "running"
    assert ensure(state="stopped", force=True)["status"] == "stopped"


def test_removal_needs_force(fake: Fake, ensure: Ensure, refused: Callable[..., str]) -> None:
    ensure()
    assert "force: true" in refused(state="absent")
    assert fake.guest(103)["status"] == "running"
    assert ensure(state="absent", force=True, check=True)["actions"] == ["stop", "remove"]
    assert fake.guest(103) is not None
    result = ensure(state="absent", force=True)
    assert result["actions"] == ["stop", "remove"] and result["status"] == "absent"
    assert fake.guest(103) is None
    again = ensure(state="absent", diff=True)
    assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"]


def test_a_half_done_clone_is_completed(fake: Fake, ensure: Ensure) -> None:
    """A run that ended while Proxmox was still cloning."""
    clone = TEMPLATE | {"name": "qm1", "scsi0": "local-lvm:vm-103-disk-0,size=3G", "machine": "q35"}
    fake.add_vm(103, "qm1", node="pve", config=clone, lock="clone")
    fake.unlock_later(103)
    result = ensure()
    assert result["actions"] == ["configure", "resize", "start"] and not result["created"]
    assert not ensure()["changed"]


def test_a_failed_task_leaves_a_guest_that_the_next_run_completes(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    fake.fail("POST", "/nodes/pve/qemu/103/config", 500, "storage is busy", times=1)
    assert "storage is busy" in refused()
    assert ensure()["actions"] == ["configure", "resize", "start"]


def test_an_adopted_guest_keeps_its_configuration_and_is_started(fake: Fake, ensure: Ensure) -> None:
    ensure(state="stopped")
    before = fake.guest(103)["config"]
    result = ensure(adopt=True, memory=8192, cores=1, tags=["others"])
    assert result["actions"] == ["start"]
    assert fake.guest(103)["config"] == before


def test_a_guest_that_is_missing_or_was_not_finished_is_configured_though_it_would_be_adopted(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    fake.fail("POST", "/nodes/pve/qemu/103/config", 500, "storage is busy", times=1)
    assert "storage is busy" in refused(adopt=True)
    assert ensure(adopt=True)["actions"] == ["configure", "resize", "start"]


def test_a_locked_guest_is_waited_for(fake: Fake, ensure: Ensure) -> None:
    ensure()
    fake.assign(time_scale=0.01)
    fake.backup(103, secs=40)
    assert fake.guest(103)["lock"] == "backup"
    assert ensure(memory=8192)["actions"] == ["configure"]


def test_a_guest_locked_for_good_is_reported(fake: Fake, refused: Callable[..., str], ensure: Ensure) -> None:
    ensure()
    fake.snapshot_lock(103, "clone")
    assert "locked (clone)" in (message := refused(memory=8192, timeout=1)) and "qm unlock 103" in message


def test_a_configuration_locked_for_a_moment_is_tried_again(fake: Fake, ensure: Ensure) -> None:
    ensure(state="present")
    fake.fail("POST", "/nodes/pve/qemu/103/status/start", 500, "VM is locked (backup)", times=2)
    assert ensure()["actions"] == ["start"]


def test_a_failed_task_shows_the_last_line_of_its_log(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    ensure(state="present")
    fake.guest(103, start_error="no such device: 0000:01:00.0")
    assert refused() == "The Proxmox task qmstart failed: no such device: 0000:01:00.0"


def test_a_task_that_takes_too_long_is_reported(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    ensure(state="present")
    fake.assign(time_scale=1)
    fake.guest(103, start_secs=60)
    assert "qmstart has not ended in time" in refused(timeout=1)


def test_a_clone_that_fails_is_explained(fake: Fake, refused: Callable[..., str]) -> None:
    disk = {"content": "images", "format": "raw", "size": 3 * 1024**3, "vmid": 9000}
    volumes = {"base-9000-disk-0": disk}
    full = {"type": "lvmthin", "active": 1, "content": "images", "avail": 1024, "volumes": volumes}
    full["files"] = []
    fake.assign(storages={"local-lvm": full})
    assert "task qmclone failed: clone failed" in (message := refused()) and "No space left" in message
    assert fake.guest(103) is None


def test_a_cluster_without_quorum_is_explained(fake: Fake, refused: Callable[..., str]) -> None:
    fake.lose_quorum()
    assert "no quorum" in refused()


def test_messages(fake: Fake, refused: Callable[..., str]) -> None:
    """Each cause is named, with what to do or what there is instead."""
    assert "refused the token ansible@pve!ansible (401)" in refused(api_token_secret="wrong")
    password = {
        "api_token_id": None,
        "api_token_secret": None,
        "api_password": "wrong",
        "api_user": "root@pam",
    }
    assert "refused the user root@pam (401)" in refused(**password)
    assert "is not trusted" in (message := refused(ca_path=None)) and "ca_path" in message
    assert "Cannot read ca_path" in refused(ca_path="/nonexistent/ca.pem")
    assert "Node 'pve2' does not exist. The cluster has: pve." in refused(node="pve2")
    assert "There is no template 'debian-12'. The cluster has: debian-13-cloud (9000)." in refused(
        template="debian-12"
    )
    assert "give the template" in refused(template=None)
    assert "Storage 'ceph' does not exist" in (message := refused(storage="ceph")) and "local-lvm" in message
    assert "Storage 'local' does not exist" in refused(storage="local"), "it does not take disks"
    assert "cannot shrink" in refused(disks={"scsi0": {"size_gib": 2}})
    assert fake.writes() == ["POST /api2/json/access/ticket"], (
        "nothing is made when a description cannot be met"
    )


def test_an_unreachable_api_is_named(refused: Callable[..., str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    message = refused(api_port=port)
    assert f"127.0.0.1:{port} cannot be reached" in message and "refused" in message


def test_a_number_that_is_taken_is_left_alone(fake: Fake, refused: Callable[..., str]) -> None:
    fake.add_vm(103, "precious", node="pve")
    fake.container(104, "dns", node="pve")
    assert "taken by the guest 'precious'" in refused()
    assert "taken by the guest 'precious'" in refused(state="absent", force=True)
    assert "taken by a container (dns)" in refused(vmid=104)
    assert "is a template" in refused(vmid=9000, name="debian-13-cloud", state="absent", force=True)
    assert fake.guest(103)["config"] == {"name": "precious"} and fake.writes() == []


def test_missing_permission_is_named(fake: Fake, refused: Callable[..., str]) -> None:
    fake.grant("ansible@pve", "/vms", "VM.Audit")
    fake.grant("ansible@pve", "/storage", "Datastore.Audit")
    message = refused()
    assert "(403)" in message and "VM.Clone" in message and "token ansible@pve!ansible" in message


def test_a_guest_out_of_sight_is_not_touched(fake: Fake, refused: Callable[..., str]) -> None:
    fake.add_vm(103, "precious", node="pve")
    fake.grant("ansible@pve", "/vms/9000", "VM.Audit", "VM.Clone")
    fake.grant("ansible@pve", "/vms/103", "VM.Allocate")
    fake.grant("ansible@pve", "/storage", "Datastore.Audit", "Datastore.AllocateSpace")
    assert "taken by a guest that the token" in refused()


def test_a_growing_disk_is_refused_to_shrink(fake: Fake, ensure: Ensure, refused: Callable[..., str]) -> None:
    ensure()
    assert "has 32 GiB, and Proxmox cannot shrink a disk to the 16" in refused(
        disks={"scsi0": {"size_gib": 16}}
    )
    assert "size=32G" in fake.guest(103)["config"]["scsi0"]


def test_a_cloud_init_drive_is_added_where_the_template_has_none(fake: Fake, ensure: Ensure) -> None:
    fake.guest(9000, config={key: value for key, value in TEMPLATE.items() if key != "ide2"})
    ensure()
    assert fake.guest(103)["config"]["ide2"].startswith("local-lvm:")


def test_a_disk_on_another_storage_is_not_moved(ensure: Ensure) -> None:
    ensure()
    result = ensure(disks={"scsi0": {"size_gib": 32, "storage": "ceph"}})
    assert not result["changed"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vmid": 99}, "from 100"),
        ({"name": "no name"}, "not a host name"),
        ({"disks": {"disk0": {"size_gib": 3}}}, "'disk0' is not the name of a disk"),
        ({"disks": {"scsi0": {"size": 3}}}, "needs size_gib"),
        ({"disks": {"scsi0": {"size_gib": "3G"}}}, "whole GiB"),
        ({"cloud_init": {"address": "198.18.34.103"}}, "no prefix length"),
        ({"cloud_init": {"address": "198.18.34.999/16"}}, "198.18.34.999"),
        ({"cloud_init": {"gateway": "gate"}}, "gate"),
        ({"hostpci": [{"pcie": True}]}, "one of the following is required: device, mapping"),
        ({"api_token_secret": None}, "required together"),
    ],
)
def test_bad_parameters_are_refused_before_any_request(
    refused: Callable[..., str], changes: dict[str, Any], message: str
) -> None:
    assert message in refused(**changes, api_host="127.0.0.254", api_port=9)


def test_the_documentation_covers_every_option(run_module: Ensure, refused: Callable[..., str]) -> None:
    refused(vmid=1)  # imports the module
    module = sys.modules["proxmox_guest"]
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert documented.keys() == module.ARGUMENT_SPEC.keys()
    for name, option in documented.items():
        spec = module.ARGUMENT_SPEC[name]
        assert option["type"] == spec["type"] and option.get("default") == spec.get("default")
        assert option.get("required", False) == spec.get("required", False)
        assert (option.get("suboptions") or {}).keys() == (spec.get("options") or {}).keys()
    assert yaml.safe_load(module.EXAMPLES) and yaml.safe_load(module.RETURN)
