"""production-init: what it asks, what it writes, and what it never does."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import pkcs12
from production.inventory import Inventory
from production.secrets import complete, write_windows_certificate

from hal.network.authority import Authority
from hal.network.certificates import authority_of, server_fault
from hal.network.store import store_ssh_key

from .conftest import ANSWERS, PRODUCTION, ROOT

pytestmark = pytest.mark.slow


def test_the_files_survive_a_change_but_for_the_change(production):
    form = Inventory(production.inventory)
    assert [file.text() for file in form.files] == [file.path.read_text() for file in form.files]
    before = form.hosts.path.read_text()
    form.hosts.put(form.host("qm1"), "vmid", 105)
    form.write()
    assert form.hosts.path.read_text() == before.replace("vmid: 0", "vmid: 105", 1)


def test_the_answers_stand_where_they_belong(production):
    done = production.init(client="127.1.60.10", gpu="amd", listener_mode="phantom", qm1_machine="WIN-QM")
    assert done.returncode == 0, done.stderr
    hosts = production.variables(
        "ansible_host", "proxmox_vm_name", "proxmox_vm_id", "network_subnets", "network_gpu",
        "hal_listener_mode", "network_administrator_key", "ansible_password", "network_proxmox_api",
    )  # fmt: skip
    qm1 = hosts["qm1"]
    assert (hosts["mac"]["ansible_host"], hosts["haproxy"]["proxmox_vm_id"]) == ("127.1.60.10", 100)
    assert (qm1["proxmox_vm_name"], qm1["ansible_password"]) == ("WIN-QM", ANSWERS["windows_password"])
    assert qm1["network_subnets"][-2:] == ["127.1.70.0/24", "127.1.60.0/24"]
    assert (qm1["network_gpu"], qm1["hal_listener_mode"]) == ("amd", "phantom")
    assert qm1["network_administrator_key"] == ANSWERS["administrator_key"]
    assert qm1["network_proxmox_api"]["token_secret"] == ANSWERS["proxmox_token_secret"]


def test_an_inventory_with_old_names_is_told_the_new_ones_and_is_left_as_it_is(production):
    variables = production.inventory / "group_vars/all/network.yml"
    variables.write_text(
        variables.read_text().replace("network_administrator_networks:", "network_administrators:")
    )
    hosts = production.inventory / "hosts.yml"
    hosts.write_text(hosts.read_text() + "    elsewhere: {vars: {network_gateway: 127.1.0.1}}\n")
    (production.inventory / "host_vars").mkdir()
    (production.inventory / "host_vars/qm1.yml").write_text("network_administrator: lawr\n")
    before = production.files()
    done = production.init()
    assert done.returncode == 1
    for line in (
        "network_administrators → network_administrator_networks (set in group_vars/all/network.yml)",
        "network_administrator → network_administrator_user (set in host_vars/qm1.yml)",
        "network_gateway → network_router (set in hosts.yml)",
    ):
        assert line in done.stderr
    assert production.files() == before


def test_secrets_are_strong_private_and_encrypted(production):
    assert production.init().returncode == 0
    vault = production.vault
    assert vault.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    private = [vault, *production.local.glob("*")]
    assert {path.name for path in private} == {
        "vault.yml", "vault-password", "ca.crt",
        "qm1-127.1.34.103.pfx", "qm1-127.1.34.103.pfx-password",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert production.local.stat().st_mode & 0o777 == 0o700
    held = production.opened().read()
    assert held["network_windows_password"] == ANSWERS["windows_password"]
    assert len(held["network_device_tokens"]["mac"]) >= 40
    assert held["network_proxy_certificate"].count("BEGIN") == 2


def test_no_secret_is_printed_or_stands_in_a_plain_file(production):
    done = production.init()
    held = production.opened().read()
    secrets = [value for value in held.values() if isinstance(value, str) and "CERTIFICATE-" not in value]
    secrets += held["network_device_tokens"].values()
    plain = done.stdout + done.stderr
    plain += "".join(
        path.read_text() for path in production.inventory.rglob("*.yml") if path.name != "vault.yml"
    )
    assert secrets and not [secret for secret in secrets if secret in plain]


def test_a_second_run_keeps_every_secret_and_changes_nothing(initialised):
    before = initialised.files()
    done = initialised.init(proxmox_token_secret=None, windows_password=None)
    assert done.returncode == 0, done.stderr
    assert initialised.files() == before


def test_a_certificate_for_windows_is_made_anew_when_it_is_due_and_only_then(initialised):
    file = initialised.local / "qm1-127.1.34.103.pfx"
    first = file.read_bytes()
    initialised.init()
    assert file.read_bytes() == first
    held = initialised.opened().read()
    file.unlink()
    soon = timedelta(minutes=20)  # of an hour and 20 minutes
    write_windows_certificate(held, initialised.local, "qm1", "127.1.34.103", soon)
    due = file.read_bytes()
    done = initialised.init()
    assert file.read_bytes() not in (first, due) and "import it on the QM server" in done.stdout
    password = file.with_suffix(".pfx-password").read_bytes().strip()
    _, certificate, _ = pkcs12.load_key_and_certificates(file.read_bytes(), password)
    assert certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=800)


@pytest.mark.parametrize("password", [None, b"of another file"])
def test_a_certificate_for_windows_whose_password_is_gone_is_kept_and_the_answers_are_too(
    initialised, password
):
    file = initialised.local / "qm1-127.1.34.103.pfx"
    first = file.read_bytes()
    file.with_suffix(".pfx-password").unlink()
    if password:
        file.with_suffix(".pfx-password").write_bytes(password)
    done = initialised.init(gpu="amd")
    assert done.returncode == 0, done.stderr
    assert f"{file}: kept; {file.name}-password is not there or does not open it" in done.stdout
    assert file.read_bytes() == first
    assert Inventory(initialised.inventory).models.content["network_gpu"] == "amd"


def test_a_stop_halfway_leaves_no_certificate_for_windows_that_cannot_be_opened(tmp_path, monkeypatch):
    held = complete({}, {}, [])
    named = (held, tmp_path, "qm1", "127.1.34.103")
    write_windows_certificate(*named, timedelta(minutes=20))  # due at once

    def stop(path, data):
        if path.suffix == ".pfx":
            raise KeyboardInterrupt
        path.write_bytes(data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("production.secrets.write_private", stop)
        write_windows_certificate(*named)
    assert "import it" in write_windows_certificate(*named)
    assert write_windows_certificate(*named) == ""


@pytest.mark.parametrize("key", [None, Authority.create("HAL household").key_pem.decode()])
def test_an_authority_whose_key_is_elsewhere_is_kept_with_what_it_has_issued(initialised, key):
    held = initialised.opened().read()
    del held["network_ca_key"]
    held |= {"network_ca_key": key} if key else {}
    initialised.opened().write(held)
    (initialised.local / "qm1-127.1.34.103.pfx").unlink()
    done = initialised.init()
    assert done.returncode == 0, done.stderr
    assert initialised.opened().read() == held
    assert "network_ca_key is not in the vault, or is another authority's" in done.stdout


def test_every_server_that_encrypts_has_a_certificate_for_its_names(initialised):
    held = initialised.opened().read()
    for variable, names in {
        "network_gateway_certificate": ["qm1", "127.1.34.103"],
        "network_ai_certificate": ["ubuai", "127.1.10.20"],
    }.items():
        assert not server_fault(held[variable], authority_of(held), names)


def test_a_proxy_at_another_address_gets_other_certificates_and_nothing_else_changes(initialised):
    before = initialised.opened().read()
    initialised.init(haproxy_address="127.1.50.101")
    after = initialised.opened().read()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"network_proxy_certificate", "network_monitoring_certificate"}


def test_a_second_proxy_gets_a_certificate_and_a_secret_that_both_share(initialised):
    hosts, network = initialised.inventory / "hosts.yml", initialised.inventory / "group_vars/all/network.yml"
    described = hosts.read_text()
    for line in ("haproxy2:", "address: 127.1.50.101", "vmid: 101", "machine: {name: haproxy2,"):
        assert described.count(f"# {line}" if line == "haproxy2:" else f"#   {line}") == 1
        described = described.replace(f"# {line}", line).replace(f"#   {line}", f"  {line}")
    hosts.write_text(described)
    network.write_text(network.read_text().replace('address: ""', "address: 127.1.50.99", 1))
    done = initialised.init()
    assert done.returncode == 0, done.stderr
    held = initialised.opened().read()
    names = ["haproxy", "haproxy2", "hal", "127.1.50.100", "127.1.50.101", "127.1.50.99"]
    assert not server_fault(held["network_proxy_certificate"], authority_of(held), names)
    proxies = initialised.variables(
        "keepalived_state", "keepalived_peers", "keepalived_priority", "keepalived_secret"
    )
    assert proxies["haproxy"] == {
        "keepalived_state": "present",
        "keepalived_peers": ["127.1.50.101"],
        "keepalived_priority": 200,
        "keepalived_secret": held["network_vrrp_secret"],
    }
    assert len(held["network_vrrp_secret"]) == 8
    assert proxies["haproxy2"]["keepalived_priority"] == 199


def test_the_certificate_for_windows_opens_with_the_password_beside_it(initialised):
    file = initialised.local / "qm1-127.1.34.103.pfx"
    password = file.with_suffix(".pfx-password").read_bytes().strip()
    key, certificate, _ = pkcs12.load_key_and_certificates(file.read_bytes(), password)
    assert key.public_key() == certificate.public_key()


def test_proxmox_may_make_the_token_later(production):
    assert production.init(proxmox_token_secret=None).returncode == 0
    assert "network_proxmox_token_secret" not in production.opened().read()
    (production.local / "proxmox-token").write_text("made-by-proxmox\n")
    assert production.variables("network_proxmox_api")["qm1"]["network_proxmox_api"]["token_secret"] == (
        "made-by-proxmox"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"qm1_address": "127.1.300.1"}, "qm1_address: '127.1.300.1' is no IPv4 address"),
        ({"nas_address": None}, "nas_address: this needs an answer"),
        ({"qm1_vmid": 7}, "qm1_vmid: '7' is no number of a machine in Proxmox; they begin at 100"),
        ({"gpu": "intel"}, "gpu: 'intel' is none of auto, nvidia, amd, none"),
        ({"client_networks": "127.1.60.1/24"}, "client_networks: 127.1.60.1/24 has host bits set"),
        ({"administrator_networks": None}, "administrator_networks: this needs an answer"),
        (
            {"administrator_networks": "0.0.0.0/0"},
            "administrator_networks: 0.0.0.0/0, which holds addresses of the internet: name networks of the "
            "house, such as 192.168.1.0/24, or one computer, such as 192.168.1.7/32",
        ),
        (
            {"trusted_networks": "127.1.60.0/24, 8.0.0.0/8"},
            "trusted_networks: 8.0.0.0/8, which holds addresses of the internet: name networks of the house",
        ),
        ({"trusted_networks": "::/0"}, "trusted_networks: Expected 4 octets in '::'; write networks as"),
        ({"administrator_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "that is a private key"),
        ({"qm2_address": "127.1.1.1"}, "qm2_address: no such question"),
        ({"mode": 0o644}, "it holds secrets, and others may read it: chmod 600"),
    ],
)
def test_a_wrong_answer_is_named_and_nothing_is_written(production, change, sentence):
    before = production.files()
    done = production.init(**change)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert production.files() == before


def test_a_vault_that_is_not_encrypted_is_refused(production):
    production.vault.write_text("network_windows_password: plain\n")
    done = production.init()
    assert done.returncode == 1 and "its password is not in" in done.stderr
    done = production.init("--vault-password-file", str(production.inventory.parent / "password"))
    assert done.returncode == 1 and "its password is not in" in done.stderr
    (production.inventory.parent / "password").write_text("x\n")
    done = production.init("--vault-password-file", str(production.inventory.parent / "password"))
    assert done.returncode == 1 and "is not encrypted" in done.stderr
    assert production.vault.read_text() == "network_windows_password: plain\n"


def test_another_password_does_not_touch_the_vault(initialised):
    before = initialised.vault.read_bytes()
    initialised.password.write_text("another\n")
    done = initialised.init()
    assert done.returncode == 1 and "was encrypted with another password" in done.stderr
    assert initialised.vault.read_bytes() == before


def test_git_would_not_list_the_secrets():
    names = ["vault.yml", "files/qm1.pfx", "proxmox-ca.pem", "group_vars/all/ca.key", "vault-password"]
    paths = [str(PRODUCTION / name) for name in names]
    kept = [str(PRODUCTION / "hosts.yml"), str(PRODUCTION / "group_vars/all/network.yml")]
    ignored = subprocess.run(
        ["git", "check-ignore", *paths, *kept], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert ignored == paths


def test_a_linux_host_that_exists_can_be_the_backup_server_and_a_machine_again(production):
    done = production.init(backup_server="host", nas_vmid=None)
    assert done.returncode == 0, done.stderr
    hosts = yaml.safe_load((production.inventory / "hosts.yml").read_text())["all"]["children"]
    managed = hosts["managed_hosts"]["children"]
    assert managed["backup_servers"]["hosts"]["nas"] == {"address": ANSWERS["nas_address"]}
    assert "backup_servers" not in managed["virtual_machines"]["children"]
    assert production.variables("ansible_host")["nas"]["ansible_host"] == ANSWERS["nas_address"]
    done = production.init(backup_server="machine")
    assert done.returncode == 0, done.stderr
    assert production.variables("proxmox_vm_id", "proxmox_vm_template")["nas"] == {
        "proxmox_vm_id": 110,
        "proxmox_vm_template": "debian-13-cloud",
    }


def test_the_number_of_a_backup_server_that_is_made_is_asked_for(production):
    done = production.init(nas_vmid=None)
    assert done.returncode == 1 and "nas_vmid: this needs an answer" in done.stderr


STORE = {"backup_server": "store", "nas_address": None, "nas_vmid": None}
SFTP = STORE | {
    "backup_store": "sftp:hal@127.1.70.11:/volume/hal",
    "backup_store_host_key": "ssh-ed25519 " + "B" * 68,
}


def test_a_store_that_exists_takes_the_place_of_the_backup_server_and_back(production):
    done = production.init(**SFTP)
    assert done.returncode == 0, done.stderr
    secret = production.opened().read()["network_backup_secret"]
    for host in ("qm1", "haproxy", "ubuai"):  # who has backups, and who maintains them
        assert f"restrict {store_ssh_key(host, secret)['public']}" in done.stdout
    variables = production.variables(
        "backup_repository",
        "backup_ssh",
        "network_download_servers",
        "network_backup_keepers",
        "data_disks_disks",
    )
    assert "nas" not in variables
    qm1, ubuai = variables["qm1"], variables["ubuai"]
    assert qm1["backup_repository"] == f"{SFTP['backup_store']}/qm1"
    assert (qm1["backup_ssh"]["user"], qm1["backup_ssh"]["host"]) == ("hal", "127.1.70.11")
    assert qm1["backup_ssh"]["key"] == store_ssh_key("qm1", secret)["private"]
    assert ubuai["network_download_servers"] == ubuai["network_backup_keepers"] == ["ubuai"]
    assert [disk["path"] for disk in ubuai["data_disks_disks"]] == ["/var/lib/ollama", "/srv"]
    done = production.init(backup_server="machine")
    assert done.returncode == 0, done.stderr
    variables = production.variables("backup_repository", "network_backup_keepers", "data_disks_disks")
    assert "127.1.70.10:8000/qm1/" in variables["qm1"]["backup_repository"]
    assert variables["nas"]["network_backup_keepers"] == ["nas"]
    assert [disk["path"] for disk in variables["ubuai"]["data_disks_disks"]] == ["/var/lib/ollama"]


def test_the_credentials_of_a_store_go_into_the_vault_alone(production):
    access = {"user": "hal", "password": "a-secret-key"}
    done = production.init(
        **STORE,
        backup_store="s3:https://127.1.70.11:9000/hal",
        backup_store_user=access["user"],
        backup_store_password=access["password"],
    )
    assert done.returncode == 0, done.stderr
    assert production.opened().read()["network_backup_store_access"] == access
    assert not [
        path
        for path, text in production.files().items()
        if b"a-secret-key" in text and path != production.answers
    ]
    variables = production.variables("backup_access", "backup_repository", "backup_server_access")
    assert variables["haproxy"]["backup_access"] == access
    assert variables["haproxy"]["backup_repository"] == "s3:https://127.1.70.11:9000/hal/haproxy"


def test_an_address_that_is_no_store_is_refused(production):
    done = production.init(**STORE, backup_store="nfs://127.1.70.11/hal")
    assert done.returncode == 1 and "begins with none of sftp:, s3: and rest:" in done.stderr
