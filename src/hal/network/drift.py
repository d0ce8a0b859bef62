"""The result of a drift check, as a person reads it and as Prometheus does."""

from __future__ import annotations

from typing import Any

type Report = dict[str, Any]


def drift_metrics(report: Report, now: int) -> str:
    """Return the metrics of a drift check in Prometheus' text format.

    Args:
        report: what the callback plugin `drift` wrote; empty when the check did not even begin.
        now: the time, in seconds since 1970.
    """
    lines = [
        f"hal_drift_last_run_timestamp_seconds {report.get('timestamp', now)}",
        f"hal_drift_ok {int(report.get('ok', False))}",
        *(
            f'hal_drift_changes{{target="{host}"}} {len(changes)}'
            for host, changes in report.get("hosts", {}).items()
        ),
    ]
    return "".join(f"{line}\n" for line in lines)


def drift_table(report: Report) -> list[str]:
    """Return the lines that a person reads: every change with its host and task, then what failed."""
    lines = []
    for host, changes in report.get("hosts", {}).items():
        for change in changes:
            items = f" ({', '.join(change['items'])})" if change["items"] else ""
            lines.append(f"{host}: {change['task']}{items}  [{change['where']}]")
    lines += [
        f"FAILED on {failure['host']}: {failure['task']}: {failure['message']}"
        for failure in report.get("failures", [])
    ]
    if not report:
        return ["The check did not begin: run `ansible-playbook site.yml --check` to see why."]
    return lines or ["Every host is as described."]
