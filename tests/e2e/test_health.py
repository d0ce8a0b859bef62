"""The checks: right when all is well, and precise when something is broken."""

import json
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[2] / "reports/health.json"
PAGE = REPORT.with_name("health.html")


@pytest.fixture
def report(playbook):
    """Run the checks and return the report."""

    def check() -> dict:
        REPORT.unlink(missing_ok=True)
        playbook("playbooks/verify.yml")
        return json.loads(REPORT.read_text())

    return check


def test_everything_is_well_and_every_flow_is_proven(report):
    health = report()
    assert health["ok"], [check for check in health["checks"] if not check["ok"]]
    assert "All is well" in PAGE.read_text() and 0 < health["seconds"] == health["runs"][-1]["seconds"]
    origins = {"qm1", "ubuai", "haproxy", "nas", "mac", "controller"}
    assert {check["from"] for check in health["checks"]} == origins
    assert all(set(check) >= {"name", "host", "from", "ok", "ms", "message"} for check in health["checks"])
    assert [check["host"] for check in health["checks"] if check["name"] == "proxmox"] == ["pve"]
    closed = {(check["from"], check["name"]) for check in health["checks"] if "closed" in check["message"]}
    assert {("mac", name) for name in ("listener", "node_exporter", "tts", "ssh")} <= closed


def test_a_service_that_is_down_is_named_with_its_host(report, on):
    on("ubuai", "systemctl stop ollama")
    try:
        health = report()
    finally:
        on("ubuai", "systemctl start ollama")
    failed = [check for check in health["checks"] if not check["ok"]]
    assert not health["ok"]
    assert failed and {check["host"] for check in failed if check["name"] == "ollama"} == {"ubuai"}
    assert any("ollama" in check["message"] for check in failed)
    assert "What is wrong" in PAGE.read_text() and "ollama on ubuai" in PAGE.read_text()


def test_a_flow_that_is_open_and_should_not_be_is_found(report, on):
    on("ubuai", "ufw insert 1 allow from 198.18.60.10 to any port 9100 proto tcp")
    try:
        failed = [check for check in report()["checks"] if not check["ok"]]
    finally:
        on("ubuai", "ufw delete allow from 198.18.60.10 to any port 9100 proto tcp")
    found = [(check["from"], check["host"], check["name"]) for check in failed]
    assert found == [("mac", "ubuai", "node_exporter")]
