"""Everyday questions and a strict matcher; `python -m tests.unit.engine.everyday` prints the figures.

With `--write` it writes what the engine answers, word for word, as exchanges that every listener must pass.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hal.client.conformance import EXCHANGES, load_exchanges, read_yaml
from hal.engine import database, spoken
from hal.engine.engine import EMERGENCY_NUMBER, reply_to
from hal.protocol import ListenerReply, ListenerRequest, Status

QUESTIONS = Path(__file__).with_name("questions.yml")
LISTENER, ANSWERS = EXCHANGES
NOW = load_exchanges(LISTENER).now
HEAD = (
    "# The questions of tests/unit/engine/questions.yml as exchanges, with the engine's answers.",
    "# `python -m tests.unit.engine.everyday --write` writes this file; listener.yml tells the fields.",
    f"now: {NOW.isoformat()}",
    "exchanges:",
)
_NOT_ON_RECORD = re.compile(
    r"\bno\b.*\bon record\b|\bno record\b|\bnothing\b.*\bon record\b|there (?:is|are|was|were) no\b"
    r"|not (?:on|among)|have no\b",
    re.I,
)
_WARNING = re.compile(r"emergency|poison", re.I)
_IMPOSSIBLE = re.compile(r"\bI can't\b|\bI cannot\b", re.I)


@dataclass(frozen=True, slots=True)
class Everyday:
    """A question and what its answer must hold; the fields are told in questions.yml."""

    ask: str
    kind: str = "answer"
    after: list[str] = field(default_factory=list)
    facts: list[str | int] = field(default_factory=list)
    without: list[str | int] = field(default_factory=list)
    spent: str | list[str] = ""
    either: list[str] = field(default_factory=list)
    received: str = ""
    purchases: str = ""
    money: str = ""
    rows: str = ""

    def outcome(self, reply: ListenerReply, records: sqlite3.Connection) -> str:
        """Return "right", or "asked back" (or handed on), or what is "wrong: …"."""
        kinds = set(self.kind.split(" or "))
        kind = _kind(reply, kinds)
        faults = [] if kind in kinds else [f"is {kind}, not {self.kind}"]
        if kind not in ("ask", "model") or kinds == {kind}:
            faults += self._faults(reply.response_text, records)
        if not faults:
            return "right"
        asked_back = kind in ("ask", "model") and kind not in kinds
        return "asked back" if asked_back else f"wrong: {'; '.join(faults)}"

    def _faults(self, said: str, records: sqlite3.Connection) -> list[str]:
        wanted = [str(fact) for fact in self.facts]
        if self.either:
            wanted.append(
                "|".join(re.escape(_sum(records, f"cents > 0 AND ({each})")) for each in self.either)
            )
        else:
            conditions = [self.spent] if isinstance(self.spent, str) else self.spent
            wanted += [re.escape(_sum(records, f"cents > 0 AND ({each})")) for each in conditions if each]
        if self.received:
            wanted.append(re.escape(_sum(records, f"cents < 0 AND {self.received}")))
        if self.purchases:
            query = f"SELECT COUNT(*) FROM transactions WHERE cents > 0 AND {self.purchases}"
            wanted.append(re.escape(spoken.count(records.execute(query).fetchone()[0], "purchase")))
        if self.money:
            wanted.append(re.escape(spoken.money(int(records.execute(self.money).fetchone()[0]))))
        if self.rows:
            wanted += [re.escape(row[0]) for row in records.execute(self.rows)]
        faults = [f"does not say “{fact}”" for fact in wanted if not re.search(str(fact), said, re.I)]
        return faults + [f"says “{wrong}”" for wrong in self.without if re.search(str(wrong), said, re.I)]


def _sum(records: sqlite3.Connection, where: str) -> str:
    return spoken.money(records.execute(f"SELECT SUM(cents) FROM transactions WHERE {where}").fetchone()[0])


def _kind(reply: ListenerReply, expected: set[str]) -> str:
    """Return the kind of a reply; what may be an answer is of the expected kind if it reads like it."""
    if reply.status == Status.DELEGATE:
        return "model"
    if reply.action_taken.endswith("CLARIFY"):
        return "ask"
    patterns = {"danger": _WARNING, "cannot": _IMPOSSIBLE, "none": _NOT_ON_RECORD}
    for kind, pattern in patterns.items():
        if kind in expected and pattern.search(reply.response_text):
            return kind
    return "danger" if reply.action_taken == "DANGER" else "answer"


def load() -> list[Everyday]:
    """Read the questions."""
    return [Everyday(**each) for each in read_yaml(QUESTIONS)]


def sample() -> sqlite3.Connection:
    """Return the sample household as of the conformance day, in memory."""
    connection = database.connect(Path(":memory:"))
    database.create(connection)
    database.load_sample(connection, NOW.date())
    return connection


def ask(question: Everyday, records: sqlite3.Connection) -> ListenerReply:
    """Ask a question after those before it."""
    context: list[dict[str, object]] = []
    for before in question.after:
        earlier = reply_to(ListenerRequest(before, context=context), records, NOW)
        context = [*context, {"question": before, "answer": earlier.response_text, "intent": earlier.intent}]
    return reply_to(ListenerRequest(question.ask, context=context), records, NOW)


def answers(records: sqlite3.Connection) -> str:
    """Return the exchanges of the everyday questions as YAML: what the engine answers, word for word."""
    lines = [*HEAD, *(exchange(question, ask(question, records)) for question in written().values())]
    return "\n".join(lines) + "\n"


def written() -> dict[tuple[str, ...], Everyday]:
    """Return the questions that are exchanges for every listener, by what is asked, each once."""
    listed = {(each.ask, *each.after) for each in load_exchanges(LISTENER).exchanges}
    found: dict[tuple[str, ...], Everyday] = {}
    for question in load():
        words = (question.ask, *question.after)
        if words not in listed:
            found.setdefault(words, question)
    return found


def exchange(question: Everyday, reply: ListenerReply) -> str:
    """Return the line of the exchange that a question and its reply are."""
    told = {
        "ask": question.ask,
        "after": question.after,
        "intent": str(reply.intent),
        "action": reply.action_taken,
        "status": "" if reply.status == Status.SUCCESS else str(reply.status),
        "says": reply.response_text.replace(EMERGENCY_NUMBER, "#"),
    }
    fields = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in told.items() if value)
    return f"  - {{{', '.join(fields)}}}"


def main() -> None:
    """Print every question that is not answered right, and the figures."""
    records = sample()
    if "--write" in sys.argv:
        ANSWERS.write_text(answers(records), encoding="utf-8")
        return
    figures: Counter[str] = Counter()
    for question in load():
        reply = ask(question, records)
        outcome = question.outcome(reply, records)
        figures[outcome.split(":")[0]] += 1
        if outcome != "right":
            sys.stdout.write(f"{' / '.join([*question.after, question.ask])}\n    {outcome}\n")
            sys.stdout.write(f"    {reply.intent} {reply.action_taken}: {reply.response_text}\n")
    total = figures.total()
    sys.stdout.write("".join(f"{name} {number} ({number / total:.1%})\n" for name, number in figures.items()))


if __name__ == "__main__":
    main()
