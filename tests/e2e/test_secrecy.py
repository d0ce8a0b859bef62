"""No secret shows anywhere it should not, and the lab stays inside its own network."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from lab import network

PROJECT = Path(__file__).resolve().parents[2]
HOSTS = ["qm1", "ubuai", "haproxy", "nas", "mac"]


@pytest.fixture(scope="session")
def secrets() -> list[str]:
    """Return every secret of the lab; of a key, a line of its middle."""
    variables = yaml.safe_load(network.SECRETS.read_text())
    keys = [network.STATE / "id_ed25519", network.STATE / "pve.key"]
    texts = [text for text in variables.values() if isinstance(text, str)]
    private = [found[1] for text in texts if (found := re.search(r"PRIVATE KEY-----\n(.+)\n", text))]
    private += [path.read_text().splitlines()[1] for path in keys]
    # Of the authority, of five kinds of servers, and the lab's own two.
    assert len(private) == 8
    passwords = [variables[name] for name in ("network_proxmox_password", "network_backup_secret")]
    return [*passwords, *variables["network_device_tokens"].values(), *private]


def found(secrets: list[str], text: str) -> list[str]:
    """Return the beginnings of the secrets that a text holds."""
    return [secret[:4] for secret in secrets if secret in text]


@pytest.mark.parametrize("host", HOSTS)
def test_no_secret_in_a_journal_or_process_list(host, on, secrets):
    shown = on(host, "journalctl --no-pager; ps -eo args; cat /var/log/*.log 2>/dev/null").stdout
    assert len(shown) > 1000
    assert found(secrets, shown) == []


@pytest.mark.parametrize("host", HOSTS)
def test_no_secret_in_a_file_that_everybody_can_read(host, on, secrets):
    readable = "find /etc /opt/hal /var/lib /home /tmp -xdev -type f -perm -o=r -size -200k"
    command = f"{readable} -exec cat {{}} + 2>/dev/null"
    assert found(secrets, on(host, command).stdout) == []


def test_no_secret_on_the_controller(secrets):
    written = [*network.STATE.glob("*.log"), *PROJECT.glob("reports/**/*")]
    logs = "".join(path.read_text(errors="replace") for path in written if path.is_file())
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    tracked = subprocess.run(
        ["git", "log", "-p", "--all"], cwd=PROJECT, capture_output=True, check=True
    ).stdout
    assert found(secrets, logs + processes + tracked.decode(errors="replace")) == []


def test_keys_and_secrets_are_private_and_ignored():
    for path in (
        network.SECRETS,
        network.STATE / "id_ed25519",
        network.STATE / "pve.key",
        network.STATE / "pve.password",
    ):
        assert path.stat().st_mode & 0o777 == 0o600, path
        ignored = subprocess.run(["git", "check-ignore", "-q", str(path)], cwd=PROJECT, check=False)
        assert ignored.returncode == 0, path


def test_the_lab_is_reached_only_inside_its_network(lab):
    listing = subprocess.run(
        ["podman", "ps", "--filter", f"label={lab.label}", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [container["Ports"] for container in json.loads(listing) if container["Ports"]] == []
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    proxmox = [
        line.split()[3] for line in listening.splitlines() if line.split()[3].endswith(f":{network.API_PORT}")
    ]
    assert proxmox == [f"{network.api_address()}:{network.API_PORT}"]


def test_the_lab_fits_into_six_gibibytes(lab):
    used = subprocess.run(
        ["podman", "stats", "--no-stream", "--format", "json"], capture_output=True, text=True, check=True
    ).stdout
    units = {"kB": 1e3, "MB": 1e6, "GB": 1e9}
    total = 0.0
    for container in json.loads(used):
        if container["name"].startswith(f"hal-{lab.identity}-"):
            number, unit = re.match(r"([\d.]+)(\w+)", container["mem_usage"].split(" / ")[0]).groups()
            total += float(number) * units[unit]
    assert 0 < total < 6 * 2**30
