"""proxmox_guest in a cluster whose nodes come and go, and guests made anew, against a fake Proxmox API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.conftest import Fake
from tests.unit.modules.conftest import TOKENS

TEMPLATE = {"scsi0": "local-lvm:base-9000-disk-0,size=3G", "ide2": "local-lvm:vm-9000-cloudinit,media=cdrom"}
CLOUD_INIT = {"user": "lawr", "ssh_keys": ["ssh-ed25519 AAAA"], "address": "198.18.34.103/16"}
LOCAL = {
    "type": "lvmthin",
    "active": 1,
    "content": "images,rootdir",
    "avail": 2**40,
    "volumes": {},
    "files": [],
}
SHARED = LOCAL | {"type": "nfs", "shared": 1}

type Ensure = Callable[..., dict[str, Any]]


@pytest.fixture
def cluster(proxmox: Fake) -> Fake:
    """Three nodes, the first two with a template of the same name on their own storage."""
    proxmox.reset()
    proxmox.assign(apitokens=TOKENS, storages={"local-lvm": dict(LOCAL), "nas": dict(SHARED)})
    proxmox.add_vm(9000, "debian-13-cloud", node="pve", template=True, config=TEMPLATE)
    proxmox.add_vm(9001, "debian-13-cloud", node="pve2", template=True, config=TEMPLATE)
    proxmox.add_node("pve3")
    return proxmox


@pytest.fixture
def ensure(cluster: Fake, connection: dict[str, Any], run_module: Ensure) -> Ensure:
    """Run the module for guest 103 of node pve, with further parameters."""

    def run(check: bool = False, **changes: Any) -> dict[str, Any]:
        described = {
            "node": "pve",
            "vmid": 103,
            "name": "qm1",
            "template": "debian-13-cloud",
            "cores": 2,
            "cloud_init": CLOUD_INIT,
            "state": "started",
        }
        return run_module("proxmox_guest", connection | described | changes, check=check, diff=True)

    return run


def identity(fake: Fake) -> str:
    """Return what tells a guest from one of the same number that was made later."""
    uuid: str = fake.guest(103)["config"]["smbios1"]
    return uuid


def test_a_guest_is_made_on_its_own_node_while_that_is_up(cluster, ensure):
    assert ensure()["node"] == "pve"
    assert cluster.guest(103)["node"] == "pve"


def test_a_lost_guest_is_made_on_another_node_when_its_own_is_down(cluster, ensure):
    cluster.set_node_offline("pve")
    foreseen = ensure(check=True)
    assert cluster.guest(103) is None
    result = ensure()
    for each in (foreseen, result):
        assert (each["node"], each["created"]) == ("pve2", True)
        assert each["actions"] == ["clone", "configure", "start"]
    guest = cluster.guest(103)
    assert (guest["node"], guest["name"], guest["status"]) == ("pve2", "qm1", "running")
    assert guest["config"]["ipconfig0"] == "ip=198.18.34.103/16"
    assert (guest["config"]["ciuser"], guest["config"]["cores"]) == ("lawr", "2")


def test_the_guest_stays_where_it_was_made_when_its_own_node_returns(cluster, ensure):
    cluster.set_node_offline("pve")
    ensure()
    cluster.set_node_offline("pve", False)
    again = ensure()
    assert (again["node"], again["changed"]) == ("pve2", False)
    assert ensure(onboot=True)["actions"] == ["configure"]
    assert cluster.guest(103)["config"]["onboot"] == "1"


def test_a_template_on_shared_storage_serves_every_node(cluster, ensure):
    cluster.set_node_offline("pve")
    cluster.set_node_offline("pve2")
    cluster.add_vm(9002, "debian-13-cloud", node="pve4", template=True, config={"scsi0": "nas:base,size=3G"})
    cluster.set_node_offline("pve3")
    cluster.add_node("pve5")
    result = ensure(template="9002", cloud_init=None)
    assert result["node"] == "pve4", "the node that has the template comes first"
    cluster.set_node_offline("pve5", False)
    ensure(template="9002", cloud_init=None, state="absent", force=True)
    assert ensure(template="9002", cloud_init=None, node="pve5")["node"] == "pve5"


def test_no_other_node_has_what_is_needed(cluster, refused):
    for node in ("pve", "pve2"):
        cluster.set_node_offline(node)
    message = refused()
    assert "Node 'pve' is offline, and guest 103 (qm1) cannot be made on another one" in message
    assert "On pve3: template debian-13-cloud (9000) is on pve, which is offline" in message
    assert "(9001) is on pve2, which is offline" in message and "playbooks/hypervisor.yml" in message
    cluster.set_node_offline("pve3")
    assert "There is no other that is online" in refused()
    assert cluster.guest(103) is None and cluster.writes() == []


def test_a_template_that_another_node_cannot_reach_is_named(cluster, refused):
    cluster.guest(9000, node="pve3")
    message = refused(template="9000")
    assert "template debian-13-cloud (9000) is on pve3, and local-lvm is not shared with pve" in message
    cluster.guest(9000, config={"scsi0": "nas:base-9000,size=3G"})
    assert "local-lvm is not shared with pve" in refused(template="9000", storage="local-lvm")
    assert cluster.writes() == []


def test_a_storage_that_a_node_lacks_is_named_with_those_it_has(cluster, refused):
    message = refused(storage="fast")
    assert "Storage 'fast' does not exist on node pve" in message and "These do: local-lvm, nas." in message
    assert "machine.storage in hosts.yml" in message
    cluster.assign(storages={"local-lvm": LOCAL | {"nodes": "pve"}, "nas": dict(SHARED)})
    cluster.set_node_offline("pve")
    message = refused(storage="local-lvm")
    assert "On pve2: Storage 'local-lvm' does not exist on node pve2" in message and "do: nas." in message


def test_a_template_that_is_missing_is_named_with_those_there_are(refused):
    message = refused(template="debian-14")
    assert "There is no template 'debian-14'. The cluster has: debian-13-cloud (9000)" in message
    assert "playbooks/hypervisor.yml" in message and "machine.template in hosts.yml" in message


def test_a_guest_on_a_node_that_is_down_is_never_doubled(cluster, ensure, refused):
    ensure()
    before = identity(cluster)
    writes = cluster.writes()
    cluster.set_node_offline("pve")
    for wish in ({}, {"rebuild": True, "force": True}):
        message = refused(**wish)
        assert "Guest 103 (qm1) exists on node pve, which is offline" in message
        assert "Start pve and run again" in message
        assert "a living node (pve2, pve3)" in message
        assert "mv /etc/pve/nodes/pve/qemu-server/103.conf" in message
    assert identity(cluster) == before and cluster.writes() == writes


@pytest.mark.parametrize(
    ("device", "there"),
    [
        (
            {"mapping": "gpu"},
            {"mappings": ("gpu", {"map": ["node=pve,path=0000:01:00", "node=pve2,path=0000:02:00"]})},
        ),
        ({"device": "01:00"}, {"devices": ("pve2", [{"id": "0000:01:00.0"}, {"id": "0000:01:00.1"}])}),
    ],
)
def test_a_node_without_the_device_that_is_passed_through_is_passed_over(
    cluster, ensure, refused, device, there
):
    cluster.keep("mappings", "gpu", {"map": ["node=pve,path=0000:01:00"]})
    cluster.keep("devices", "pve2", [{"id": "0000:00:1f.0"}])
    cluster.set_node_offline("pve")
    message = refused(hostpci=[device])
    assert re.search(
        "On pve2: (Node pve2 has no PCI device 0000:01:00|.*'gpu'.* has no device of node pve2)", message
    )
    for table, (key, value) in there.items():
        cluster.keep(table, key, value)
    assert ensure(hostpci=[device])["node"] == "pve2"


def test_a_guest_is_made_anew_only_with_rebuild_and_force(cluster, ensure, refused):
    ensure()
    first = identity(cluster)
    assert "destroys its disks. Set force: true" in refused(rebuild=True)
    assert ensure(force=True)["changed"] is False
    foreseen = ensure(check=True, rebuild=True, force=True)
    assert identity(cluster) == first
    result = ensure(rebuild=True, force=True)
    for each in (foreseen, result):
        assert each["actions"] == ["stop", "remove", "clone", "configure", "start"] and each["created"]
    assert identity(cluster) != first
    assert cluster.guest(103)["config"]["ipconfig0"] == "ip=198.18.34.103/16"
    assert not ensure()["changed"]


def test_rebuilding_what_does_not_exist_makes_it(cluster, ensure):
    result = ensure(rebuild=True, force=True)
    assert result["actions"] == ["clone", "configure", "start"] and cluster.guest(103)["status"] == "running"


def test_a_rebuilt_guest_stays_in_the_jobs_of_the_cluster(cluster, ensure):
    ensure()
    ensure(rebuild=True, force=True)
    ensure(state="absent", force=True)
    rebuilt, removed = cluster.logs("qmdestroy")
    assert not any("related configurations" in line for line in rebuilt)
    assert any("related configurations" in line for line in removed)


@pytest.mark.parametrize("lacking", [{"template": "debian-14"}, {"storage": "fast"}, {"node": "pve3"}])
def test_nothing_is_destroyed_for_what_cannot_be_made(cluster, ensure, refused, lacking):
    ensure()
    before = identity(cluster)
    assert refused(rebuild=True, force=True, **lacking)
    assert identity(cluster) == before and cluster.guest(103)["status"] == "running"


def test_a_guest_that_proxmox_protects_is_not_even_stopped(cluster, ensure, refused):
    ensure()
    cluster.guest(103, config=cluster.guest(103)["config"] | {"protection": 1})
    assert "protected from removal" in refused(rebuild=True, force=True)
    assert cluster.guest(103)["status"] == "running"


def test_another_guest_of_that_number_is_not_rebuilt(cluster, refused):
    cluster.add_vm(103, "precious", node="pve")
    assert "taken by the guest 'precious'" in refused(rebuild=True, force=True)
    assert cluster.guest(103)["name"] == "precious"


def test_a_clone_that_was_not_configured_is_known_as_unfinished(cluster, ensure, refused):
    cluster.fail("POST", "/nodes/pve/qemu/103/config", 500, "storage is busy", times=1)
    assert "storage is busy" in refused()
    assert "ipconfig0" not in cluster.guest(103)["config"]
    bare = ensure(check=True, cores=None, cloud_init=None, state="present")
    assert bare["created"], "whoever only asks is told so"
    result = ensure()
    assert result["created"] and result["actions"] == ["configure", "start"]
    assert "description" not in cluster.guest(103)["config"]
    assert not ensure()["created"]
