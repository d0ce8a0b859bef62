# SPDX-License-Identifier: Apache-2.0
"""Say what a run does for people: what still runs; at the end hosts, slowest tasks, and why it failed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.executor.stats import AggregateStats
from ansible.executor.task_result import CallbackTaskResult
from ansible.inventory.host import Host
from ansible.playbook import Playbook
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.plugins.loader import connection_loader, filter_loader, test_loader
from ansible.utils.color import colorize, hostcolor

try:
    from hal.network.failures import failure_explanation
except ModuleNotFoundError as error:
    raise AnsibleError(f"{error}. Run `make tools`, then .venv/bin/ansible-playbook") from None

DOCUMENTATION = r"""
name: summary
type: stdout
short_description: Ansible's own output, with what still runs, the slowest tasks, and causes of failures
description:
  - Prints what M(ansible.builtin.default) prints. A task that takes long is named again and again while it
    runs, with its latest attempt; attempts and polls have no lines of their own, unless with C(-v).
  - The run ends with one table of the hosts, in which the time is that of a host's own tasks; then come the
    slowest tasks, and for each host that failed the cause and the next step. What was rescued or ignored is
    no failure.
  - Nothing of a task with C(no_log) is shown.
options:
  progress_interval:
    description: Seconds after which a task that runs is named, and again after as many. 0 means never.
    type: float
    default: 10
    env: [{name: HAL_PROGRESS_INTERVAL}]
    ini: [{section: callback_summary, key: progress_interval}]
  slowest_tasks:
    description: How many of the slowest tasks are listed at the end.
    type: int
    default: 5
    env: [{name: HAL_SLOWEST_TASKS}]
    ini: [{section: callback_summary, key: slowest_tasks}]
