"""The role speech fetches a model that comes as files, each by its checksum."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
FILES = {"config.json": b"{}\n", "model.bin": b"weights"}


@pytest.fixture
def install(tmp_path):
    """Install the model from a server on loopback; return the exit code, the output and the directory."""
    served, models = tmp_path / "served", tmp_path / "models"
    for directory in (served, models):
        directory.mkdir()
    for name, content in FILES.items():
        (served / name).write_bytes(content)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def run(**contents):
        checksums = {
            name: hashlib.sha256(content).hexdigest() for name, content in (FILES | contents).items()
        }
        model = {
            "name": "whisper",
            "url": f"http://127.0.0.1:{server.server_address[1]}",
            "path": ".",
            "files": {name: f"sha256:{value}" for name, value in checksums.items()},
        }
        role = {"ansible.builtin.include_role": {"name": "speech", "tasks_from": "install"}}
        variables = {"speech_model": model, "speech_voice": {}, "speech_models_directory": str(models)}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables}
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play | {"tasks": [role]}]))
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml")],
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, models / "whisper"

    yield run
    server.shutdown()
    server.server_close()


def test_the_files_stand_side_by_side_and_a_second_run_changes_nothing(install):
    code, said, directory = install()
    assert code == 0, said
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == FILES
    code, said, _ = install()
    assert code == 0 and "changed=0" in said, said


def test_a_file_that_is_another_one_stops_the_run(install):
    code, said, directory = install(**{"model.bin": b"other weights"})
    assert code == 2 and "is another file than declared" in " ".join(said.split())
    assert not (directory / "model.bin").exists()
