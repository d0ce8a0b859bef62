"""Filters that make the results of the checks into a report and a table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

type Result = dict[str, Any]

KEYS = ("name", "host", "from", "ok", "ms", "message")
MORE: dict[str, Any] = {
    "kind": "",
    "remedy": "",
    "latency_ms": None,
    "version": "",
    "details": {},
}  # a host without results has none
CONTROLLER = "controller"


def health_results(hosts: list[str], hostvars: Any) -> list[Result]:
    """Return the results of all hosts, as `service_checks` gives them.

    Args:
        hosts: the hosts that should have run checks, or were checked from the controller.
        hostvars: Ansible's, in which `health` is what `service_checks` or `proxmox_health` returned.
    """
    results: list[Result] = []
    for host in hosts:
        health = hostvars[host].get("health", {})
        results += health.get("results", [])
        if "ok" in health and "results" not in health:
            about = {"name": "proxmox", "kind": "proxmox", "host": host, "from": CONTROLLER}
            results.append({**health, **about, "ms": round(health["seconds"] * 1000, 1)})
    return _agreed(results)


def _agreed(results: list[Result]) -> list[Result]:
    """Return the results; those of hosts that share an address have failed unless exactly one has it."""
    sharing = [result for result in results if result.get("kind") == "vrrp"]
    having = [result["host"] for result in sharing if result["ok"] and result["details"]["holds"]]
    if not sharing or len(having) == 1 or not all(result["ok"] for result in sharing):
        return results
    told = f"both {', '.join(having)} have it" if having else "no proxy has it"
    remedy = (
        "See on each `journalctl -u keepalived -n 30`, and whether its firewall admits vrrp from the others"
    )
    fault = {"ok": False, "remedy": remedy}
    return [
        {**result, **fault, "message": f"{told} ({result['message']}). {remedy}"}
        if result in sharing
        else result
        for result in results
    ]


def health_report(
    results: list[Result], hosts: list[str], network: str, begun: datetime, ended: datetime
) -> dict[str, Any]:
    """Return {ok, at, seconds, network, failures, checks}; a host without results is a failed check.

    Args:
        results: what `health_results` returned.
        hosts: the hosts that should have run checks, or were checked from the controller.
        network: which network this is, such as lab or production.
        begun: when the checks began, UTC.
        ended: when the last of them had ended.
    """
    answered = {result["host" if result["from"] == CONTROLLER else "from"] for result in results}
    remedy = "run site.yml to bring it back"
    silent = [
        {
            "name": "host",
            "host": host,
            "from": host,
            "ok": False,
            "ms": 0.0,
            "message": f"{host} cannot be reached over SSH, or ran no checks; {remedy}",
            "remedy": remedy,
        }
        for host in hosts
        if host not in answered
    ]
    checks = [
        {key: result[key] for key in KEYS} | {key: result.get(key, none) for key, none in MORE.items()}
        for result in [*silent, *results]
    ]
    return {
        "ok": all(check["ok"] for check in checks),
        "at": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - begun).total_seconds(), 1),
        "network": network,
        "failures": failures(checks),
        "checks": checks,
    }


def failures(checks: list[Result]) -> list[dict[str, Any]]:
    """Return what is wrong, each thing once: [{name, host, origins, problem, remedy}]."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for check in checks:
        if not check["ok"]:
            about = {key: check[key] for key in ("name", "host", "remedy")} | {"problem": problem(check)}
            origins = found.setdefault(tuple(about.values()), about | {"origins": []})["origins"]
            if check["from"] not in origins:
                origins.append(check["from"])
    return list(found.values())


def problem(check: Result) -> str:
    """Return what a failed check says, without what to do about it, which has a place of its own."""
    said: str = check["message"].strip().removesuffix(check["remedy"]).rstrip(" ;:.,")
    return said or "failed"


def health_states(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a report says of each host and flow, for the filter `network_diagram`.

    A host is well if everything was that was asked of it. Flows that must be closed are not drawn.
    """
    hosts: dict[str, bool] = {}
    flows: dict[tuple[str, str, str], bool] = {}
    for check in report["checks"]:
        host, flow = check["host"], (check["from"], check["host"], check["name"])
        hosts[host] = hosts.get(host, True) and check["ok"]
        if check["message"] != "closed":
            flows[flow] = flows.get(flow, True) and check["ok"]
    words = {True: "ok", False: "failed"}
    return {
        "hosts": {host: words[ok] for host, ok in hosts.items()},
        "flows": [
            {"from": origin, "host": host, "service": service, "state": words[ok]}
            for (origin, host, service), ok in flows.items()
        ],
    }


def health_table(report: dict[str, Any]) -> list[str]:
    """Return a report as lines: one for each host that ran checks, then every failure in full."""
    checks = report["checks"]
    origins = sorted({check["from"] for check in checks})
    lines = [f"{'from':<10} {'passed':>6} {'failed':>6}  slowest"]
    for origin in origins:
        own = [check for check in checks if check["from"] == origin]
        slowest = max(own, key=lambda check: check["ms"])
        failed = sum(not check["ok"] for check in own)
        where = f"{slowest['name']} on {slowest['host']}, {slowest['ms']:.0f} ms"
        lines.append(f"{origin:<10} {len(own) - failed:>6} {failed:>6}  {where}")
    facts = [check for check in checks if check["ok"] and check["message"] not in ("open", "closed")]
    lines += [
        f"  {check['name']} on {check['host']} from {check['from']}: {check['message']}" for check in facts
    ]
    lines += [
        f"FAILED: {check['name']} on {check['host']}, seen from {check['from']}: {check['message']}"
        for check in checks
        if not check["ok"]
    ]
    return lines


class FilterModule:
    """The filters, by the names that playbooks use."""

    def filters(self) -> dict[str, Any]:
        """Return name and function of each filter."""
        return {
            "health_report": health_report,
            "health_results": health_results,
            "health_states": health_states,
            "health_table": health_table,
        }
