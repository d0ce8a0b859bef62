"""Clients of the lab that ask while something is lost, and what became of their questions."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.containers import Lab
from lab.machine import LabError
from lab.network import CLIENT, PROJECT, USER

PYTHON = "/opt/hal/client/current/bin/python"
PROGRAM = Path(__file__).parent / "on_hosts/turns.py"
RECORDING = PROJECT / "playbooks/files/spoken_question.wav.b64"
type Log = list[tuple[str, str, float]]

RECORDS, GENERAL, SPOKEN = "records", "general", "spoken"
# Longer than an answer takes on a busy machine. The model, on two cores where a host is made anew, takes up
# to 20 s: for a general question a client has a person's patience (HAL_TIMEOUT).
TIMEOUT_S = {RECORDS: 10, GENERAL: 60, SPOKEN: 30}
EVERY_S = {RECORDS: 1, GENERAL: 10, SPOKEN: 8}
END = "end"


@dataclass(frozen=True)
class Turn:
    """A question, and what the client that asked it saw.

    Attributes:
        stream: the client, such as "records through the proxy".
        kind: records, general or spoken.
        session: the gateway's session; empty if there was no connection.
        question: the text, unlike any other's; empty for a spoken question.
        asked: when it was asked, Unix time.
        ended: when the answer came, or the client gave up.
        ok: whether it was answered.
        said: the answer, or what went wrong.
    """

    stream: str
    kind: str
    session: str
    question: str
    asked: float
    ended: float
    ok: bool
    said: str

    def is_recorded(self, log: Container[tuple[str, str]], sessions: Container[str]) -> bool:
        """Tell whether a conversation log of these (session, question), and thus sessions, has this turn."""
        if self.kind == SPOKEN:  # in a session of its own: what was heard is not known
            return self.session in sessions
        return (self.session, self.question) in log

    def recorded_off(self, times: Mapping[tuple[str, str], float]) -> float:
        """Return how many seconds before it was asked or after it was answered a typed turn was recorded."""
        at = times.get((self.session, self.question), self.asked)
        return max(self.asked - at, at - self.ended, 0.0) if self.ok else 0.0


def streams(direct: str, proxied: str) -> list[dict[str, Any]]:
    """Return the streams that use each way to the gateway and each of its back ends.

    Args:
        direct: URL of the gateway itself; empty where all ask through the proxy, one client more.
        proxied: URL of the gateway through the proxy.
    """
    recording = RECORDING.read_text().strip()
    ways = [(RECORDS, "direct", direct) if direct else (RECORDS, "proxy too", proxied)]
    ways += [(RECORDS, "proxy", proxied)]
    ways += [(GENERAL, "proxy", proxied), (SPOKEN, "proxy", proxied)]
    return [
        {
            "name": f"{kind} {way}",
            "kind": kind,
            "url": url,
            "every_s": EVERY_S[kind],
            "timeout_s": TIMEOUT_S[kind],
            "audio": recording if kind == SPOKEN else "",
        }
        for kind, way, url in ways
    ]


class Traffic:
    """Clients on the lab's client host; use it with `with`, which starts and ends them."""

    def __init__(self, lab: Lab, wanted: list[dict[str, Any]]) -> None:
        self.names = {stream["name"] for stream in wanted}
        self._turns: list[Turn] = []
        self._news = threading.Condition()
        self._ended = False
        command = ["env", "PYTHONUNBUFFERED=1", PYTHON, "-c", PROGRAM.read_text()]
        self._process = subprocess.Popen(
            ["podman", "exec", "--interactive", "--user", USER, lab.container(CLIENT), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout], daemon=True)
        self._tell(json.dumps({"mark": secrets.token_hex(4), "streams": wanted}))

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell(END)
        try:
            self._process.wait(max(TIMEOUT_S.values()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    @property
    def turns(self) -> list[Turn]:
        """The turns that have ended so far."""
        with self._news:
            return list(self._turns)

    def wait_until(self, enough: Callable[[list[Turn]], bool], timeout: float) -> bool:
        """Wait until the turns that have ended are enough, and return whether they are.

        Args:
            enough: judges the turns.
            timeout: seconds to wait at most.

        Raises:
            LabError: the clients ended by themselves.
        """
        with self._news:
            self._news.wait_for(lambda: self._ended or enough(self._turns), timeout)
            if self._ended:
                raise LabError(f"The clients on {CLIENT} ended by themselves: see above what they said.")
            return enough(self._turns)

    def wait_all_answered(self, since: float, timeout: float) -> bool:
        """Wait until every stream had an answer to a question asked since a moment (Unix time)."""
        return self.wait_until(lambda turns: answered(turns, since).keys() == self.names, timeout)

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            turn = Turn(**json.loads(line))
            with self._news:
                self._turns.append(turn)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


def answered(turns: Iterable[Turn], since: float) -> dict[str, float]:
    """Return, by stream, when the first question asked since a moment was answered (all Unix time)."""
    first: dict[str, float] = {}
    for turn in turns:
        if turn.ok and turn.asked >= since:
            first.setdefault(turn.stream, turn.ended)
    return first


@dataclass(frozen=True)
class Outage:
    """What the clients saw of a loss.

    Attributes:
        asked: turns that ended since.
        failed: of these, the ones without an answer.
        failed_since: of these, the ones that were asked after the loss: none was in flight then.
        lost: turns that were answered and of which no record is left; None where that was not at stake.
        clock_off: the most seconds by which a typed turn was recorded before it was asked or after it was
            answered, as the clients' clock tells it; 0 without any record.
        first_answer: when the first question about the records that was asked since was answered, Unix time.
        back: seconds from the loss to the answer that ended each stream's last gap; 0 without a gap.
        failed_by_stream: how many failed of each stream.
        said: the different things that clients were told, by stream.
    """

    asked: int
    failed: int
    failed_since: int
    lost: list[Turn] | None
    clock_off: float
    first_answer: float | None
    back: dict[str, float]
    failed_by_stream: dict[str, int]
    said: dict[str, list[str]]


def judge(turns: list[Turn], lost_at: float, log: Log | None) -> Outage:
    """Judge what became of the turns around a loss.

    Args:
        turns: all turns.
        lost_at: when the host was lost, Unix time.
        log: the conversation log afterwards, (session, question, time); None where it was not at stake.
    """
    since = [turn for turn in turns if turn.ended >= lost_at]
    failed = [turn for turn in since if not turn.ok]
    names = sorted({turn.stream for turn in turns})
    back, said = {}, {}
    for name in names:
        own = [turn for turn in since if turn.stream == name]
        last = max((turn.ended for turn in own if not turn.ok), default=None)
        after = [turn.ended for turn in own if turn.ok and last is not None and turn.ended > last]
        if last is None:
            back[name] = 0.0
        elif after:
            back[name] = round(min(after) - lost_at, 1)
        said[name] = sorted({turn.said for turn in own if not turn.ok})
    recorded = {(session, question) for session, question, _ in log or []}
    sessions = {session for session, _ in recorded}
    times = {(session, question): at for session, question, at in log or []}
    # What was answered had been recorded before, also by a machine that answered before its data was back.
    gone = [turn for turn in turns if turn.ok and not turn.is_recorded(recorded, sessions)]
    return Outage(
        asked=len(since),
        failed=len(failed),
        failed_since=sum(turn.asked > lost_at for turn in failed),
        lost=gone if log is not None else None,
        clock_off=max((turn.recorded_off(times) for turn in turns), default=0.0),
        first_answer=min(
            (turn.ended for turn in turns if turn.ok and turn.kind == RECORDS and turn.asked > lost_at),
            default=None,
        ),
        back=back,
        failed_by_stream={name: sum(turn.stream == name for turn in failed) for name in names},
        said=said,
    )


def now() -> float:
    """Return the time as the turns tell it: the clients are on this machine and share its clock."""
    return time.time()
