"""installed_software: what dpkg has installed, and what the current releases hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOCK = "httpx==0.28.1 --hash=sha256:" + "0f" * 32 + "\n"
TOLD = [
    "installed\tgit\t1:2.47.3-0+deb13u1\tamd64\tgit\t1:2.47.3-0+deb13u1",
    "config-files\tnano\t8.4-1\tamd64\tnano\t8.4-1",
    "installed\tlibssl3t64\t3.5.1-1\tamd64\topenssl\t3.5.1-1",
]


def install(root: Path, service: str, release: str, *distributions: str) -> Path:
    """Make the current release of a service, as python_release does, and return its directory."""
    directory = root / service / "releases" / release
    for name in distributions:
        info = directory / "lib/python3.13/site-packages" / f"{name}.dist-info"
        info.mkdir(parents=True)
        written, version = name.split("-")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {written}\nVersion: {version}\n")
    (directory / "requirements.txt").write_text(LOCK)
    link = root / service / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases", release))
    return directory


@pytest.fixture
def dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a dpkg-query onto the path that tells TOLD, and return it."""
    program = tmp_path / "bin/dpkg-query"
    program.parent.mkdir()
    (tmp_path / "told").write_text("\n".join(TOLD) + "\n")
    program.write_text(f"#!/bin/sh\n/bin/cat {tmp_path}/told\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_the_installed_packages_are_told_and_not_those_that_left_settings_behind(
    run_module: Callable[..., dict[str, Any]], dpkg: Path, tmp_path: Path
) -> None:
    told = run_module("installed_software", {"root": str(tmp_path / "none")}, check=True)
    assert not told["changed"] and told["releases"] == []
    assert [(one["name"], one["version"], one["source"]) for one in told["packages"]] == [
        ("git", "1:2.47.3-0+deb13u1", "git"),
        ("libssl3t64", "3.5.1-1", "openssl"),
    ]


def test_of_each_service_the_current_release_is_told_and_no_earlier_one(
    run_module: Callable[..., dict[str, Any]], dpkg: Path, tmp_path: Path
) -> None:
    install(tmp_path / "hal", "gateway", "old", "httpx-0.27.0", "h11-0.16.0")
    install(tmp_path / "hal", "gateway", "new", "httpx-0.28.1")
    (tmp_path / "hal/models").mkdir()
    (release,) = run_module("installed_software", {"root": str(tmp_path / "hal")})["releases"]
    assert release == {
        "path": str(tmp_path / "hal/gateway"),
        "distributions": [{"name": "httpx", "version": "0.28.1"}],
        "requirements": LOCK,
    }


def test_a_host_without_dpkg_has_no_debian_packages(
    run_module: Callable[..., dict[str, Any]], dpkg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible.module_utils.basic.get_bin_path", lambda *_, **__: _raise())
    assert run_module("installed_software", {"root": str(tmp_path)})["packages"] == []


def _raise() -> str:
    raise ValueError("there is none")


def test_a_dpkg_that_fails_is_told(
    run_module: Callable[..., dict[str, Any]], dpkg: Path, tmp_path: Path
) -> None:
    dpkg.write_text("#!/bin/sh\necho 'the database is locked' >&2; exit 2\n")
    with pytest.raises(Exception, match="the database is locked"):
        run_module("installed_software", {"root": str(tmp_path)})
