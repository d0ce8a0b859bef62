"""playbooks/validate.yml and the wiring of the variables, run by Ansible itself; no host is contacted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SECRETS = {
    "network_proxmox_password": "a password",
    "network_proxy_certificate": "a certificate",
    "network_backup_certificate": "a certificate",
    "network_gateway_certificate": "a certificate",
    "network_ai_certificate": "a certificate",
    "network_monitoring_certificate": "a certificate",
    "network_backup_secret": "a secret",
    "network_ca_certificate": "a certificate",
    "network_device_tokens": {"mac": "a token", "checks": "another"},
}


@pytest.fixture
def inventory(tmp_path):
    """Return a copy of the lab's inventory as a fresh checkout has it: without secrets."""
    return shutil.copytree(
        ROOT / "inventories/lab",
        tmp_path / "lab",
        ignore=shutil.ignore_patterns("secrets.yml", "profile.yml"),
    )


def ansible(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs in the project's directory."""
    module = {"ansible": "adhoc", "ansible-playbook": "playbook"}[program]
    command = [sys.executable, "-m", "ansible", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def validate(inventory):
    """Validate the inventory, with further variables."""

    def run(**variables: Any) -> subprocess.CompletedProcess[str]:
        extra = ["-e", json.dumps(variables)] if variables else []
        return ansible("ansible-playbook", "-i", str(inventory), "playbooks/validate.yml", *extra)

    return run


def test_the_lab_is_valid_once_it_has_its_secrets(validate):
    done = validate(**SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "services on 5 hosts, no fault" in done.stdout


def test_a_checkout_without_secrets_is_told_each_of_them(validate):
    done = validate()
    assert done.returncode == 2
    assert f"{len(SECRETS)} fault(s)" in done.stdout
    for name in SECRETS:
        assert f"group_vars/all/secrets.yml: the secret {name} is missing" in done.stdout


@pytest.mark.parametrize(
    ("name", "network", "sentence"),
    [
        ("network_administrator_networks", "nonsense", "has 'nonsense', which is no network"),
        ("network_trusted_networks", "0.0.0.0/0", "has 0.0.0.0/0, which holds addresses of the internet"),
    ],
)
def test_one_fault_stops_the_play_with_its_sentence_alone(validate, name, network, sentence):
    done = validate(**SECRETS, **{name: [network]})
    assert done.returncode == 2
    assert "1 fault(s)" in done.stdout
    assert f"group_vars/all/network.yml: {name} {sentence}" in done.stdout


def test_a_mode_that_does_not_exist_is_a_fault_like_any_other(validate):
    done = validate(**SECRETS, hal_listener_mode="ghost")
    assert done.returncode == 2
    assert "1 fault(s)" in done.stdout
    assert (
        "group_vars/all/network.yml: hal_listener_mode is 'ghost'; it can be gateway, phantom" in done.stdout
    )


def test_old_names_stop_the_play_before_anything_else_in_one_list(validate, inventory):
    variables = inventory / "group_vars/all/network.yml"
    text = variables.read_text()
    variables.write_text(text.replace("network_router:", "network_gateway:"))
    assert variables.read_text() != text
    (inventory / "host_vars").mkdir()
    (inventory / "host_vars/ubuai.yml").write_text("gpu_driver_repository: https://127.0.0.1/cuda\n")
    done = validate(**SECRETS, network_administrators=["198.18.0.1/32"])
    assert done.returncode == 2
    assert "network_gateway → network_router" in done.stdout
    assert "network_administrators → network_administrator_networks" in done.stdout
    assert "gpu_driver_repository → delete it" in done.stdout
    assert "(set for ubuai)" in done.stdout
    assert "Fail if the inventory has faults" not in done.stdout


def test_old_names_stop_a_run_of_some_hosts_and_of_some_roles_too(inventory):
    arguments = ["-i", str(inventory), "playbooks/configure.yml", "--limit", "nas", "--tags", "haproxy"]
    done = ansible("ansible-playbook", *arguments, "-e", "network_gateway=198.18.0.1")
    assert done.returncode == 2
    assert "network_gateway → network_router" in done.stdout
    assert "PLAY [Configure" not in done.stdout


@pytest.fixture
def no_server(inventory):
    """Return an inventory without a backup server, whose AI server has what is on that otherwise."""
    hosts = inventory / "hosts.yml"
    content = yaml.safe_load(hosts.read_text())
    groups = content["all"]["children"]["managed_hosts"]["children"]
    groups["backup_servers"] = {}
    groups["monitoring_servers"] = {"hosts": {"ubuai": {}}}
    hosts.write_text(yaml.safe_dump(content))
    return inventory


STORE = {
    "network_backup_store": "sftp:hal@198.18.70.11:/volume/hal",
    "network_backup_store_host_key": "ssh-ed25519 " + "A" * 68,
}


def test_a_store_takes_the_place_of_a_backup_server(validate, no_server):
    given = {name: value for name, value in SECRETS.items() if name != "network_backup_certificate"}
    done = validate(**given, **STORE)
    assert done.returncode == 0, done.stdout + done.stderr
    playbook = ["-i", str(no_server), "playbooks/configure.yml", "-e", json.dumps(given | STORE)]
    listed = ansible("ansible-playbook", *playbook, "--list-hosts").stdout
    first = listed.partition("Configure on the download servers")[2].partition("play #")[0]
    assert "ubuai" in first and "haproxy" not in first, listed


def test_a_store_beside_a_backup_server_and_one_without_credentials_are_faults(validate):
    done = validate(**SECRETS, network_backup_store="s3:https://198.18.70.11/hal")
    assert done.returncode == 2 and "2 fault(s)" in done.stdout
    assert "network_backup_store is set, and the group backup_servers has nas" in done.stdout
    assert "the secret network_backup_store_access is missing" in done.stdout


def test_the_backup_server_logs_in_with_its_own_key_where_off_site_copies_go(inventory):
    told = SECRETS | {
        "network_backup_offsite": "sftp:hal@away:/hal/",
        "network_backup_offsite_host_key": "a key",
    }
    arguments = [
        "nas",
        "-i",
        str(inventory),
        "--playbook-dir",
        "playbooks",
        "-c",
        "local",
        "-e",
        json.dumps(told),
    ]
    ssh = "{{ backup_server_ssh.host }}/{{ backup_server_ssh.key[:26] }}"
    shown = f"{{{{ backup_server_offsite }}}}/{ssh}/{{{{ backup_ssh }}}}"
    done = ansible("ansible", *arguments, "-m", "ansible.builtin.debug", "-a", f"msg={shown}")
    assert "sftp:hal@away:/hal/away/-----BEGIN EC PRIVATE KEY-/{}" in done.stdout, done.stdout + done.stderr


def test_no_secret_is_printed(validate):
    done = validate(**SECRETS | {"network_proxmox_password": "tell-nobody"}, network_subnets=[])
    assert done.returncode == 2
    assert "tell-nobody" not in done.stdout + done.stderr


def test_a_host_without_an_address_is_named(validate, inventory):
    hosts = inventory / "hosts.yml"
    text = hosts.read_text()
    hosts.write_text(text.replace("mac: {address: 198.18.60.10}", "mac: {}"))
    assert hosts.read_text() != text
    done = validate(**SECRETS)
    assert done.returncode == 2
    assert "hosts.yml: the address of mac is '', which is no IPv4 address" in done.stdout


@pytest.mark.parametrize(
    ("mode", "port", "lock", "gateway"),
    [("gateway", 8767, "engine", "present"), ("phantom", 8768, "phantom", "absent")],
)
def test_the_mode_decides_what_qm_serves_and_whether_there_is_a_gateway(inventory, mode, port, lock, gateway):
    arguments = ["qm1", "-i", str(inventory), "--playbook-dir", "playbooks", "-c", "local"]
    arguments += ["-e", json.dumps(SECRETS | {"hal_listener_mode": mode}), "-m", "ansible.builtin.debug"]
    done = ansible("ansible", *arguments, "-a", "msg={{ openqm_port }}/{{ qm_lock }}/{{ gateway_state }}")
    assert f"{port}/{lock}/{gateway}" in done.stdout, done.stdout + done.stderr


def test_a_client_gets_the_environment_from_the_inventory(inventory):
    arguments = ["mac", "-i", str(inventory), "--playbook-dir", "playbooks", "-c", "local"]
    arguments += ["-e", json.dumps(SECRETS), "-m", "ansible.builtin.debug", "-a", "var=client_environment"]
    done = ansible("ansible", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"PROXMOX_HOST": "127.0.0.2"' in done.stdout and '"PROXMOX_USER": "root"' in done.stdout
    assert '"HAL_GATEWAY_URL": "wss://haproxy"' in done.stdout
    assert SECRETS["network_proxmox_password"] not in done.stdout
