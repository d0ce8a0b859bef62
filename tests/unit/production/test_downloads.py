"""What the production hosts are told to install from is what the backup server keeps, and nothing outside."""

from __future__ import annotations

import re

import pytest

NAS = "http://127.1.70.10:8080"
KEPT = ("artifacts_downloads", "artifacts_models", "artifacts_registry")
TOLD = (
    "ollama_archive_url", "ollama_archive_checksum", "ollama_registry", "ollama_models",
    "speech_model", "speech_voice", "backup_server_release",
    "python_service_windows_python", "python_service_windows_shawl", "backup_restic", "base_apt_proxy",
)  # fmt: skip


@pytest.fixture(scope="module")
def hosts(filled):
    """Return what the hosts' roles are told."""
    return filled.variables(*KEPT, *TOLD)


@pytest.fixture(scope="module")
def kept(hosts):
    """Return the checksums of the files that the backup server keeps, by the address that it has."""
    files = hosts["nas"]["artifacts_downloads"]
    return {f"{NAS}/downloads/{file['path']}": file["checksum"] for file in files}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("qm1", "python_service_windows_python"),
        ("qm1", "python_service_windows_shawl"),
        ("qm1", "backup_restic"),
    ],
)
def test_windows_installers_come_from_the_backup_server(hosts, kept, host, name):
    told = hosts[host][name]
    assert kept[told["url"]] == f"sha256:{told['sha256']}"


def test_ollamas_archive_comes_from_the_backup_server(hosts, kept):
    told = hosts["ubuai"]
    assert kept[told["ollama_archive_url"]] == told["ollama_archive_checksum"]


def test_the_release_of_the_backup_server_comes_from_itself(hosts, kept):
    told = hosts["nas"]["backup_server_release"]
    assert kept[told["url"]] == told["checksum"]


def test_every_file_of_the_speech_model_comes_from_the_backup_server(hosts, kept):
    model = hosts["ubuai"]["speech_model"]
    assert model["files"]
    assert {name: kept[f"{model['url']}/{name}"] for name in model["files"]} == model["files"]


def test_language_models_are_kept_by_the_digest_that_the_ai_server_demands(hosts):
    told, kept = hosts["ubuai"], hosts["nas"]
    assert told["ollama_registry"] == NAS
    assert kept["artifacts_registry"].startswith("https://")
    assert kept["artifacts_models"] == told["ollama_models"]
    assert all(re.fullmatch("[0-9a-f]{64}", model["digest"]) for model in told["ollama_models"])


def test_no_host_is_told_to_fetch_anything_from_outside(hosts):
    told = [{name: values[name] for name in TOLD} for values in hosts.values()]
    found = set(re.findall(r"https?://[^/'\"]+", str(told)))
    assert found == {NAS, "http://127.1.70.10:3142"}


def test_packages_come_from_the_backup_server_but_its_own(hosts):
    proxies = {host: values["base_apt_proxy"] for host, values in hosts.items()}
    assert proxies.pop("nas") == ""
    assert set(proxies.values()) == {"http://127.1.70.10:3142"}
