# SPDX-License-Identifier: Apache-2.0
"""Write what a run in check mode would change: for each host its tasks, and what kept it from its end."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.executor.stats import AggregateStats
from ansible.executor.task_result import CallbackTaskResult
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: drift
type: aggregate
short_description: Write what a run in check mode would change
description:
  - Writes a report as JSON when the run ends, with the tasks that would change each host and the failures.
  - Neither a difference nor a value is in it, for those may be secret; C(--check --diff) shows them.
options:
  report:
    description: File of the report.
    type: path
    default: reports/drift.json
    env: [{name: HAL_DRIFT_REPORT}]
requirements: [named in C(callbacks_enabled)]
"""


class CallbackModule(CallbackBase):
    """Collects what would change, and writes it down at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "drift"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._began = time.time()
        self._changes: dict[str, list[dict[str, Any]]] = {}
        self._items: dict[tuple[str, str], list[str]] = {}
        self._failures: list[dict[str, str]] = []

    def v2_runner_item_on_ok(self, result: CallbackTaskResult) -> None:
        """Keep for which items of a loop a task would change something."""
        if result.result.get("changed"):
            key = (result.host.get_name(), result.task._uuid)
            self._items.setdefault(key, []).append(str(self._get_item_label(result.result)))

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Keep a task that would change its host."""
        if result.result.get("changed"):
            host = result.host.get_name()
            change = {
                "task": result.task.get_name(),
                "where": _where(result.task.get_path()),
                "items": self._items.get((host, result.task._uuid), []),
            }
            self._changes.setdefault(host, []).append(change)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        """Keep a failure; whether it counts the run's own count tells."""
        if not ignore_errors:
            self._fail(result)

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        """Keep a host that did not answer."""
        self._fail(result)

    def _fail(self, result: CallbackTaskResult) -> None:
        message = str(result.result.get("msg", "no reason given"))
        failure = {"host": result.host.get_name(), "task": result.task.get_name(), "message": message}
        self._failures.append(failure)

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Write the report."""
        summaries = {host: stats.summarize(host) for host in sorted(stats.processed)}
        counted = {host for host, said in summaries.items() if said["failures"] or said["unreachable"]}
        report = {
            "time": datetime.fromtimestamp(self._began, UTC).isoformat(timespec="seconds"),
            "timestamp": int(self._began),
            "seconds": round(time.time() - self._began),
            "ok": not counted,
            "changes": sum(len(changes) for changes in self._changes.values()),
            "hosts": {host: self._changes.get(host, []) for host in summaries},
            "failures": [failure for failure in self._failures if failure["host"] in counted],
        }
        path = Path(self.get_option("report"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + "\n")


def _where(path: str | None) -> str:
    """Return file and line of a task, below the project."""
    return (path or "").removeprefix(f"{Path(__file__).resolve().parent.parent}/")
