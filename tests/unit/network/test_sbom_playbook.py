"""playbooks/sbom.yml on this machine, which stands for the hosts: valid documents, written again the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.unit.modules.test_installed_software import install

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
DIGEST = "0f" * 32


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Return a copy of the lab's inventory in which the QM server runs Windows."""
    inventory = shutil.copytree(
        ROOT / "inventories/lab",
        tmp_path / "lab",
        ignore=shutil.ignore_patterns("secrets.yml", "profile.yml"),
    )
    hosts = inventory / "hosts.yml"
    content = yaml.safe_load(hosts.read_text())
    content["all"]["children"]["managed_hosts"]["children"]["windows_hosts"] = {"hosts": {"qm1": {}}}
    hosts.write_text(yaml.safe_dump(content))
    return inventory


def run(inventory: Path, directory: Path, *options: str) -> str:
    """Run the playbook with this machine for every host; return what it printed."""
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "sbom_directory": str(directory / "sbom"),
        "sbom_root": str(directory / "hal"),
    }
    command = [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        "-i",
        str(inventory),
        "playbooks/sbom.yml",
        *options,
    ]
    done = subprocess.run(
        [*command, "-e", json.dumps(variables)],
        cwd=ROOT, env=os.environ | {"LAB_OLLAMA_CHECKSUM": DIGEST},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_linux_host_and_each_lock_has_a_valid_document_and_a_second_run_the_same(
    inventory: Path, tmp_path: Path
) -> None:
    install(tmp_path / "hal", "gateway", "new", "httpx-0.28.1")
    said = run(inventory, tmp_path)
    assert "Not read: pve, qm1. Windows hosts and Proxmox cannot be read." in said
    written = {str(path.relative_to(tmp_path / "sbom")): path for path in tmp_path.glob("sbom/*/*")}
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert written.keys() == {f"hosts/{host}.cdx.json" for host in ("haproxy", "mac", "nas", "ubuai")} | {
        f"locks/{lock}.cdx.json" for lock in locks
    }
    texts = {name: path.read_text() for name, path in written.items()}
    for text in texts.values():
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    nas, ubuai = (json.loads(texts[f"hosts/{host}.cdx.json"])["components"] for host in ("nas", "ubuai"))
    purls = {one.get("purl", "") for one in nas}
    assert "pkg:pypi/httpx@0.28.1" in purls
    if shutil.which("dpkg-query"):
        assert any(purl.startswith("pkg:deb/") and "/dpkg@" in purl for purl in purls)
    added = {one["name"]: one for one in ubuai if one.get("purl", "") not in purls}
    assert added.keys() == {"ollama", "whisper-tiny.en", "en_US-joe-medium", "smollm2:135m"}
    assert added["ollama"]["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]

    run(inventory, tmp_path, "--limit", "localhost,nas")
    assert {name: path.read_text() for name, path in written.items()} == texts
