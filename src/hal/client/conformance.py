"""Whether a listener answers as every listener must: the exchanges of two files, asked for real."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hal.client.errors import ConnectError, UsageError
from hal.protocol import Frame, ListenerReply, ListenerRequest, ProtocolError, Status

EXCHANGES = (Path(__file__).with_name("listener.yml"), Path(__file__).with_name("everyday.yml"))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what its reply must hold.

    Attributes:
        ask: the question.
        intent, action, status: what the reply must name.
        after: questions asked before it in the same conversation, oldest first.
        facts: what the answer must contain, whatever its case.
        without: what it must not contain.
        says: the whole answer, word for word; "#" stands for the emergency number.
    """

    ask: str
    intent: str
    action: str
    status: str = Status.SUCCESS
    after: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    says: str = ""

    def faults(self, reply: ListenerReply) -> list[str]:
        """Return what is wrong with a reply, nothing if it conforms."""
        wanted = {"intent": self.intent, "action": self.action, "status": self.status}
        given = {"intent": reply.intent, "action": reply.action_taken, "status": reply.status}
        faults = [
            f"{name} is {given[name]}, not {word}" for name, word in wanted.items() if given[name] != word
        ]
        said = reply.response_text.lower()
        faults += [f"does not say “{fact}”" for fact in self.facts if fact.lower() not in said]
        faults += [f"says “{wrong}”" for wrong in self.without if wrong.lower() in said]
        if self.says and not re.fullmatch(re.escape(self.says).replace(r"\#", r"\d+"), reply.response_text):
            faults.append(f"does not say “{self.says}” but “{reply.response_text}”")
        if self.status == Status.DELEGATE and self.ask not in reply.prompt:
            faults.append("the prompt lacks the question")
        return faults


@dataclass(frozen=True, slots=True)
class Conformance:
    """A set of exchanges, all asked at one moment of the household's local time."""

    now: datetime
    exchanges: list[Exchange]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one exchange; it conforms if there are no faults."""

    exchange: Exchange
    answer: str
    faults: list[str]


def load_exchanges(*paths: Path) -> Conformance:
    """Read sets of exchanges of one moment; without any, those that every listener must pass.

    Raises:
        UsageError: the file cannot be read or is not such a set.
    """
    import yaml  # noqa: PLC0415 - nothing that a person's question should wait for

    exchanges: list[Exchange] = []
    for path in paths or EXCHANGES:
        try:
            content = read_yaml(path)
            now = content["now"]
            exchanges += [Exchange(**each) for each in content["exchanges"]]
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            raise UsageError(f"{path} is not a set of exchanges: {error}.") from error
    return Conformance(now, exchanges)


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises:
        OSError, UnicodeDecodeError, yaml.YAMLError: it cannot be read.
    """
    import yaml  # noqa: PLC0415 - nothing that a person's question should wait for

    # The one in C reads thousands of exchanges in a tenth of the time; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe


async def ask_all(
    exchanges: Iterable[Exchange], host: str, port: int, now: datetime, timeout_s: float
) -> AsyncIterator[Outcome]:
    """Ask a listener one exchange after another.

    Args:
        exchanges: what to ask.
        host: the listener's name or address.
        port: its TCP port.
        now: when the questions are asked, in the household's local time.
        timeout_s: for each reply.

    Raises:
        ConnectError: nothing listens there.
    """
    for exchange in exchanges:
        context: list[Frame] = []
        try:
            for question in exchange.after:
                earlier = await _ask(host, port, _request(question, context, now), timeout_s)
                turn = {"question": question, "answer": earlier.response_text, "intent": earlier.intent}
                context = [*context, turn]
            reply = await _ask(host, port, _request(exchange.ask, context, now), timeout_s)
        except ProtocolError as error:
            yield Outcome(exchange, "", [str(error)])
        else:
            yield Outcome(exchange, reply.response_text, exchange.faults(reply))


def _request(question: str, context: list[Frame], now: datetime) -> ListenerRequest:
    return ListenerRequest(question, "conformance", "conformance", context, now)


async def _ask(host: str, port: int, request: ListenerRequest, timeout_s: float) -> ListenerReply:
    """Ask on a connection of its own; the listener ends it after the reply."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode())
                return ListenerReply.decode(await reader.read())
            finally:
                writer.close()
    except TimeoutError:
        raise ProtocolError(f"no reply within {timeout_s:g} seconds") from None
    except OSError as error:
        raise ConnectError(
            f"No listener answers at {host}, port {port}: {error.strerror or error}."
        ) from error
