"""Questions and their answers, from a person at a terminal or from a file."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import yaml

from hal.network.preparation import PUBLIC_KEY
from hal.network.store import url_faults
from hal.network.timezones import known_zones
from hal.network.validation import internet_fault

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class AnswerError(Exception):
    """An answer that cannot be used; the text says why."""


def address(text: str) -> str:
    """Return an IPv4 address."""
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise AnswerError(f"{text!r} is no IPv4 address, such as 192.0.2.10") from None


def client(text: str) -> str:
    """Return where the client is: `here`, `none` or an address."""
    return text if text in ("here", "none") else address(text)


def networks(text: str) -> list[str]:
    """Return networks that are separated by commas or spaces; a lone address is a network of its own."""
    try:
        return [str(IPv4Network(part)) for part in re.split(r"[,\s]+", text) if part]
    except ValueError as error:
        raise AnswerError(f"{error}; write networks as 192.0.2.0/24, with commas between them") from None


def house_networks(text: str) -> list[str]:
    """Return networks that hold no address of the internet."""
    given = networks(text)
    faults = [fault for network in given if (fault := internet_fault(network))]
    return _fail(faults[0]) if faults else given


def some_house_networks(text: str) -> list[str]:
    """Return at least one network that holds no address of the internet."""
    return house_networks(text) or _fail("name at least one network, such as 192.0.2.0/24")


def number(text: str) -> int:
    """Return the number of a virtual machine."""
    if not text.isdecimal() or int(text) < 100:
        raise AnswerError(f"{text!r} is no number of a machine in Proxmox; they begin at 100")
    return int(text)


def name(text: str) -> str:
    """Return a name without spaces."""
    return (
        text if NAME.fullmatch(text) else _fail(f"{text!r} is no name: use letters, digits, '-', '_' and '.'")
    )


def public_key(text: str) -> str:
    """Return a public SSH key, given as such or as the path of its file."""
    path = Path(text).expanduser()
    if not text.startswith(("ssh-", "ecdsa-", "sk-")) and path.is_file():
        text = path.read_text().strip()
    if "PRIVATE KEY" in text:
        raise AnswerError("that is a private key, which stays where it is; the public one ends in .pub")
    return (
        text if PUBLIC_KEY.fullmatch(text) else _fail("that is neither a public SSH key nor a file with one")
    )


def one_of(*known: str) -> Callable[[str], str]:
    """Return a check that an answer is one of these."""
    return lambda text: text if text in known else _fail(f"{text!r} is none of {', '.join(known)}")


def store(text: str) -> str:
    """Return the address of a restic store."""
    faults = [*url_faults(text)]
    return _fail(faults[0]) if faults else text


def time_zone(text: str) -> str:
    """Return the name of a time zone."""
    return text if text in known_zones() else _fail(f"{text!r} is no time zone, such as Europe/Berlin or UTC")


def anything(text: str) -> str:
    """Return the answer as it is."""
    return text


def _fail(reason: str) -> Any:
    raise AnswerError(reason)


@dataclass(frozen=True)
class Question:
    """What is asked: its key in a file of answers, its text, what an answer must be, and the default.

    Without a default (None) there must be an answer. A secret is not shown while it is typed. `only` names an
    earlier question and the answers to it without which this one is not asked; its answer is then empty.
    """

    key: str
    text: str
    check: Callable[[str], Any]
    default: str | None = None
    secret: bool = False
    only: tuple[str, ...] = ()

    def is_asked(self, answers: dict[str, Any]) -> bool:
        """Return whether the earlier answers leave the question open."""
        return not self.only or answers.get(self.only[0]) in self.only[1:]

    def accept(self, text: str) -> Any:
        """Return the value of an answer; an empty one is the default.

        Raises:
            AnswerError: the answer cannot be used.
        """
        given = text.strip() or self.default
        if given is None:
            raise AnswerError("this needs an answer")
        return self.check(given) if given else ([] if self.check in (networks, house_networks) else "")


def ask(questions: list[Question]) -> dict[str, Any]:
    """Ask a person at the terminal, again where an answer cannot be used."""
    answers: dict[str, Any] = {}
    for question in questions:
        if not question.is_asked(answers):
            answers[question.key] = ""
            continue
        prompt = f"{question.text} [{question.default}]: " if question.default else f"{question.text}: "
        while question.key not in answers:
            text = getpass.getpass(prompt) if question.secret else input(prompt)
            try:
                answers[question.key] = question.accept(text)
            except AnswerError as error:
                print(f"  {error}.")
    return answers


def read(questions: list[Question], path: Path) -> dict[str, Any]:
    """Return the answers in a file, `key: answer`; what it leaves out is the default.

    Raises:
        AnswerError: with every answer that is missing, unknown or cannot be used.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise AnswerError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise AnswerError(f"{path} holds no answers: each line is `key: answer`")
    known = {question.key for question in questions}
    faults = [
        f"{key}: no such question; there are {', '.join(sorted(known))}" for key in content.keys() - known
    ]
    if (
        any(content.get(question.key) for question in questions if question.secret)
        and path.stat().st_mode & 0o077
    ):
        faults.append(f"it holds secrets, and others may read it: chmod 600 {path}")
    answers: dict[str, Any] = {}
    for question in questions:
        if not question.is_asked(answers):
            answers[question.key] = ""
            continue
        given = content.get(question.key)
        text = ", ".join(map(str, given)) if isinstance(given, list) else "" if given is None else str(given)
        try:
            answers[question.key] = question.accept(text)
        except AnswerError as error:
            faults.append(f"{question.key}: {error}")
    if faults:
        raise AnswerError("\n".join([f"{path}:", *(f"  {fault}" for fault in faults)]))
    return answers
