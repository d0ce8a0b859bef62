"""The lines that keep a unit from what it does not need."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from tests.templates import rendered

from hal.network.hardening import LISTS, PACKAGED, hardening, hardening_drop_in, proxy_needs

STORE = "s3:https://192.0.2.1/bucket"


def exposure(directory, lines):
    """Return what systemd weighs a unit with these lines as, tenfold."""
    unit = directory / "tried.service"
    unit.write_text(f"[Service]\nExecStart=/bin/true\nUser=tried\n{lines}\n")
    return weighed(unit)


def weighed(unit, most=20):
    """Return what systemd finds of a unit, which fails if it is exposed to more than a tenth of `most`."""
    command = [
        "systemd-analyze",
        "security",
        "--no-pager",
        "--offline=true",
        f"--threshold={most}",
        str(unit),
    ]
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


# The most that a household's own sections of haproxy.cfg may ask for.
DEMANDING = """
backend own
    source 0.0.0.0 usesrc clientip
    option external-check
    server one 192.0.2.1:80 namespace blue
"""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this computer")
@pytest.mark.parametrize("unit", PACKAGED)
def test_systemd_finds_a_unit_of_the_distribution_with_its_drop_in_exposed_to_4_at_most(unit, tmp_path):
    written = tmp_path / f"{unit}.service"
    written.write_text("[Service]\nExecStart=/bin/true\n" + hardening_drop_in(unit))
    assert weighed(written, most=40).returncode == 0


def test_a_drop_in_leaves_nothing_of_the_lists_that_a_unit_has():
    lines = hardening_drop_in("haproxy").splitlines()
    for name in LISTS:
        assert [line for line in lines if line.startswith(f"{name}=")].index(f"{name}=") == 0


def test_what_a_host_needs_besides_stands_last():
    lines = hardening_drop_in(
        "haproxy", {}, {"NoNewPrivileges": "no", "ReadWritePaths": ["/a", "/b"]}
    ).splitlines()
    assert lines[-3:] == ["NoNewPrivileges=no", "ReadWritePaths=/a", "ReadWritePaths=/b"]
    assert lines.index("NoNewPrivileges=yes") < lines.index("NoNewPrivileges=no")


def test_a_proxy_may_do_what_sections_of_the_households_own_ask_for():
    needs = proxy_needs(DEMANDING)
    assert needs["NoNewPrivileges"] == "no" and needs["RestrictNamespaces"] == "net"
    assert set(str(needs["CapabilityBoundingSet"]).split()) == {
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
        "CAP_SYS_ADMIN",
    }


@pytest.mark.parametrize(
    "text", ["", "backend own\n    # usesrc\n    server one 192.0.2.1:80", "backend namespace-of-mine\n"]
)
def test_a_proxy_may_do_no_more_than_that(text):
    assert proxy_needs(text) == {}


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
        ("node_exporter", "hal-gpu-metrics", {"node_exporter_gpu": "nvidia"}),
    ],
)
def test_systemd_finds_the_unit_of_a_role_little_exposed(role, unit, variables, tmp_path):
    written = tmp_path / f"{unit}.service"
    written.write_text(rendered(role, f"{unit}.service", variables))
    found = weighed(written)
    assert found.returncode == 0, found.stdout + found.stderr
