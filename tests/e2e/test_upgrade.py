"""An upgrade after which a check fails: the host goes back to what it was, with its data, by itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lab import contents
from lab.description import Description

PROJECT = Path(__file__).resolve().parents[2]
VARIABLES = PROJECT / "inventories/lab/host_vars/qm1.yml"
# The gateway starts, and refuses everybody who comes through the proxy.
BROKEN = "gateway_own_names: []\n"
SETTINGS = "grep OWN_NAMES /etc/hal/gateway.env"


@pytest.fixture
def broken():
    """Describe the gateway so that it starts well, and the checks from the client fail."""
    VARIABLES.parent.mkdir(exist_ok=True)
    VARIABLES.write_text(BROKEN)
    yield
    VARIABLES.unlink()
    VARIABLES.parent.rmdir()


@pytest.fixture
def upgrade():
    """Upgrade a host, and return what was printed."""

    def run(host):
        return subprocess.run(
            ["make", "upgrade", "INVENTORY=inventories/lab", f"HOST={host}"],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )

    return run


def test_a_host_that_is_not_well_after_its_upgrade_goes_back(broken, upgrade, lab, on, hal, playbook):
    hal("ask", "--json", "What medications am I taking?")
    settings, before = on("qm1", SETTINGS).stdout, contents.read(lab, Description(), "qm1")
    assert "haproxy" in settings and before.log

    done = upgrade("qm1")

    assert done.returncode != 0, done.stdout[-4000:]
    assert "qm1 could not be upgraded" in done.stdout and "It went back to what it was" in done.stdout
    assert on("qm1", SETTINGS).stdout == settings
    after = contents.read(lab, Description(), "qm1")
    assert after.digests == before.digests and not before.missing_from(after)
    assert "hal-before" not in playbook("playbooks/snapshots.yml", "-e", "host=qm1").stdout
