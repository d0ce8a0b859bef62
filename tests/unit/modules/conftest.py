"""A directory of tiny wheels that stands for the package index; how proxmox_guest reaches the fake API."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.conftest import Fake

from .ufw_host import host  # noqa: F401 - a fixture

SECRET = "3e1f7e0a-0f6c-4f5e-9a55-6d1f0a9c8b7d"
TOKENS = {"ansible@pve!ansible": SECRET}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")

type Manage = Callable[..., dict[str, Any]]


def mode(path: Path) -> int:
    """Return the permissions of a path itself, not of what it may link to."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def connection(proxmox: Fake, proxmox_certificate: tuple[Path, Path]) -> dict[str, Any]:
    """Return the options with which a module logs in with the token of TOKENS."""
    return {
        "api_host": "127.0.0.1",
        "api_port": proxmox.port,
        "api_user": "ansible@pve",
        "api_token_id": "ansible",
        "api_token_secret": SECRET,
        "ca_path": str(proxmox_certificate[0]),
    }


@pytest.fixture
def refused(ensure: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    """Run the module as the test's `ensure` does, and return why it failed, which tells no secret."""

    def run(**changes: Any) -> str:
        with pytest.raises(Exception) as failure:
            ensure(**changes)
        assert SECRET not in json.dumps(failure.value.result)
        message: str = failure.value.result["msg"]
        return message

    return run


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory, the only place that pip takes wheels from during the test."""
    directory = tmp_path / "index"
    directory.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return directory


@pytest.fixture
def make_wheel(index: Path) -> Callable[..., str]:
    """Write a wheel with one module and return the line of a lock that pins it."""

    def make(name: str, content: str, tag: str = "py3-none-any") -> str:
        path = index / f"{name}-1.0-{tag}.whl"
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}.py", content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{info}/RECORD", "")
        return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    return make


@pytest.fixture
def manage(run_module: Callable[..., dict[str, Any]]) -> Manage:
    """Run the module with entries as its action hands them over."""

    def run(
        *entries: dict[str, Any], check: bool = False, diff: bool = False, **params: Any
    ) -> dict[str, Any]:
        contents, files = b"", []
        for entry in entries:
            given = {key: str(value) if isinstance(value, Path) else value for key, value in entry.items()}
            if "content" in given:
                content = given.pop("content")
                content = content if isinstance(content, bytes) else content.encode()
                contents += content
                given["size"] = len(content)
            files.append(given)
        packed = base64.b64encode(zlib.compress(contents)).decode()
        return run_module(
            "managed_files", {"files": files, "contents": packed, **params}, check=check, diff=diff
        )

    return run
