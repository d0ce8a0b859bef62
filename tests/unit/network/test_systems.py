"""Hosts whose Python has no wheels are named before any host is changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hal.network.systems import system_faults

ROOT = Path(__file__).parents[3]
VERSIONS = ["3.12", "3.13", "3.14"]


def facts(distribution, release, minor, family="Debian"):
    return {
        "os_family": family,
        "distribution": distribution,
        "distribution_version": release,
        "python": {"version": {"major": 3, "minor": minor, "micro": 2}},
    }


def test_the_supported_systems_have_wheels():
    systems = {
        "haproxy": facts("Ubuntu", "24.04", 12),
        "nas": facts("Debian", "13.2", 13),
        "ubuai": facts("Ubuntu", "26.04", 14),
        "mac": facts("MacOSX", "26.1", 9, family="Darwin"),
        "qm1": {"os_family": "Windows"},
    }
    assert system_faults(systems, VERSIONS) == []


@pytest.mark.parametrize(
    ("distribution", "release", "minor", "advice"),
    [
        ("Debian", "12.12", 11, "upgrade it to Debian 13 or Ubuntu 24.04 or 26.04"),
        ("Ubuntu", "22.04", 10, "upgrade it"),
        ("Debian", "14.0", 15, "add '3.15' to network_python_versions in playbooks/group_vars/all.yml"),
    ],
)
def test_a_host_with_another_python_is_named_with_what_to_do(distribution, release, minor, advice):
    (fault,) = system_faults({"nas": facts(distribution, release, minor)}, VERSIONS)
    assert fault.startswith(
        f"nas runs {distribution} {release} with Python 3.{minor}, and there are wheels for 3.12"
    )
    assert advice in fault


@pytest.mark.slow
def test_the_playbook_stops_with_every_such_host_before_anything_is_done(tmp_path):
    """Two hosts are this machine; one plays a Debian 12."""
    groups = {name: {} for name in ("gateways", "proxies", "clients", "backup_servers", "virtual_machines")}
    local = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
    }
    here = ("managed_hosts", "ai_servers", "monitoring_servers")
    groups |= {name: {"hosts": {"nas": local, "old": local}} for name in here}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
    done = subprocess.run(
        [
            sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.yml"),
            "playbooks/systems.yml", "-e", "@inventories/common/services.yml",
            "-e", "hal_listener_mode=gateway", "-e", '{"network_python_versions": ["3.99"]}',
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "nas runs" in said and "old runs" in said, said
