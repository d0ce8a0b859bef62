"""The report of the checks: every host's results, what is missing, and the table that a person reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hal.network.health.report import (
    failures,
    health_report,
    health_results,
    health_states,
    health_table,
    unreachable_reasons,
)

CHECK = {
    "name": "speech",
    "kind": "speech",
    "host": "ubuai",
    "from": "qm1",
    "ok": True,
    "ms": 12.0,
    "message": "whisper on cpu",
    "remedy": "",
    "latency_ms": 0.4,
    "version": "",
    "details": {"model": "whisper"},
}
HYPERVISOR = {
    "ok": False,
    "message": "storage nfs is not active. See `pvesm status` on pve",
    "remedy": "See `pvesm status` on pve",
    "seconds": 0.04,
    "version": "9.0.10",
    "details": {},
    "changed": False,
}
HOSTS = ["qm1", "ubuai", "pve"]
BEGUN = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
ENDED = BEGUN + timedelta(seconds=8.24)


@pytest.fixture
def report():
    hostvars = {
        "qm1": {"health": {"results": [CHECK, CHECK | {"name": "ollama", "ms": 50.0}]}},
        "ubuai": {"health": {"results": [CHECK | {"from": "ubuai"}]}},
        "pve": {"health": HYPERVISOR},
    }
    return lambda **changes: health_report(
        health_results(HOSTS, hostvars | changes), HOSTS, "lab", BEGUN, ENDED
    )


def test_the_results_of_all_hosts_and_of_the_hypervisor_are_one_report(report):
    made = report()
    assert (made["ok"], len(made["checks"])) == (False, 4)
    assert (made["at"], made["seconds"], made["network"]) == ("2026-03-11T09:30:08+00:00", 8.2, "lab")
    assert made["checks"][0] == CHECK
    hypervisor = made["checks"][-1]
    assert (hypervisor["name"], hypervisor["host"], hypervisor["from"]) == ("proxmox", "pve", "controller")
    assert (hypervisor["ms"], hypervisor["version"]) == (40.0, "9.0.10")
    assert report(pve={"health": HYPERVISOR | {"ok": True}})["ok"]


@pytest.mark.parametrize("silent", [{}, {"health": {"failed": True}}])
@pytest.mark.parametrize("host", HOSTS)
def test_a_host_without_results_is_a_failed_check(report, host, silent):
    failed = [check for check in report(**{host: silent})["checks"] if check["name"] == "host"]
    assert [(check["host"], check["ok"], check["remedy"]) for check in failed] == [
        (host, False, f"See above what failed on {host}, and run site.yml")
    ]
    assert set(failed[0]) == set(CHECK)


@pytest.mark.parametrize(
    ("said", "advised"),
    [
        ("ssh: connect to host 198.18.10.20 port 22: Connection refused", "docs/recovery.md"),
        ("hal@198.18.10.20: Permission denied (publickey).", "it must know your SSH key"),
    ],
)
def test_a_host_that_cannot_be_reached_is_told_with_the_reason_and_what_helps_against_that(said, advised):
    silent = {
        "ubuai": {"health": {"unreachable": True, "msg": f"Failed to connect to the host via ssh: {said}"}}
    }
    reasons = unreachable_reasons(["ubuai"], silent)
    (failure,) = health_report([], ["ubuai"], "lab", BEGUN, ENDED, reasons=reasons)["failures"]
    assert said.rstrip(".") in failure["problem"] and advised in failure["remedy"]


def test_a_check_of_an_older_program_lacks_only_what_it_did_not_know(report):
    old = {key: CHECK[key] for key in ("name", "host", "from", "ok", "ms", "message")}
    made = report(qm1={"health": {"results": [old]}})["checks"][0]
    assert made == CHECK | {"kind": "", "latency_ms": None, "details": {}}


def test_the_table_has_a_line_for_each_origin_and_every_failure(report):
    lines = health_table(report())
    assert lines[1].split()[:3] == ["controller", "0", "1"]
    assert "qm1             2      0  ollama on ubuai, 50 ms" in lines
    assert lines[-1] == (
        "FAILED: proxmox on pve, seen from controller: storage nfs is not active. See `pvesm status` on pve"
    )


def test_the_table_tells_what_several_hosts_saw_once(report):
    seen = CHECK | {"ok": False, "message": "refused. See its journal", "remedy": "See its journal"}
    made = report(
        qm1={"health": {"results": [seen]}},
        ubuai={"health": {"results": [seen | {"from": "ubuai"}]}},
        pve={"health": HYPERVISOR | {"ok": True}},
    )
    failed = [line for line in health_table(made) if line.startswith("FAILED")]
    assert failed == ["FAILED: speech on ubuai, seen from qm1, ubuai: refused. See its journal"]


def test_a_host_and_a_flow_fail_with_any_of_their_checks_and_closed_flows_are_none(report):
    made = report(
        qm1={
            "health": {
                "results": [CHECK, CHECK | {"ok": False}, CHECK | {"name": "tts", "message": "closed"}]
            }
        },
        pve={"health": HYPERVISOR | {"ok": True}},
    )
    states = health_states(made)
    assert states["hosts"] == {"ubuai": "failed", "pve": "ok"}
    flows = {(flow["from"], flow["host"], flow["service"]): flow["state"] for flow in states["flows"]}
    assert flows == {
        ("qm1", "ubuai", "speech"): "failed",
        ("ubuai", "ubuai", "speech"): "ok",
        ("controller", "pve", "proxmox"): "ok",
    }


def test_a_failure_is_told_once_with_all_who_saw_it_and_what_to_do():
    down = {
        "ok": False,
        "message": "speech on ubuai refused the connection: see its journal on ubuai.",
        "remedy": "see its journal on ubuai.",
    }
    seen = [CHECK | down | {"from": origin} for origin in ("qm1", "haproxy", "qm1")]
    other = CHECK | down | {"from": "nas", "message": "answered 500"}
    assert failures([CHECK, *seen, other]) == [
        {
            "name": "speech",
            "host": "ubuai",
            "remedy": down["remedy"],
            "problem": "speech on ubuai refused the connection",
            "origins": ["qm1", "haproxy"],
        },
        {
            "name": "speech",
            "host": "ubuai",
            "remedy": down["remedy"],
            "problem": "answered 500",
            "origins": ["nas"],
        },
    ]
