"""Lose hosts of the lab for good while their clients ask, bring them back, and measure.

`python -m lab drill HOST [PLAYBOOK ARGUMENT ...]` does it to a virtual machine, to several at once
(`qm1,ubuai`), to `all` in turn, or to the `house`. Containers, their disks and their guests in the
Proxmox API are deleted. Figures go to reports/drill-HOST.json; the exit code is 1 when a host did not
come back as it must.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hal.network.packing import pack
from lab import contents, loss, traffic
from lab.containers import PodmanError, list_all
from lab.contents import Contents
from lab.description import Description
from lab.drill_report import RTO_LIMIT_S, SEVERAL_RTO_LIMIT_S, Report
from lab.house import HouseDrill
from lab.machine import LabError
from lab.network import PROJECT, REPORTS, STATE, laboratory
from lab.recovery import CONFIGURED, PROVISIONED, RESTORED, Recovery
from lab.settle import SETTLE_TIMEOUT_S, settle
from lab.traffic import Traffic

ALL, HOUSE = "all", "house"
DETECTION_TIMEOUT_S = 60


class Drill:
    """The loss and the recovery of a host, or of several at once."""

    def __init__(self, description: Description, *hosts: str) -> None:
        self._lab = laboratory()
        self._description = description
        self._hosts = hosts
        name = ",".join(hosts)
        self._recovery = Recovery(hosts, REPORTS / f"drill-{name}.log")
        self._lost_at = 0.0
        self._backed_up: dict[str, list[str]] = {}
        self.report = Report(
            name,
            has_twin=all(description.has_twin(host) for host in hosts),
            rto_limit_s=RTO_LIMIT_S if len(hosts) == 1 else SEVERAL_RTO_LIMIT_S,
        )

    def run(self, arguments: list[str]) -> Report:
        """Lose the hosts, run a playbook, and return what was measured.

        Args:
            arguments: what ansible-playbook is called with; by default recover.yml, and site.yml for several.
        """
        ways = traffic.streams(*self._description.ways)
        print("Clients ask, typed and spoken …", flush=True)
        with Traffic(self._lab, ways) as clients:
            self._backed_up = {host: settle(self._lab, host, clients) for host in self._hosts}
            before = contents.read_all(self._lab, self._description, self._hosts)
            self._lose()
            verified = self._recovery.run(*(arguments or self._default_arguments()))
            self._judge_recovery(clients, verified)
        self._compare(before, clients.turns)
        self.report.judge()
        return self.report

    def _default_arguments(self) -> list[str]:
        if len(self._hosts) > 1:
            return ["site.yml"]
        return ["playbooks/recover.yml", "--extra-vars", f"host={self._hosts[0]}"]

    def _lose(self) -> None:
        """Lose the hosts, and wait until that is noticed from where the first one's services are used."""
        pack(PROJECT / "module_utils", loss.CHECKS)
        origin, checks = self._description.monitor(self._hosts[0])
        with loss.Monitor(self._lab, origin, checks) as monitor:
            monitor.wait(loss.all_passed, traffic.now(), SETTLE_TIMEOUT_S)
            print(f"Deleting {', '.join(self._hosts)}: container, disk and guest …", flush=True)
            self._lost_at = loss.lose(self._lab, *self._hosts)
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
            self._tell_seconds()
        else:
            report.faults.append("The checks passed, and yet not every kind of question was answered.")

    def _tell_seconds(self) -> None:
        """Note what took how long: noticing the loss, each step of the playbook, the first answers."""
        spent = {step: round(seconds, 1) for step, seconds in self._recovery.spent.items()}
        spent = {"noticing": self.report.detected_s or 0.0} | spent
        spent["first answers"] = round((self.report.rto_s or 0.0) - sum(spent.values()), 1)
        self.report.spent = spent

    def _compare(self, before: Contents, turns: list[traffic.Turn]) -> None:
        """Compare what the hosts hold with what they held, and count the questions that suffered."""
        report = self.report
        try:
            after = contents.read_all(self._lab, self._description, self._hosts)
            report.restored = contents.restored_all(self._lab, self._backed_up)
        except PodmanError as error:
            report.faults.append(f"What {report.host} holds cannot be read: {error}")
            return
        report.compare(before, after, traffic.judge(turns, self._lost_at, after.log), self._lost_at)

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
    if missing := sorted(description.network.addresses.keys() - running):
        raise LabError(f"{', '.join(missing)} does not run: run `make lab`, then the drill.")
    print("Every check of the network first …", flush=True)
    verify = Recovery((), REPORTS / "drill-before.log")
    verify.run("playbooks/verify.yml")
    if verify.code:
        first = verify.failures[0] if verify.failures else f"see {verify.log}"
        raise LabError(
            f"The lab is not healthy ({first}): `make health` tells more, `make converge` repairs it."
        )


def drill(wanted: str, arguments: list[str]) -> bool:
    """Drill hosts, or `all` in turn until one does not come back, and return whether each came back.

    Args:
        wanted: a virtual machine of the lab, several with commas between, `all` or `house`.
        arguments: what ansible-playbook is called with to bring them back; see `Drill.run`.

    Raises:
        LabError: there is no such machine, or the lab is not healthy before.
    """
    description = Description()
    require_healthy(description)
    there = sorted(loss.machines())
    hosts = wanted.split(",")
    if wanted not in (ALL, HOUSE) and (set(hosts) - set(there) or len(set(hosts)) < len(hosts)):
        raise LabError(
            f"{wanted} is no virtual machine of the lab: there are {', '.join(there)}, several of them with "
            f"commas between, `{ALL}` and `{HOUSE}`."
        )
    drills: list[HouseDrill | Drill]
    if wanted == HOUSE:
        drills = [HouseDrill(description, there)]
    else:
        losses = [[host] for host in there] if wanted == ALL else [hosts]
        drills = [Drill(description, *lost) for lost in losses]
    for each in drills:
        report = each.run(arguments)
        print(report.table(), f"  {report.write(REPORTS)}", sep="\n", flush=True)
        if not report.ok:
            break
    # Every check once more, for its page has the drills, too.
    Recovery((), REPORTS / "drill-after.log").run("playbooks/verify.yml")
    print(f"  {REPORTS / 'health.html'}")
    return report.ok
