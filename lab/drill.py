"""Lose a host of the lab for good while its clients ask, bring it back, and measure.

Usage: drill.py HOST [PLAYBOOK ARGUMENT ...]    HOST is a virtual machine, or `all` for each in turn.
The container, its disk and its guest in the Proxmox API are deleted. Figures go to reports/drill-HOST.json;
the exit code is 1 when a host did not come back as it must.
"""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime

import contents
import loss
import machine
import traffic
from containers import PodmanError, list_all
from contents import Contents
from description import Description
from drill_report import RPO_LIMIT_S, Report
from machine import LabError
from network import PROJECT, STATE, laboratory
from recovery import CONFIGURED, PROVISIONED, RESTORED, Recovery
from traffic import Traffic

REPORTS = PROJECT / "reports"
SETTLE_TIMEOUT_S = 90
DETECTION_TIMEOUT_S = 60


class Drill:
    """The loss and the recovery of one host."""

    def __init__(self, description: Description, host: str) -> None:
        self._lab = laboratory()
        self._description = description
        self._host = host
        self._recovery = Recovery(host, REPORTS / f"drill-{host}.log")
        self._lost_at = 0.0
        self.report = Report(host, has_twin=description.has_twin(host))

    def run(self, arguments: list[str]) -> Report:
        """Lose the host, run a playbook, by default the one for a lost host, and return what was measured."""
        ways = traffic.streams(*self._description.ways)
        print("Clients ask, typed and spoken …", flush=True)
        with Traffic(self._lab, ways) as clients:
            self._settle(clients)
            before = contents.read(self._lab, self._description, self._host)
            self._lose()
            verified = self._recovery.run(
                *(arguments or ["playbooks/recover.yml", "--extra-vars", f"host={self._host}"])
            )
            self._judge_recovery(clients, verified)
        self._compare(before, clients.turns)
        self.report.judge()
        return self.report

    def _settle(self, clients: Traffic) -> None:
        """Wait until the clients are answered, and what they asked is backed up where that is done often.

        The loss comes at a random moment between two backups, as losses do.
        """
        began = traffic.now()
        if not clients.wait_all_answered(began, SETTLE_TIMEOUT_S):
            silent = sorted(clients.names - traffic.answered(clients.turns, began).keys())
            raise LabError(f"Not answered before the drill: {', '.join(silent)}. `make health` says why.")
        answered = traffic.now()
        items = contents.backups(self._lab, self._host)
        frequent = {name: item for name, item in items.items() if item["period_seconds"] <= RPO_LIMIT_S}
        for name, item in frequent.items():
            print(f"Waiting for a backup of {name}, and then for a random moment …", flush=True)

            def is_backed_up(_: list[traffic.Turn], name: str = name) -> bool:
                return contents.backups(self._lab, self._host)[name][contents.LAST_SUCCESS] > answered

            if not clients.wait_until(is_backed_up, item["period_seconds"] + SETTLE_TIMEOUT_S):
                raise LabError(
                    f"{name} on {self._host} is not backed up: `hal-backup status` there says why."
                )
            clients.wait_until(lambda _: False, random.uniform(0, item["period_seconds"]))  # noqa: S311 - no secret

    def _lose(self) -> None:
        """Lose the host, and wait until that is noticed from where its services are used."""
        command = [sys.executable, "-m", "module_utils.pack_checks", str(loss.CHECKS)]
        subprocess.run(command, cwd=PROJECT, check=True)
        origin, checks = self._description.monitor(self._host)
        with loss.Monitor(self._lab, origin, checks) as monitor:
            monitor.wait(loss.all_passed, traffic.now(), SETTLE_TIMEOUT_S)
            print(f"Deleting {self._host}: its container, its disk and its guest …", flush=True)
            self._lost_at = loss.lose(self._lab, self._host)
            self.report.at = datetime.fromtimestamp(self._lost_at, UTC).isoformat(timespec="seconds")
            detected, results = monitor.wait(loss.any_failed, self._lost_at, DETECTION_TIMEOUT_S)
        self.report.detected_s = self._since_loss(detected)
        message = next(result["message"] for result in results if not result["ok"])
        print(f"Noticed by {origin} after {self.report.detected_s} s: {message}", flush=True)

    def _judge_recovery(self, clients: Traffic, verified: float) -> None:
        """Note when each phase ended, and when all was well again."""
        report, ended = self.report, self._recovery.ended
        report.provisioned_s = self._since_loss(ended.get(PROVISIONED))
        report.configured_s = self._since_loss(ended.get(CONFIGURED))
        report.restored_s = self._since_loss(ended.get(RESTORED))
        if self._recovery.code:
            log = self._recovery.log.relative_to(PROJECT)
            report.faults += [*self._recovery.failures, f"The recovery failed; {log} has each of its tasks."]
        elif clients.wait_all_answered(verified, SETTLE_TIMEOUT_S):
            report.rto_s = self._since_loss(max(traffic.answered(clients.turns, verified).values()))
        else:
            report.faults.append("The checks passed, and yet not every kind of question was answered.")

    def _compare(self, before: Contents, turns: list[traffic.Turn]) -> None:
        """Compare what the host holds with what it held, and count the questions that suffered."""
        report = self.report
        try:
            after = contents.read(self._lab, self._description, self._host)
            items = contents.restored(self._lab, self._host)
        except PodmanError as error:
            report.faults.append(f"What {self._host} holds cannot be read: {error}")
            return
        report.digests_equal = before.digests == after.digests and all(item["digest_equal"] for item in items)
        seen = traffic.judge(turns, self._lost_at, after.log)
        report.turns_asked, report.turns_lost = seen.asked, seen.lost
        report.turns_failed, report.turns_failed_since = seen.failed, seen.failed_since
        report.back_s, report.failed, report.said = seen.back, seen.failed_by_stream, seen.said
        if report.turns_lost:
            newest = after.newest(self._lost_at)
            report.rpo_s = round(self._lost_at - newest, 1) if newest is not None else None
        else:
            report.rpo_s = 0.0 if report.digests_equal else None

    def _since_loss(self, moment: float | None) -> float | None:
        return None if moment is None else round(moment - self._lost_at, 1)