extends_documentation_fragment: [default_callback, result_format_callback]
requirements: [set as C(stdout_callback)]
"""

WORTH_LISTING_S = 1.0


@dataclass
class Running:
    """A task at work on a host."""

    name: str
    begin: float
    told: float
    detail: str = ""


@dataclass
class Slow:
    """A task by the time that it took on the slowest of its hosts."""

    name: str
    host: str = ""
    seconds: float = 0.0
    hosts: set[str] = field(default_factory=set)


def duration(seconds: float) -> str:
    """Return a duration as people write it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def counted(number: int, thing: str) -> str:
    """Return how many there are of a thing."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


class CallbackModule(Default):
    """Ansible's default output, and what is said beside it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "summary"

    def __init__(self) -> None:
        super().__init__()
        self._begin = time.monotonic()
        self._running: dict[tuple[str, str], Running] = {}
        self._lock = threading.Lock()  # of what the thread reads, too; never held while something is printed
        self._over = threading.Event()
        self._busy: dict[str, float] = {}
        self._slow: dict[str, Slow] = {}
        self._failures: dict[str, list[dict[str, str]]] = {}
        self._failed_items: dict[tuple[str, str], list[CallbackTaskResult]] = {}

    # What still runs

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        """Begin to watch."""
        super().v2_playbook_on_start(playbook)
        if self.get_option("progress_interval") > 0:
            threading.Thread(target=self._watch, name="progress", daemon=True).start()

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Load filters, tests and kinds of connections before any task runs.

        Each task on each host is a process forked from this one, which would load all of them anew.
        """
        super().v2_playbook_on_play_start(play)
        for loader in (filter_loader, test_loader):
            list(loader.all())
        variables = play.get_variable_manager()
        hosts = variables._inventory.get_hosts(play.hosts)
        told = (variables.get_vars(play=play, host=host, include_hostvars=False) for host in hosts)
        for kind in {str(each.get("ansible_connection", play.connection)) for each in told}:
            if connection_loader.has_plugin(kind):
                connection_loader.get(kind, class_only=True)

    def _watch(self) -> None:
        """Name what has run for another interval, until the run is over."""
        interval = self.get_option("progress_interval")
        while not self._over.wait(min(1.0, interval / 2)):
            for line in self._due(time.monotonic(), interval):
                self._display.display(line, color=constants.COLOR_DEBUG)

    def _due(self, now: float, interval: float) -> list[str]:
        """Return a line for each task that has run for another interval, with all the hosts it runs on."""
        with self._lock:
            due = {uuid for (_, uuid), task in self._running.items() if now - task.told >= interval}
            told: dict[tuple[str, str], list[tuple[str, Running]]] = {}
            for (host, uuid), task in self._running.items():
                if uuid in due:
                    task.told = now
                    told.setdefault((uuid, task.detail), []).append((host, task))
        lines = []
        for (_, detail), tasks in told.items():
            hosts = ", ".join(host for host, _ in tasks)
            longest = max((task for _, task in tasks), key=lambda task: now - task.begin)
            what = f"{longest.name}, {duration(now - longest.begin)}{f', {detail}' if detail else ''}"
            lines.append(f"still running: {hosts}: {what}")
        return lines

    def v2_runner_on_start(self, host: Host, task: Task) -> None:
        """Note that a task begins on a host."""
        super().v2_runner_on_start(host, task)
        now = time.monotonic()
        with self._lock:
            self._running[host.get_name(), task._uuid] = Running(task.get_name().strip(), now, now)

    def _detail(self, result: CallbackTaskResult, text: str) -> None:
        """Note how far a task is."""
        with self._lock:
            if task := self._running.get((result.host.get_name(), result.task._uuid)):
                task.detail = text

    def v2_runner_retry(self, result: CallbackTaskResult) -> None:
        """Note the attempt."""
        if self._display.verbosity:
            super().v2_runner_retry(result)
        attempts, retries = (result.result.get(name) for name in ("attempts", "retries"))
        self._detail(result, result.result.get("progress") or f"attempt {attempts} of {retries}")

    def v2_runner_on_async_poll(self, result: CallbackTaskResult) -> None:
        """Say nothing: that it still runs is said anyway."""
        if self._display.verbosity:
            super().v2_runner_on_async_poll(result)

    # What has ended

    def _end(self, result: CallbackTaskResult) -> None:
        """Add up what a task has taken on a host."""
        host = result.host.get_name()
        with self._lock:
            task = self._running.pop((host, result.task._uuid), None)
        if task is None:
            return
        seconds = time.monotonic() - task.begin
        self._busy[host] = self._busy.get(host, 0.0) + seconds
        slow = self._slow.setdefault(result.task._uuid, Slow(task.name))
        slow.hosts.add(host)
        if seconds > slow.seconds:
            slow.host, slow.seconds = host, seconds

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Take the time."""
        self._end(result)
        super().v2_runner_on_ok(result)

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        """Forget the task."""
        with self._lock:
            self._running.pop((result.host.get_name(), result.task._uuid), None)
        super().v2_runner_on_skipped(result)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        """Take the time and keep the failure; whether it counts only the end of the run tells."""
        self._end(result)
        if not ignore_errors:
            self._keep_failure(result, unreachable=False)
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        """Take the time and keep the failure."""
        self._end(result)
        if not result.task.ignore_unreachable:
            self._keep_failure(result, unreachable=True)
        super().v2_runner_on_unreachable(result)

    def v2_runner_item_on_failed(self, result: CallbackTaskResult) -> None:
        """Keep for which item of a loop the task failed."""
        key = (result.host.get_name(), result.task._uuid)
        self._failed_items.setdefault(key, []).append(result)
        super().v2_runner_item_on_failed(result)

    def _keep_failure(self, result: CallbackTaskResult, *, unreachable: bool) -> None:
        host = result.host.get_name()
        first, *others = self._failed_items.pop((host, result.task._uuid), [result])
        explained = failure_explanation(
            first.result,
            host,
            first.task.action,
            first.task.args,
            others=len(others),
            unreachable=unreachable,
        )
        self._failures.setdefault(host, []).append({"task": result.task.get_name().strip()} | explained)

    # The end

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Print the table, the slowest tasks and the failures."""
        self._over.set()
        summaries = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._print_hosts(summaries)
        self._print_slowest()
        if stats.custom and self.get_option("show_custom_stats"):
            self._display.banner("CUSTOM STATS")
            self._display.display(self._dump_results(stats.custom, indent=2))
        failed = {host: said for host, said in summaries.items() if said["failures"] or said["unreachable"]}
        if failed:
            self._print_failures(failed)
            # playbooks/snapshot.yml sets it.
            if go_back := stats.custom.get("_run", {}).get("go_back"):
                self._display.display(f"{go_back}\n")
        changes = sum(said["changed"] for said in summaries.values())
        check = context.CLIARGS.get("check")
        told = [
            f"{counted(len(summaries), 'host')} in {duration(time.monotonic() - self._begin)}",
            f"{counted(changes, 'change')}{' foreseen, nothing was changed' if check else ''}",
            f"{len(failed)} failed" if failed else "none failed",
        ]
        colour = constants.COLOR_ERROR if failed else constants.COLOR_OK
        self._display.display("; ".join(told) + ".", color=colour)

    def _print_hosts(self, summaries: dict[str, dict[str, int]]) -> None:
        self._display.banner("HOSTS")
        columns = {
            "ok": ("ok", constants.COLOR_OK),
            "changed": ("changed", constants.COLOR_CHANGED),
            "unreachable": ("unreachable", constants.COLOR_UNREACHABLE),
            "failed": ("failures", constants.COLOR_ERROR),
        }
        for host, said in summaries.items():
            time_taken = f"time={duration(self._busy.get(host, 0.0))}"
            for colours, where in ((True, {"screen_only": True}), (False, {"log_only": True})):
                numbers = " ".join(
                    colorize(name, said[key], colour if colours else None)
                    for name, (key, colour) in columns.items()
                )
                self._display.display(f"{hostcolor(host, said, colours)} : {numbers} {time_taken}", **where)

    def _print_slowest(self) -> None:
        slowest = sorted(self._slow.values(), key=lambda task: task.seconds, reverse=True)
        listed = [task for task in slowest if task.seconds >= WORTH_LISTING_S]
        if listed := listed[: self.get_option("slowest_tasks")]:
            self._display.banner("SLOWEST TASKS")
        for task in listed:
            others = f" and {len(task.hosts) - 1} more" if len(task.hosts) > 1 else ""
            self._display.display(f"{duration(task.seconds):>12}  {task.name}  ({task.host}{others})")

    def _print_failures(self, summaries: dict[str, dict[str, Any]]) -> None:
        """Print of each host the last failures, as many as counted; those before them were rescued."""
        self._display.banner("FAILURES")
        for host, said in summaries.items():
            count = said["failures"] + said["unreachable"]
            for failure in self._failures.get(host, [])[-count:]:
                self._display.display(f"{host}: {failure['task']}", color=constants.COLOR_ERROR)
                self._display.display(f"  Cause:  {failure['cause']}")
                self._display.display(f"  Next:   {indent(failure['next'], ' ' * 10).strip()}")
        self._display.display("Then run it again: it goes on where it stopped.\n")
