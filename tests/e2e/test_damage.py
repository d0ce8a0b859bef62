"""Damage short of loss, much of it at once: the checks name it and its host, and site.yml heals it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[2] / "reports/health.json"
SELF_SIGNED = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=haproxy "
    "-addext subjectAltName=DNS:haproxy -keyout /tmp/other.pem -out /tmp/other.crt && cat /tmp/other.crt "
    ">> /tmp/other.pem && cp /tmp/other.pem /etc/haproxy/certificates/hal.pem && rm /tmp/other.* "
    "&& systemctl reload haproxy"
)
# What is done to which host, and which check must then fail there.
DAMAGE = {
    "a proxy's certificate of another authority": ("haproxy", SELF_SIGNED, "proxy_https"),
    "a configuration that was edited": (
        "haproxy",
        "sed -i 's/balance leastconn/balance roundrobin/' /etc/haproxy/haproxy.cfg",
        None,
    ),
    "a disabled exporter": ("haproxy", "systemctl disable --now prometheus-node-exporter", "node_exporter"),
    "a unit that leads to nothing": (
        "qm1",
        "ln -sf /dev/null /etc/systemd/system/hal-gateway.service "
        "&& systemctl daemon-reload && systemctl stop hal-gateway",
        "gateway",
    ),
    "a port that was opened": ("qm1", "ufw allow 8767/tcp", None),  # what listens there is on loopback
    "a model without its files": (
        "ubuai",
        "find /var/lib/ollama/models/blobs -type f -delete; systemctl restart ollama",
        "ollama",
    ),
    "a link to a release that is gone": (
        "ubuai",
        "ln -sfn /nowhere /opt/hal/speech/current; systemctl restart hal-speech",
        "speech",
    ),
    "a file of a release that is cut off": (
        "ubuai",
        "truncate --size=20 $(find /opt/hal/tts/current/ -path '*piper/http_server.py'); "
        "systemctl restart hal-tts",
        "tts",
    ),
    "wheels that were deleted": ("nas", "find /srv/artifacts/wheels -name '*.whl' -delete", None),
}


def failed_checks():
    """Return what the last run of the checks says of those that failed, by host and name."""
    checks = json.loads(REPORT.read_text())["checks"]
    return {(check["host"], check["name"]): check["message"] for check in checks if not check["ok"]}


@pytest.fixture(scope="module")
def damaged(on):
    """Damage the hosts in every way at once."""
    for host, command, _ in DAMAGE.values():
        on(host, command)


@pytest.fixture(scope="module")
def named(damaged, playbook):
    """What the checks say of the damage."""
    REPORT.unlink(missing_ok=True)
    playbook("playbooks/verify.yml")
    return failed_checks()


@pytest.fixture(scope="module")
def healed(named, playbook):
    """Run site.yml once over all that was named; the checks are its last part."""
    REPORT.unlink()
    return playbook("site.yml")


@pytest.mark.parametrize(
    ("host", "check"),
    [(host, check) for host, _, check in DAMAGE.values() if check],
    ids=[what for what, (_, _, check) in DAMAGE.items() if check],
)
def test_damage_is_named_by_the_checks(host, check, named):
    assert (host, check) in named, named


def test_one_run_heals_it_all(healed, on):
    assert healed.returncode == 0, healed.stdout[-6000:]
    assert failed_checks() == {}
    assert "balance leastconn" in on("haproxy", "cat /etc/haproxy/haproxy.cfg").stdout
    assert "8767" not in on("qm1", "ufw status").stdout
