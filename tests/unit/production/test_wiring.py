"""What the catalogue becomes on the production hosts: flows, proxy, connection and machines."""

from __future__ import annotations

import pytest
from ansible.module_utils.own_files import is_ours

ADMINISTRATORS = "127.1.99.7/32"
CLIENTS = "127.1.60.0/24"
PROXY, QM, AI, NAS = "127.1.50.100", "127.1.34.103", "127.1.10.20", "127.1.70.10"
CONNECTION = {
    "ansible_connection": "psrp",
    "ansible_port": 5986,
    "ansible_become": False,
    "ansible_shell_type": "powershell",
    "ansible_psrp_protocol": "https",
    "ansible_psrp_cert_validation": "validate",
    "proxmox_vm_answers": "psrp",
    "proxmox_vm_cloud_init": {},
}
OTHERS = (
    "firewall_rules", "base_hosts", "network_reach_hosts", "proxmox_vm_adopt", "proxmox_vm_template",
    "haproxy_backends", "proxmox_vm_disk_gib", "proxmox_vm_data_disks", "data_disks_disks", "ollama_models",
    "firewall_known_ports", "ansible_managed",
)  # fmt: skip


@pytest.fixture(scope="module")
def hosts(filled):
    """Return what the hosts' roles are told."""
    return filled.variables(*CONNECTION, *OTHERS)


@pytest.fixture
def rules(hosts):
    """Return the flows that a host lets in, {(port, from)}."""
    return lambda host: {(rule["port"], rule["from"]) for rule in hosts[host]["firewall_rules"]}


def test_the_qm_server_lets_in_clients_the_proxy_and_administrators(rules):
    expected = {(3389, ADMINISTRATORS), (5986, ADMINISTRATORS), (8768, CLIENTS), (8769, PROXY)}
    assert rules("qm1") == expected | {(8769, NAS)}  # it has no node exporter


def test_the_linux_hosts_let_in_what_the_catalogue_says(rules, filled):
    asked = {(port, host) for port in (9001, 11435) for host in (QM, NAS)} | {(9001, PROXY)}
    asked |= {(9000, CLIENTS), (11434, CLIENTS)}
    assert rules("ubuai") == asked | {(filled.ssh_port, ADMINISTRATORS), (9100, NAS)}
    served = {(2222, ADMINISTRATORS), *((port, CLIENTS) for port in (80, 443, 8768))}
    assert rules("haproxy") == served | {(port, NAS) for port in (443, 8405, 9100)}


def test_what_templates_write_is_known_as_hals_own(hosts):
    assert all(is_ours(told["ansible_managed"].encode()) for told in hosts.values())


def test_ports_that_are_closed_on_purpose_are_known(hosts, filled):
    known = {(one["port"], one["protocol"]) for one in hosts["ubuai"]["firewall_known_ports"]}
    assert known >= {(filled.ssh_port, "tcp"), (5000, "tcp"), (9000, "tcp"), (11434, "tcp")}


def test_a_client_without_a_fixed_address_is_nobodys_target(hosts):
    assert hosts["mac"]["ansible_connection"] == "local"
    assert "mac" not in hosts["nas"]["base_hosts"]
    assert "mac" not in [host["name"] for host in hosts["nas"]["network_reach_hosts"]]


def test_a_windows_host_is_reached_by_remoting_with_its_certificate_checked(hosts):
    assert {name: hosts["qm1"][name] for name in CONNECTION} == CONNECTION
    reached = {host["name"]: (host["kind"], host["port"]) for host in hosts["nas"]["network_reach_hosts"]}
    assert (reached["qm1"], reached["haproxy"]) == (("psrp", 5986), ("ssh", 2222))


def test_machines_that_exist_are_adopted_and_new_ones_fully_described(hosts):
    machine = hosts["ubuai"]
    assert (machine["proxmox_vm_adopt"], machine["proxmox_vm_template"]) == (True, "debian-13-cloud")
    cloud_init = machine["proxmox_vm_cloud_init"]
    assert (cloud_init["address"], cloud_init["gateway"]) == (f"{AI}/24", "127.1.10.1")
    assert cloud_init["nameservers"] == ["127.1.10.1"]


def test_the_proxy_leads_to_the_production_hosts(hosts):
    backends = {backend["name"]: backend["servers"] for backend in hosts["haproxy"]["haproxy_backends"]}
    assert backends["qm_voice_gateway"] == [{"name": "qm1", "address": QM, "port": 8769}]
    assert backends["hal_speech"] == [{"name": "ubuai", "address": AI, "port": 9001}]


def test_a_new_machine_gets_the_disks_that_its_description_states(hosts):
    ubuai = hosts["ubuai"]
    assert ubuai["proxmox_vm_disk_gib"] == 48
    assert ubuai["proxmox_vm_data_disks"] == [{"name": "models", "gib": 64}]
    assert [disk["path"] for disk in ubuai["data_disks_disks"]] == ["/var/lib/ollama"]
    assert hosts["qm1"]["data_disks_disks"] == []


def test_the_size_of_a_model_is_nothing_that_its_hosts_are_told(hosts):
    models = hosts["ubuai"]["ollama_models"]
    assert models and all(model.keys() == {"name", "digest"} for model in models)


def test_the_backup_server_is_a_machine_of_its_own_that_is_made(hosts):
    assert hosts["nas"]["proxmox_vm_template"] == "debian-13-cloud"
    assert hosts["nas"]["proxmox_vm_data_disks"] == [{"name": "store", "gib": 128}]
