"""What the wheelhouse keeps is all that the hosts install, for each Python that they may have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
WHEELS = ROOT / ".cache/artifacts/wheels"
LOCKS = ("gateway", "speech", "engine", "phantom", "client", "tts", "models")
VERSIONS = yaml.safe_load((ROOT / "playbooks/group_vars/all.yml").read_text())["network_python_versions"]
PLATFORM = "x86_64-manylinux_2_39"  # of Ubuntu 24.04, whose C library is the oldest
LINUX = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
}
MAC = {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"}


@pytest.fixture(scope="module")
def wheels() -> Path:
    """Fetch the wheels as the roles' tests do; what is there already costs nothing."""
    command = [sys.executable, "-m", "ansible", "playbook", "molecule/shared/wheels.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return WHEELS


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_resolves_from_the_wheelhouse_alone(wheels, tmp_path, lock, version):
    done = subprocess.run(
        [
            *("uv", "pip", "install", "--dry-run", "--offline", "--no-index", "--only-binary", ":all:"),
            *("--find-links", str(wheels), "--python-version", version, "--python-platform", PLATFORM),
            *(["--no-deps"] if lock == "models" else []),  # data out of packages whose programs nobody needs
            *("--require-hashes", "--target", str(tmp_path), "--requirement", f"requirements/{lock}.txt"),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lock", LOCKS)
def test_what_a_host_needs_is_fetched_by_every_controller(lock):
    """pip judges a lock's markers for the controller, so that they must not depend on which one that is."""
    lines = (ROOT / f"requirements/{lock}.txt").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalpha()]
    assert pins
    for pin in (pin for pin in pins if pin.marker):
        environments = [
            {
                **default_environment(),
                **machine,
                "python_version": version,
                "python_full_version": f"{version}.1",
            }
            for machine in (LINUX, MAC)
            for version in VERSIONS
        ]
        assert len({pin.marker.evaluate(environment) for environment in environments}) == 1, str(pin)
