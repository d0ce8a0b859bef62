"""What a drill has measured: the figures, how they are judged, and how they are shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RTO_LIMIT_S = 180.0
RPO_LIMIT_S = 60.0


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
        rto_s: until every check of the network passed and every kind of question was answered.
        rpo_s: how much of the newest data is gone: from the newest exchange that is left to the loss.
        turns_asked: questions asked from the loss until all was well.
        turns_failed: those of them that got no answer.
        turns_failed_since: those of them that had not been in flight, but were asked after the loss.
        has_twin: whether another host does all that this one does, so that no such turn may fail.
        turns_lost: questions that were answered and of which no record is left; None on a host without any.
        digests_equal: whether what was there before is there again.
        back_s: for each stream of questions, until its last failure was over; 0 where none failed.
        failed: how many failed of each stream.
        said: what the clients of each stream were told instead of an answer.
        faults: what went wrong, and each limit that was missed, as sentences.
    """

    host: str
    at: str = ""
    detected_s: float | None = None
    provisioned_s: float | None = None
    configured_s: float | None = None
    restored_s: float | None = None
    rto_s: float | None = None
    rpo_s: float | None = None
    turns_asked: int = 0
    turns_failed: int = 0
    turns_failed_since: int = 0
    has_twin: bool = False
    turns_lost: int | None = None
    digests_equal: bool = False
    back_s: dict[str, float] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the host came back as it must."""
        return not self.faults

    def judge(self) -> None:
        """Add a sentence to the faults for each limit that was missed."""
        if self.rto_s is None:
            self.faults.append(f"{self.host} did not become healthy again.")
        elif self.rto_s >= RTO_LIMIT_S:
            self.faults.append(
                f"Recovery took {self.rto_s:.0f} s; less than {RTO_LIMIT_S:.0f} s is demanded."
            )
        if self.rpo_s is not None and self.rpo_s > RPO_LIMIT_S:
            self.faults.append(f"Data of {self.rpo_s:.0f} s was lost; at most {RPO_LIMIT_S:.0f} s may be.")
        if self.turns_lost and self.rpo_s is None:
            self.faults.append(f"Nothing of what was said to {self.host} is left.")
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
            ("data lost (RPO)", self.rpo_s, "s"),
            ("digests equal", "yes" if self.digests_equal else "NO", ""),
        ]
        lines = [f"Drill: {self.host} lost at {self.at}"]
        lines += [f"  {name:<24} {_figure(value):>8} {unit}".rstrip() for name, value, unit in rows]
        lines.append("  what clients saw:")
        for stream, count in self.failed.items():
            back = f", answered again after {self.back_s[stream]:.1f} s" if stream in self.back_s else ""
            lines.append(f"    {stream:<16} {f'{count} failed{back}' if count else 'answered throughout'}")
            lines += [f"      “{sentence}”" for sentence in self.said.get(stream, [])]
        return "\n".join([*lines, *(f"  FAULT: {fault}" for fault in self.faults)])


def _figure(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