def require_healthy(description: Description) -> None:
    """Refuse a drill of a lab that is not as it should be: its figures would mean nothing.

    Raises:
        LabError: a host is missing or a check fails.
    """
    if not (STATE / "guests.json").exists():
        raise LabError("There is no lab: run `make lab`, then the drill.")
    running = {there.name for there in list_all(laboratory()) if there.running}
    if missing := sorted(description.addresses.keys() - running):
        raise LabError(f"{', '.join(missing)} does not run: run `make lab`, then the drill.")
    print("Every check of the network first …", flush=True)
    verify = Recovery("", REPORTS / "drill-before.log")
    verify.run("playbooks/verify.yml")
    if verify.code:
        first = verify.failures[0] if verify.failures else f"see {verify.log}"
        raise LabError(
            f"The lab is not healthy ({first}): `make health` tells more, `make converge` repairs it."
        )


def main() -> int:
    """Drill the hosts that the command line names and return the exit code."""
    machine.configure_podman(STATE)
    description = Description()
    wanted, *arguments = sys.argv[1:] or ["all"]
    try:
        require_healthy(description)
        there = sorted(loss.machines())
        if wanted != "all" and wanted not in there:
            raise LabError(
                f"{wanted} is no virtual machine of the lab: there are {', '.join(there)}, or `all`."
            )
        for host in there if wanted == "all" else [wanted]:
            report = Drill(description, host).run(arguments)
            print(report.table(), f"  {report.write(REPORTS)}", sep="\n", flush=True)
            if not report.ok:
                break
        # Every check once more, for its page has the drills, too.
        Recovery("", REPORTS / "drill-after.log").run("playbooks/verify.yml")
        print(f"  {REPORTS / 'health.html'}")
    except (LabError, PodmanError, ConnectionError) as error:
        print(f"drill: {error}", file=sys.stderr)
        return 1
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
