"""What a drill has measured: the figures, how they are judged, and how they are shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.contents import Contents
from lab.traffic import Outage

RTO_LIMIT_S = 180.0
SEVERAL_RTO_LIMIT_S = 300.0  # site.yml brings them back, which looks at every host
HOUSE_RTO_LIMIT_S = 1800.0
RPO_LIMIT_S = 60.0
CLOCK_LIMIT_S = 10.0
# Clients that ask at once are not recorded in the order of their rows' times; a gap is older than that.
GAP_S = 5.0


@dataclass
class Report:
    """One drill. Every figure that ends in `_s` is in seconds and counts from the loss, but for `rpo_s`.

    Attributes:
        host: the host that was lost.
        at: when, ISO 8601.
        detected_s: until its services' checks failed, seen from a host that uses them.
        provisioned_s: until the new machine answered.
        configured_s: until its services ran as described.
        restored_s: until its data was back; None for a host that keeps none.
        spent: what took how many seconds of the recovery, by step; together they are `rto_s`.
        rto_s: until every check of the network passed and every kind of question was answered.
        rpo_s: how much of the newest data is gone: from the oldest exchange that is gone to the loss.
        turns_asked: questions asked from the loss until all was well.
        turns_failed: those of them that got no answer.
        turns_failed_since: those of them that had not been in flight, but were asked after the loss.
        has_twin: whether another host does all that this one does, so that no such turn may fail.
        turns_lost: questions that were answered and of which no record is left; None on a host without any.
        turns_lost_since: those of them that were answered after the loss, by a service without its data.
        rows_lost: exchanges that stood in the conversation log just before the loss and do not now.
        clock_off_s: the most by which the conversation log's clock differs from the clients'.
        restored: how each item that is backed up got its data, as the host's records say.
        digests_equal: whether what was there before is there again.
        back_s: for each stream of questions, until its last failure was over; 0 where none failed.
        failed: how many failed of each stream.
        said: what the clients of each stream were told instead of an answer.
        faults: what went wrong, and each limit that was missed, as sentences.
        rto_limit_s: what `rto_s` must be less than.
        turns_before: questions that were answered before the loss; None where clients ask all the time.
        turns_after: those that were answered after the recovery.
    """

    host: str
    at: str = ""
    detected_s: float | None = None
    provisioned_s: float | None = None
    configured_s: float | None = None
    restored_s: float | None = None
    spent: dict[str, float] = field(default_factory=dict)
    rto_s: float | None = None
    rpo_s: float | None = None
    turns_asked: int = 0
    turns_failed: int = 0
    turns_failed_since: int = 0
    has_twin: bool = False
    turns_lost: int | None = None
    turns_lost_since: int = 0
    rows_lost: int | None = None
    clock_off_s: float = 0.0
    restored: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    digests_equal: bool = False
    back_s: dict[str, float] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    rto_limit_s: float = RTO_LIMIT_S
    turns_before: int | None = None
    turns_after: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the host came back as it must."""
        return not self.faults

    def compare(self, before: Contents, after: Contents, seen: Outage, lost_at: float) -> None:
        """Note what the host holds now beside what it held just before its loss, and what the clients saw.

        What is gone dates from when the conversation log says that it was recorded, or from when the clients
        had their answers.

        Args:
            before: what it held.
            after: what it holds.
            seen: what the clients saw.
            lost_at: when it was lost, Unix time.
        """
        self.turns_asked, self.turns_failed, self.turns_failed_since = (
            seen.asked,
            seen.failed,
            seen.failed_since,
        )
        self.back_s, self.failed, self.said = seen.back, seen.failed_by_stream, seen.said
        # A host that must hold something and shows nothing was not compared.
        self.digests_equal = before.digests == after.digests and before.digests != {}
        self.clock_off_s = seen.clock_off
        gone = [min(turn.ended, lost_at) for turn in seen.lost or [] if turn.asked <= lost_at]
        if seen.lost is not None:
            rows = before.missing_from(after)
            gone += [min(at, lost_at) for at in rows]
            self.rows_lost, self.turns_lost = len(rows), len(seen.lost)
            self.turns_lost_since = sum(turn.asked > lost_at for turn in seen.lost)
            self._find_gap(rows, before.kept_until(after))
        elif before.log is not None:
            self.faults.append(f"The conversation log of {self.host} was not compared.")
        first = seen.first_answer
        if before.log is not None and first is not None and first - lost_at < (self.restored_s or 0.0):
            self.faults.append(
                f"{self.host} answered {first - lost_at:.1f} s after its loss, and its data was back after"
                f" {self.restored_s:.1f} s: a service was started before its data."
            )
        self.rpo_s = round(lost_at - min(gone), 1) if gone else 0.0

    def _find_gap(self, gone: list[float], kept_until: float) -> None:
        """Add a fault if rows are gone that are older than rows that were kept: no backup is like that."""
        if older := [at for at in gone if at < kept_until - GAP_S]:
            self.faults.append(
                f"{len(older)} exchanges of the conversation log are gone although newer ones are there."
            )

    def judge(self) -> None:
        """Add a sentence to the faults for each limit that was missed."""
        if self.rto_s is None:
            self.faults.append(f"{self.host} did not become healthy again.")
        elif self.rto_s >= self.rto_limit_s:
            self.faults.append(
                f"Recovery took {self.rto_s:.0f} s; less than {self.rto_limit_s:.0f} s is demanded."
            )
        if self.rpo_s is not None and self.rpo_s > RPO_LIMIT_S:
            self.faults.append(f"Data of {self.rpo_s:.0f} s was lost; at most {RPO_LIMIT_S:.0f} s may be.")
        if self.turns_lost_since:
            self.faults.append(
                f"{self.turns_lost_since} turns that were answered after the loss are not in the conversation"
                f" log: {self.host} answered before its data was back."
            )
        if self.clock_off_s > CLOCK_LIMIT_S:
            self.faults.append(
                f"The conversation log's clock differs from the clients' by {self.clock_off_s:.0f} s:"
                " how much data was lost cannot be told."
            )
        self.faults += [
            f"{item}: {fault}" for item, how in self.restored.items() if (fault := restore_fault(how))
        ]
        if self.has_twin and self.turns_failed_since:
            self.faults.append(
                f"{self.turns_failed_since} turns that were not in flight failed, and {self.host} has a twin."
            )
        if not self.digests_equal:
            self.faults.append(f"What {self.host} holds now is not what it held before its loss.")

    def write(self, directory: Path) -> Path:
        """Write the report as JSON and return its path."""
        path = directory / f"drill-{self.host}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self) | {"ok": self.ok}, indent=2) + "\n")
        return path

    def table(self) -> str:
        """Return the figures, one a line, then what the clients saw and what is wrong."""
        rows: list[tuple[str, Any, str]] = [
            ("detected after", self.detected_s, "s"),
            ("provisioned", self.provisioned_s, "s"),
            ("configured", self.configured_s, "s"),
            ("restored", self.restored_s, "s"),
            ("healthy after (RTO)", self.rto_s, "s"),
            ("turns asked meanwhile", self.turns_asked, ""),
            ("turns failed meanwhile", self.turns_failed, ""),
            ("  not in flight", self.turns_failed_since, "(it has a twin)" if self.has_twin else ""),
            ("turns lost", self.turns_lost, ""),
            ("rows of the log lost", self.rows_lost, ""),
            ("data lost (RPO)", self.rpo_s, "s"),
            ("digests equal", "yes" if self.digests_equal else "NO", ""),
        ]
        if self.turns_before is not None:
            answered = [
                ("turns answered before", self.turns_before, ""),
                ("turns answered after", self.turns_after, ""),
            ]
            rows = [rows[4], *answered, *rows[8:]]
        lines = [f"Drill: {self.host} lost at {self.at}"]
        lines += [f"  {name:<24} {_figure(value):>8} {unit}".rstrip() for name, value, unit in rows]
        lines += ["  where the seconds went:"] if self.spent else []
        lines += [
            f"    {step:<22} {seconds:>8.1f} s"
            for step, seconds in sorted(self.spent.items(), key=lambda entry: -entry[1])
        ]
        lines += [f"  {item}: {told(how)}" for item, how in self.restored.items()]
        seen = self.failed if self.turns_before is None else {}
        lines += ["  what clients saw:"] if seen else []
        for stream, count in seen.items():
            back = f", answered again after {self.back_s[stream]:.1f} s" if stream in self.back_s else ""
            lines.append(f"    {stream:<16} {f'{count} failed{back}' if count else 'answered throughout'}")
            lines += [f"      “{sentence}”" for sentence in self.said.get(stream, [])]
        return "\n".join([*lines, *(f"  FAULT: {fault}" for fault in self.faults)])


def restore_fault(how: dict[str, Any] | None) -> str:
    """Return what is wrong with how an item of a lost host got its data; empty if nothing is.

    Args:
        how: the last record of its host's restores, none without any.
    """
    if how is None:
        return "it was not restored."
    if "started_empty_at" in how:
        return "it started empty."
    if how.get("digest_equal") is not True:
        return "what was restored was not found to be what had been backed up."
    if how.get("replaced") is not False:
        return "it was restored over data that the host had."
    return ""


def told(how: dict[str, Any] | None) -> str:
    """Return how an item got its data, in words."""
    if how is None:
        return "not restored"
    if "started_empty_at" in how:
        return "started empty, as declared"
    held = f"{sum(how['rows'].values())} rows" if how["rows"] else f"{how['files']} file(s)"
    return f"restored from {how['snapshot'][:8]} of {how['taken_at']}, {held}"


def _figure(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
