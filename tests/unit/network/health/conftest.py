"""A report of the checks, the files that a run of them writes, and drills beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab.drill_report import Report as Drill

from hal.network.health.diagram import network_diagram
from hal.network.health.files import Written, write_reports
from hal.network.health.report import failures

HOSTILE = (
    """</td></details><script>document.title='owned'</script>"""
    """<img src=http://198.18.0.1/x onerror=alert(1)>"&'"""
)

type Report = dict[str, Any]


def check(name: str, host: str, origin: str, **changes: Any) -> dict[str, Any]:
    """Return a result as it stands in a report."""
    usual = {"kind": name, "ok": True, "ms": 12.5, "message": f"{name} answered", "remedy": ""}
    more = {"latency_ms": None, "version": "", "details": {}}
    return {"name": name, "host": host, "from": origin} | usual | more | changes


def report(*checks: dict[str, Any], **changes: Any) -> Report:
    """Return a report of a network of three hosts in which all is well, but for what is given."""
    usual = [
        check("gateway", "qm1", "mac"),
        check("gateway", "qm1", "mac", ms=1400.0),  # the same, spoken
        check("listener", "qm1", "mac", message="closed", ms=2003.0),
        check("speech", "ubuai", "qm1"),
    ]
    made = [*usual, *checks]
    about = {"at": "2026-03-11T09:30:00", "seconds": 8.2, "network": "lab"}
    judged = {"ok": all(each["ok"] for each in made), "failures": failures(made)}
    return judged | {"checks": made} | about | changes


def drill(host: str, **changes: Any) -> Drill:
    """Return a drill that went well."""
    figures = {"detected_s": 1.9, "provisioned_s": 12.3, "configured_s": 60.1, "rto_s": 88.4}
    turns = {"turns_asked": 120, "turns_failed": 30}
    return Drill(
        host, **{"at": "2026-03-10T08:00:00+00:00", "digests_equal": True} | figures | turns | changes
    )


@pytest.fixture
def diagram() -> str:
    """The network as the playbook draws it."""
    services = {"qm1": "gateway", "ubuai": "speech"}
    hosts = [
        {
            "name": host,
            "layer": layer,
            "services": [{"name": services[host], "port": 1}] if host in services else [],
        }
        for host, layer in {"mac": "clients", "qm1": "qm_servers", "ubuai": "ai_servers"}.items()
    ]
    flows = [
        {"from": origin, "to": host, "service": services[host], "port": 1, "protocol": "tcp"}
        for origin, host in (("mac", "qm1"), ("qm1", "ubuai"))
    ]
    return network_diagram(hosts, flows, {"hosts": {"ubuai": "failed"}})


@pytest.fixture
def write(diagram: str, tmp_path: Path) -> Callable[[Report], Written]:
    """Write a report as the playbook does, into `tmp_path / "reports"`."""
    return lambda made: write_reports(tmp_path / "reports", made, diagram)
