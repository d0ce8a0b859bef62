"""The archive and the command line in it."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile

import zstandard
from lab.ollama import build


def unpacked(packed: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(zstandard.decompress(packed)))


def test_the_archive_is_reproducible_and_tells_nothing_of_this_machine():
    files = build.own_files()
    packed = build.archive(files)
    assert packed == build.archive(dict(reversed(files.items())))
    with unpacked(packed) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == sorted(files)
    assert all((m.mtime, m.uid, m.gid, m.uname, m.gname) == (0, 0, 0, "", "") for m in members)
    assert [m.name for m in members if m.mode == 0o755] == ["bin/ollama"]
    assert "lib/ollama/stand_in/cli.py" in files


def test_the_launcher_finds_its_modules_through_a_link(tmp_path):
    with unpacked(build.archive(build.own_files())) as tar:
        tar.extractall(tmp_path, filter="data")
    link = tmp_path / "ollama"
    link.symlink_to(tmp_path / "bin" / "ollama")
    environment = {"OLLAMA_HOST": "127.0.0.1:1", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(link), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert run("--version").stdout.startswith("ollama version is ")
    failed = run("list")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: could not connect to the server at http://127.0.0.1:1")
    assert not list(tmp_path.rglob("__pycache__"))
