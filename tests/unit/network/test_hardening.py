"""The lines that keep a unit from what it does not need."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hal.network.hardening import hardening

ROOT = Path(__file__).parents[3]
STORE = "s3:https://192.0.2.1/bucket"


def exposure(directory, lines):
    """Return what systemd weighs a unit with these lines as, tenfold."""
    unit = directory / "tried.service"
    unit.write_text(f"[Service]\nExecStart=/bin/true\nUser=tried\n{lines}\n")
    return weighed(unit)


def weighed(unit):
    """Return what systemd finds of a unit, which fails if it is exposed above 2.0."""
    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_unit_adds_to_the_lines_and_replaces_them():
    lines = hardening({"PrivateDevices": "no", "ReadWritePaths": "/srv", "LimitNOFILE": 100}).splitlines()
    assert lines.count("PrivateDevices=no") == 1 and "PrivateDevices=yes" not in lines
    assert "LimitNOFILE=100" in lines
    assert "ReadWritePaths=/srv" in lines and "NoNewPrivileges=yes" in lines
    assert "SystemCallFilter=@system-service" in lines and "SystemCallFilter=~@privileged @resources" in lines


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this computer")
@pytest.mark.parametrize(
    "own", [{}, {"SystemCallFilter": ["@system-service", "~@privileged"], "PrivateDevices": "no"}]
)
def test_systemd_finds_a_service_with_them_little_exposed(own, tmp_path):
    weighed = exposure(tmp_path, hardening(own))
    assert weighed.returncode == 0, weighed.stdout + weighed.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this computer")
def test_systemd_finds_a_service_without_them_exposed(tmp_path):
    assert exposure(tmp_path, "").returncode != 0


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this computer")
@pytest.mark.parametrize(
    ("role", "unit", "variables"),
    [
        ("artifacts", "hal-archive-names", {}),
        ("backup_server", "restic-rest-server", {}),
        ("backup_server", "restic-rest-server@", {"backup_server_packaged": True}),
        ("backup_server", "hal-backup-ages", {}),
        ("backup_server", "hal-backup-maintenance", {"backup_server_offsite": "/mnt/disk"}),
        ("backup_server", "hal-backup-maintenance", {"backup_server_store": STORE}),
    ],
)
def test_systemd_finds_the_unit_of_a_role_little_exposed(role, unit, variables, tmp_path):
    written = tmp_path / f"{unit}.service"
    (tmp_path / "variables.json").write_text(json.dumps(variables))
    arguments = f"src={ROOT}/roles/{role}/templates/{unit}.service.j2 dest={written}"
    command = ["ansible", "localhost", "-c", "local", "-m", "ansible.builtin.template", "-a", arguments]
    for file in ("defaults", "vars"):
        if (path := ROOT / f"roles/{role}/{file}/main.yml").exists():
            command += ["-e", f"@{path}"]
    command += ["-e", f"@{tmp_path}/variables.json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = weighed(written)
    assert found.returncode == 0, found.stdout + found.stderr
