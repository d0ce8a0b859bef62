"""proxmox_health against a fake Proxmox API that runs as its own process."""

from __future__ import annotations

import pytest
from tests.conftest import ModuleFailed
from tests.ports import free_port
from tests.unit.checks.servers import garbage, tcp_server

SECRET = "3e1f7e0a-0f6c-4f5e-9a55-6d1f0a9c8b7d"
GIB = 1 << 30
DISKS = {"type": "lvmthin", "content": "images", "vgname": "pve", "thinpool": "data", "files": []}


@pytest.fixture
def fake(proxmox):
    """The fake with one node and two guests, of which one runs."""
    proxmox.reset()
    proxmox.assign(apitokens={"hal@pve!ansible": SECRET})
    proxmox.add_vm(103, "qm1", node="pve", status="running")
    proxmox.add_vm(120, "ubuai", node="pve")
    return proxmox


@pytest.fixture
def health(fake, proxmox_certificate, run_module):
    def run(check: bool = False, **options) -> dict:
        connection = {
            "api_host": "127.0.0.1",
            "api_port": fake.port,
            "api_user": "hal@pve",
            "api_token_id": "ansible",
            "api_token_secret": SECRET,
            "ca_path": str(proxmox_certificate[0]),
            "node": "pve",
            "guests": [103],
        }
        return run_module("proxmox_health", connection | options, check=check)

    return run


@pytest.mark.parametrize("check", [False, True])
def test_a_node_that_is_well_is_told(health, check):
    result = health(check=check, max_memory_percent=99)
    assert (result["ok"], result["changed"], result["remedy"]) == (True, False, "")
    assert "pve is online, 1 guests run, the fullest of 2 storages is at 0 %" in result["message"]
    assert result["version"].count(".") == 2
    assert result["details"]["guests"] == {"103": "running"}
    assert result["details"]["certificate_days"] > 14


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"guests": [103, 120]}, "guest 120 (ubuai) is stopped. Start it: `qm start 120` on pve"),
        ({"guests": [103, 999]}, "there is no guest 999. Run playbooks/provision.yml"),
        ({"max_memory_percent": 1}, "node pve uses 25 % of its memory, more than 1 %. Give its guests less"),
        ({"min_certificate_days": 9999}, "more days, less than 9999. Renew it: `pvecm updatecerts"),
        ({"node": "pve9"}, "Node 'pve9' does not exist. The cluster has: pve."),
        ({"api_token_secret": "wrong"}, "refused the token hal@pve!ansible (401)"),
        ({"ca_path": None}, "is not trusted"),
        ({"ca_path": "/nonexistent.pem"}, "Cannot read ca_path"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(health, options, message):
    with pytest.raises(ModuleFailed) as failure:
        health(**options)
    result = failure.value.result
    assert message in result["msg"] and result["ok"] is False
    assert SECRET not in str(result)


def test_a_storage_that_is_full_or_gone_is_named(health, fake):
    full = DISKS | {"active": 1, "total": 100 * GIB, "avail": 10 * GIB}
    fake.assign(
        storages={"local-lvm": full | {"volumes": {"x": {"size": 90 * GIB}}}, "nfs": DISKS | {"active": 0}}
    )
    with pytest.raises(ModuleFailed) as failure:
        health()
    message = failure.value.result["msg"]
    assert "storage local-lvm is 90 % full, above 85 %" in message
    assert "storage nfs is not active" in message
    assert "`pvesm list local-lvm` on pve" in message and "`pvesm status` on pve" in message
    assert "storage local-lvm" not in health(max_storage_percent=95, fail_on_fault=False)["message"]


def test_everything_that_is_wrong_is_said_at_once(health):
    result = health(guests=[120, 999], min_certificate_days=9999, fail_on_fault=False)
    assert result["ok"] is False
    assert all(part in result["message"] for part in ("guest 120", "no guest 999", "certificate"))


def test_a_node_that_is_off_is_said(health, fake):
    fake.add_node("pve2", online=False)
    with pytest.raises(ModuleFailed, match=r"Node 'pve2' is offline\. Start it"):
        health(node="pve2")


def test_an_api_that_is_not_there_is_said(health):
    with pytest.raises(ModuleFailed, match="cannot be reached"):
        health(api_port=free_port())


def test_what_is_no_api_is_said(health):
    with tcp_server(garbage) as port, pytest.raises(ModuleFailed, match=f"127.0.0.1:{port}"):
        health(api_port=port)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_that_need_not_be_trusted_is_not_judged(health):
    result = health(validate_certs=False, min_certificate_days=9999)
    assert result["ok"] and "certificate_days" not in result["details"]
