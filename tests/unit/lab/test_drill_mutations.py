"""A drill that is good turns red when one thing of what it has measured is changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from lab.contents import Contents
from lab.drill_report import RPO_LIMIT_S, Report
from lab.traffic import Turn, judge

LOST_AT = 100_000.0
BACKED_UP_AT = LOST_AT - 12
RESTORED_AFTER_S = 48.0
ANSWERED_AFTER_S = 60


def said_at(second: float) -> Turn:
    return Turn(
        stream="records direct",
        kind="records",
        session="s1",
        question=f"asked at {second:g}",
        asked=second,
        ended=second + 0.2,
        ok=True,
        said="an answer",
    )


def rows(turns: list[Turn]) -> list[tuple[str, str, float]]:
    return [(turn.session, turn.question, turn.ended) for turn in turns]


@dataclass
class Measured:
    """What a drill of the host with the records has read, as it is where all went well."""

    old: list[tuple[str, str, float]] = field(
        default_factory=lambda: [("s0", f"old {number}", 1000.0 + number) for number in range(500)]
    )
    turns: list[Turn] = field(
        default_factory=lambda: [
            *(said_at(LOST_AT - back) for back in range(90, 0, -1)),
            *(said_at(LOST_AT + ANSWERED_AFTER_S + later) for later in range(20)),
        ]
    )
    tables: dict[str, str] = field(default_factory=lambda: {"medication": "d1", "appointment": "d2"})
    record: dict[str, Any] = field(
        default_factory=lambda: {
            "item": "engine",
            "snapshot": "1a2b3c4d5e",
            "taken_at": "1970-01-02T03:46:28+00:00",
            "files": 1,
            "rows": {"conversation": 578},
            "digest_equal": True,
            "replaced": False,
        }
    )

    def __post_init__(self) -> None:
        before = [turn for turn in self.turns if turn.ended < LOST_AT]
        since = [turn for turn in self.turns if turn.asked > LOST_AT]
        kept = [turn for turn in before if turn.ended < BACKED_UP_AT]
        self.before = Contents(dict(self.tables), self.old + rows(before))
        self.after = Contents(dict(self.tables), self.old + rows(kept) + rows(since))
        self.restored = {"engine": copy.deepcopy(self.record)}
        self.restored_s = RESTORED_AFTER_S

    @property
    def log(self) -> list[tuple[str, str, float]]:
        """The conversation log after the recovery."""
        assert self.after.log is not None
        return self.after.log

    def report(self) -> Report:
        """Judge it as a drill does."""
        report = Report("qm1", rto_s=80.0, restored_s=self.restored_s, restored=self.restored)
        report.compare(self.before, self.after, judge(self.turns, LOST_AT, self.after.log), LOST_AT)
        report.judge()
        return report


def test_a_drill_where_all_went_well_is_good():
    report = Measured().report()
    assert report.ok, report.faults
    assert (report.rows_lost, report.turns_lost) == (12, 12) and 0 < report.rpo_s <= RPO_LIMIT_S


def lose_an_old_row(measured: Measured) -> None:
    del measured.log[250]


def lose_a_row_that_is_younger_than_the_limit(measured: Measured) -> None:
    young = next(row for row in measured.log if row[2] > LOST_AT - 40)
    measured.log.remove(young)


def change_a_digest(measured: Measured) -> None:
    measured.after = replace(measured.after, digests=measured.tables | {"medication": "another"})


def lose_a_table(measured: Measured) -> None:
    measured.after = replace(measured.after, digests={"medication": "d1"})


def compare_no_table(measured: Measured) -> None:
    measured.before = replace(measured.before, digests={})
    measured.after = replace(measured.after, digests={})


def compare_no_log(measured: Measured) -> None:
    measured.after = replace(measured.after, log=None)


def restore_without_comparing(measured: Measured) -> None:
    del measured.restored["engine"]["digest_equal"]


def restore_something_else(measured: Measured) -> None:
    measured.restored["engine"]["digest_equal"] = False


def restore_a_stale_snapshot(measured: Measured) -> None:
    """The log ends where the snapshot before the limit ended; the tables are the same."""
    stale = LOST_AT - RPO_LIMIT_S - 15
    kept = [row for row in measured.log if row[2] < stale or row[2] > LOST_AT]
    measured.after = replace(measured.after, log=kept)


def restore_nothing(measured: Measured) -> None:
    measured.restored["engine"] = None


def start_empty(measured: Measured) -> None:
    measured.restored["engine"] = {"item": "engine", "started_empty_at": "1970-01-02T03:47:20+00:00"}


def start_a_service_before_its_data(measured: Measured) -> None:
    """What it answered survived, as the restore left what had been written meanwhile."""
    early = said_at(LOST_AT + RESTORED_AFTER_S - 8)
    measured.turns.append(early)
    measured.log.extend(rows([early]))


def stop_the_clock_of_the_log(measured: Measured) -> None:
    """Each row bears the time of the last one before the loss, so that nothing seems older than that."""
    for contents in (measured.before, measured.after):
        assert contents.log is not None
        contents.log[:] = [(session, question, LOST_AT - 1) for session, question, _ in contents.log]


def restore_over_data(measured: Measured) -> None:
    measured.restored["engine"]["replaced"] = True


def overwrite_what_was_written_after_the_loss(measured: Measured) -> None:
    del measured.log[-5:]


@pytest.mark.parametrize(
    ("mutate", "fault"),
    [
        (lose_an_old_row, "Data of 98750 s was lost"),
        (lose_a_row_that_is_younger_than_the_limit, "1 exchanges of the conversation log are gone although"),
        (change_a_digest, "not what it held before"),
        (lose_a_table, "not what it held before"),
        (compare_no_table, "not what it held before"),
        (compare_no_log, "was not compared"),
        (restore_without_comparing, "was not found to be what had been backed up"),
        (restore_something_else, "was not found to be what had been backed up"),
        (restore_a_stale_snapshot, "was lost; at most 60 s may be"),
        (restore_nothing, "it was not restored"),
        (start_empty, "it started empty"),
        (start_a_service_before_its_data, "a service was started before its data"),
        (stop_the_clock_of_the_log, "conversation log's clock differs"),
        (restore_over_data, "restored over data that the host had"),
        (overwrite_what_was_written_after_the_loss, "5 turns that were answered after the loss are not"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_drill_turns_red_when_one_thing_is_changed(mutate: Callable[[Measured], None], fault: str):
    measured = Measured()
    mutate(measured)
    report = measured.report()
    assert not report.ok
    assert fault in " ".join(report.faults)
    assert f"FAULT: {report.faults[0]}" in report.table()
