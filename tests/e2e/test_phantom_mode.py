"""The mode is switched there and back: hal_listener_mode alone decides, and everything follows it."""

import json
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[2] / "reports/health.json"
MEDICATIONS = "What medications am I taking?"


def health():
    """Return the checks of the last run, after seeing that all of them passed."""
    report = json.loads(REPORT.read_text())
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]
    return report["checks"]


@pytest.fixture(scope="module", autouse=True)
def phantom(playbook, on):
    """Switch to phantom mode for these tests, and after them back to gateway mode, where all is well."""
    try:
        done = playbook("site.yml", "-e", "hal_listener_mode=phantom")
        assert done.returncode == 0, done.stdout[-4000:]
        yield
    finally:
        back = playbook("site.yml")
        assert back.returncode == 0, back.stdout[-4000:]
    assert ("qm1", "listener") in {(check["from"], check["name"]) for check in health()}
    assert on("qm1", "systemctl is-active hal-gateway").stdout.strip() == "active"
    assert on("qm1", "systemctl is-enabled hal-gateway").stdout.strip() == "enabled"


def test_every_check_passes_and_none_is_left_of_the_listener():
    names = {check["name"] for check in health()}
    assert {"gateway", "proxy_gateway", "proxy_https", "speech", "ollama"} <= names
    assert "listener" not in names
    closed = {(check["from"], check["name"]) for check in health() if "closed" in check["message"]}
    assert {("qm1", "speech"), ("qm1", "ollama")} <= closed


def test_the_gateway_is_gone_and_qm_has_its_port(on):
    unit = on("qm1", "systemctl is-enabled hal-gateway; systemctl is-active hal-gateway").stdout.split()
    assert not {"enabled", "active"} & set(unit)
    assert on("qm1", "ls -d /opt/hal/gateway /etc/hal/gateway*").stdout == ""
    ports = {line.split()[3].rsplit(":", 1)[1] for line in on("qm1", "ss -Hltn").stdout.splitlines()}
    assert "8768" in ports
    assert "8767" not in ports
    assert on("qm1", "systemctl is-active hal-engine").stdout.strip() == "active"


@pytest.mark.parametrize("url", ["ws://haproxy:8768", "wss://haproxy", "ws://qm1:8768"])
def test_a_typed_question_is_answered_through_the_proxy_and_directly(hal, url):
    answer = hal("ask", "--json", "--url", url, MEDICATIONS)
    assert answer["intent"] == "MEDICATION"
    assert "metformin" in answer["text"].lower()


def test_what_cannot_be_answered_is_said_in_a_sentence(on):
    general = on("mac", "hal ask --json 'Why is the sky blue?'", user="lawr")
    assert "Only your records can be asked here." in general.stdout
    spoken = on("mac", f"hal say --json '{MEDICATIONS}'", user="lawr")
    assert "Only typed questions can be answered here." in spoken.stdout


def test_a_second_run_changes_nothing(playbook, assert_unchanged):
    assert_unchanged(playbook("site.yml", "-e", "hal_listener_mode=phantom"))
