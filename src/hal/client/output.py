"""What the client prints: text for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hal.client.answer_output import printable
from hal.client.conformance import Outcome
from hal.client.errors import ClientError
from hal.client.status import Check

MARKS = {True: ("ok", "green"), False: ("failed", "bold red"), None: ("-", "dim")}


def show_checks(checks: list[Check]) -> None:
    """Print the checks as a table."""
    table = Table("check", "state", "ms", "what", "address")
    for check in checks:
        mark, style = MARKS[check.ok]
        ms = "" if check.ms is None else f"{check.ms:.1f}"
        table.add_row(
            check.name,
            Text(mark, style),
            ms,
            Text(printable(check.message)),
            Text(check.url, overflow="fold"),
        )
    Console().print(table)


def show_failure(error: ClientError, *, as_json: bool, question: str = "") -> None:
    """Print why there is no answer: a sentence on standard error, or one JSON object on one line.

    Arguments:
        error: what went wrong.
        as_json: as an object, on standard output, where the answer would be.
        question: the question that failed, if it was one of several.
    """
    if not as_json:
        print(error, file=sys.stderr)
        return
    failure = {"ok": False, "status": "error", "error": str(error), "exit_code": error.exit_code}
    print(json.dumps(({"question": question} if question else {}) | failure), flush=True)


def show_status(checks: list[Check], network: dict[str, Any] | None, *, ok: bool) -> None:
    """Print the checks from here, and the report of the network if there is one, as one JSON object."""
    print(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks], "network": network}))


def show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print an exchange that does not conform; as JSON, every one on a line of its own."""
    if as_json:
        print(json.dumps({"ok": not outcome.faults, **asdict(outcome)}), flush=True)
    elif outcome.faults:
        after = f" (after {' / '.join(outcome.exchange.after)})" if outcome.exchange.after else ""
        print(f"{outcome.exchange.ask}{after}\n  {printable(outcome.answer)}")
        print("".join(f"  - {printable(fault)}\n" for fault in outcome.faults), flush=True)


def show_conformance(asked: int, failed: int, now: datetime, *, as_json: bool) -> None:
    """Print how many exchanges conform, and what to look at first if none of them does."""
    if as_json:
        print(json.dumps({"ok": not failed, "asked": asked, "failed": failed}))
        return
    print(f"{asked - failed} of {asked} exchanges conform.")
    if failed > asked / 2:
        print(f"Are the records the sample household, loaded as of {now:%Y-%m-%d}?")
