"""What of a haproxy.cfg stays as it was: words as HAProxy reads them back, and names for its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hal.network.adoption.settings import PRIVATE_HEADER
from hal.network.haproxy_config import Line
from hal.network.haproxy_words import escaped, quoted, split_words

HIDDEN = "(a secret)"
SETTERS = ("set-header", "add-header", "replace-header", "replace-value", "hdr")
ASKED = re.compile(
    r"(?:(?:req\.)?(?:hdr|cook)|url_?param|urlp)(?:_[a-z]+)?\(([^,)]+)\)\S*|http_auth_bearer\S*"
)
BY_BEARER = "authorization"
PASSWORD = re.compile(r"pass|pwd", re.IGNORECASE)
SCHEMES = ("basic", "bearer", "digest", "negotiate")
PASSED = re.compile(r"(?:AUTH|PASS|auth|pass)\s+")


class Secrets:
    """The secrets of a fragment.

    Attributes:
        names: what they are called.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def taken_out(self, part: str) -> Iterator[str]:
        """Yield the lines of a section with the names of secrets in their place.

        What is taken from the environment already is none.
        """
        for text in part.split("\n"):
            words = split_words(text)
            places = dict(_secret_words(words))
            if places and "${" in text:
                line = text
                for number, (of, before) in places.items():
                    if "$" not in words[number] and (found := _place_of(line, words[number])):
                        line = line[: found.start()] + self._secret(of, before) + line[found.end() :]
                yield line
            elif places:
                written = [
                    self._secret(*places[number]) if number in places else quoted(word)
                    for number, word in enumerate(words)
                ]
                yield "    " + " ".join(written)
            else:
                yield text

    def _secret(self, of: str, before: str = "") -> str:
        """Return the place of a new secret, as HAProxy fills it in."""
        wanted = "SITE_" + re.sub(r"[^A-Z0-9]+", "_", of.upper())
        number, name = 1, wanted
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.append(name)
        return f'"{escaped(before)}${{{name}}}"'


def told(line: Line) -> str:
    """Return a line as a report tells it: where it stands, and what it says but for its secrets."""
    return f"{line.where}: {without_secrets(line.text)}"


def without_secrets(text: str) -> str:
    """Return a line as a report shows it."""
    words = split_words(text)
    places = dict(_secret_words(words))
    if "${" in text:
        for found in filter(None, (_place_of(text, words[number]) for number in places)):
            text = text.replace(found[0], HIDDEN)
    if not places or "${" in text:
        return text.strip()
    return " ".join(HIDDEN if number in places else quoted(word) for number, word in enumerate(words))


def _place_of(text: str, word: str) -> re.Match[str] | None:
    """Return where a word stands in a line that takes others from the environment; None: it is written oddly.

    Such a line is not written anew from its words, as none would be taken from there any more.
    """
    ways = "|".join(re.escape(way) for way in (f'"{escaped(word)}"', f"'{word}'", word))
    return re.search(rf"(?<!\S)(?:{ways})(?!\S)", text)


def _secret_words(words: Sequence[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield which words of a line are secrets, each with whose it is and what stands before it."""
    match words:
        case ("user", user, "password" | "insecure-password", _, *_):
            yield 3, (user, "")
        case ("stats", "auth", pair) if ":" in pair:
            user = pair.partition(":")[0]
            yield 2, (user, f"{user}:")
        case ("setenv" | "presetenv", name, _) if PRIVATE_HEADER.search(name) or PASSWORD.search(name):
            yield 2, (name, "")
        case ("cluster-secret" as name, _):
            yield 1, (name, "")
        case ("tcp-check", "send" | "send-lf", said, *_) if found := PASSED.match(said):
            yield 2, ("tcp_check", found[0])
        case ("option", "httpchk", *asked):
            for number, word in enumerate(asked, 2):
                if "\n" in word and PRIVATE_HEADER.search(word):
                    yield number, ("httpchk", word.partition("\r\n")[0] + "\r\n")
        case ("acl", _, fetch, *values) if by_header := ASKED.fullmatch(fetch):
            yield from _compared(3, values, by_header[1] or BY_BEARER)
        case _:
            yield from _in_rule(words)


def _in_rule(words: Sequence[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the secrets of a rule that sets a header or compares one."""
    for number, word in enumerate(words):
        name = words[number + 1] if number + 1 < len(words) else ""
        if word in SETTERS and PRIVATE_HEADER.search(name):
            place = number + (3 if word.startswith("replace-") else 2)
            if place < len(words):
                yield place, (name, "")
        elif word == "{" and (asked := ASKED.fullmatch(name)) and "}" in words[number:]:
            yield from _compared(
                number + 2, words[number + 2 : words.index("}", number)], asked[1] or BY_BEARER
            )


def _compared(first: int, words: Sequence[str], name: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the values with which a private header is compared; `first` is the number of the first word."""
    if not PRIVATE_HEADER.search(name) or name.lower() == "cookie" or "found" in words or "-f" in words:
        return
    for number, word in enumerate(words, first):
        is_how = word.startswith("-") or words[max(number - first - 1, 0)] == "-m"
        if not is_how and word.strip().lower() not in SCHEMES:
            yield number, (name, "")
