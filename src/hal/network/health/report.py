"""The results of the checks as a report, and as a table that a person reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hal.network.failures import failure_explanation

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


def unreachable_reasons(hosts: list[str], hostvars: Any) -> dict[str, str]:
    """Return what Ansible says of each host that it could not reach; arguments as of `health_results`."""
    told = {host: hostvars[host].get("health", {}) for host in hosts}
    return {host: str(health.get("msg", "")) for host, health in told.items() if health.get("unreachable")}


def _silent(host: str, reason: str) -> Result:
    """Return the failed check of a host that ran none, with what to do about that."""
    about = {"name": "host", "host": host, "from": host, "ok": False, "ms": 0.0}
    if reason:
        why = failure_explanation({"msg": reason}, host, "service_checks", {}, unreachable=True)
        said, remedy = f"{host} cannot be reached: {why['cause']}", why["next"]
    else:
        said, remedy = f"{host} ran no checks.", f"See above what failed on {host}, and run site.yml"
    return {**about, "message": f"{said} {remedy}", "remedy": remedy}


def health_report(
    results: list[Result],
    hosts: list[str],
    network: str,
    begun: datetime,
    ended: datetime,
    *,
    reasons: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return {ok, at, seconds, network, failures, checks}; a host without results is a failed check.

    Args:
        results: what `health_results` returned.
        hosts: the hosts that should have run checks, or were checked from the controller.
        network: which network this is, such as lab or production.
        begun: when the checks began, UTC.
        ended: when the last of them had ended.
        reasons: what `unreachable_reasons` returned.
    """
    answered = {result["host" if result["from"] == CONTROLLER else "from"] for result in results}
    silent = [_silent(host, (reasons or {}).get(host, "")) for host in hosts if host not in answered]
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
    """Return what a report says of each host and flow, for `network_diagram`.

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
    """Return a report as lines: one for each host that ran checks, then every failure, once, in full."""
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
        f"FAILED: {failure['name']} on {failure['host']}, seen from {', '.join(failure['origins'])}: "
        f"{failure['problem']}. {failure['remedy']}".rstrip(". ")
        for failure in report["failures"]
    ]
    return lines
