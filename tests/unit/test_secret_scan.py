"""A secret that somebody is about to commit is named, and what was accepted is not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests import secret_scan

PASSWORD = "network_windows_password: " + "Zm9ydHktdHdv" + "Kx7"
KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # it changes the directory
    subprocess.run(["git", "init", "--quiet"], check=True)
    (tmp_path / ".gitignore").write_text(".cache/\nignored.yml\n")
    (tmp_path / "network.yml").write_text("network_timezone: Europe/Berlin\n")
    return tmp_path


def lines(checkout: Path, accepted: secret_scan.Found | None = None) -> list[str]:
    return secret_scan.unknown(secret_scan.scan(checkout, checkout / ".cache/scan.json"), accepted or {})


def test_a_file_that_git_does_not_ignore_is_searched(checkout: Path) -> None:
    assert lines(checkout) == []
    for name in ("network.yml", "ignored.yml"):
        (checkout / name).write_text(f"network_timezone: UTC\n{PASSWORD}\n")
    (checkout / "key").write_text(KEY)
    assert sorted(lines(checkout)) == [
        "key:1: looks like a secret (Private Key)",
        "network.yml:2: looks like a secret (Secret Keyword)",
    ]


def test_what_was_accepted_is_none_wherever_it_stands_in_its_file(checkout: Path) -> None:
    (checkout / "network.yml").write_text(f"{PASSWORD}\n")
    accepted = secret_scan.scan(checkout, checkout / ".cache/scan.json")
    (checkout / "network.yml").write_text(f"\n\n{PASSWORD}\n")
    assert lines(checkout, accepted) == []
    (checkout / "other.yml").write_text(f"{PASSWORD}\n")
    assert lines(checkout, accepted) == ["other.yml:1: looks like a secret (Secret Keyword)"]


def test_what_was_accepted_of_this_project_is_told_by_checksums_alone() -> None:
    for secrets in json.loads(secret_scan.KNOWN.read_text()).values():
        assert all(set(one) == {"type", "filename", "hashed_secret"} for one in secrets)
