"""Find in QM BASIC what OpenQM and ScarletDME disagree on, and what aborts a phantom.

Usage: lint.py [FILE ...]    Without a file: every program of qm/HAL.BP. Prints FILE:LINE: what is wrong.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

PROGRAMS = Path(__file__).parents[2] / "qm" / "HAL.BP"

# What one of the two lacks, with what to write instead.
MISSING = {
    "JPARSE": "use HAL.JSON.READ",
    "JBUILD": "use HAL.JSON.TEXT",
    "EREPLACE": "use CHANGE",
    "SWAP": "use CHANGE",
    "OSREAD": "use OPENSEQ and READBLK",
    "OSWRITE": "use OPENSEQ and WRITEBLK",
    "TRY": "test with NUM and ASSIGNED, and let HAL.WATCH start again",
    "MD5": "ScarletDME lacks it",
    "SHA1": "use HAL.SHA1",
    "ENCODE": "use HAL.BASE64",
    "SELECT.SOCKET": "read without blocking, from a loop",
    "COLLECTION": "ScarletDME lacks it",
}
_NAME = r"[A-Z][A-Z0-9.]*"


class Line:
    """A line of a program: its number, its text, and its text without strings and remarks."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.text = text
        self.code, self.strings = _split(text)


def _split(text: str) -> tuple[str, list[str]]:
    """Return the code of a line, with "" in the place of each string, and the strings."""
    if re.match(r"\s*(?:\*|!|REM\b)", text):
        return "", []
    if label := re.match(rf"\s*{_NAME}:(?=\s*\*)", text):
        return label.group(), []
    code, strings, rest = "", [], text
    while rest:
        match = re.search(r"['\"\\]|;\s*\*", rest)
        if match is None:
            return code + rest, strings
        code += rest[: match.start()]
        if match.group().startswith(";"):
            return code, strings
        end = rest.find(match.group(), match.end())
        if end < 0:
            return code + "<open string>", strings
        strings.append(rest[match.start() : end + 1])
        code += '""'
        rest = rest[end + 1 :]
    return code, strings


def _locate(line: Line) -> Iterator[str]:
    for match in re.finditer(rf"\bLOCATE\b.*?\bIN\s+({_NAME})(\S?)", line.code):
        if match.group(2) != "<":
            yield f"LOCATE … IN {match.group(1)} needs <1> after the array"


def _open(line: Line) -> Iterator[str]:
    if re.search(r"\bOPEN\b(?!\.)", line.code) and not re.search(r"\b(?:THEN|ELSE)\b", line.code):
        yield "OPEN without THEN or ELSE"


def _strings(line: Line) -> Iterator[str]:
    if "<open string>" in line.code:
        yield "a string is not closed; a backslash begins one too"
    if any(string.startswith("\\") for string in line.strings):
        yield "a backslash encloses strings: write 'text' or \"text\""


def _missing(line: Line) -> Iterator[str]:
    for name, remedy in MISSING.items():
        if re.search(rf"(?<![A-Z0-9.$]){re.escape(name)}(?![A-Z0-9.])\s*(?:\(|$|\s)", line.code):
            yield f"{name}: {remedy}"


def _select(line: Line) -> Iterator[str]:
    if re.search(r"\bSELECT\b.*\b(?:WITH|BY)\b", line.code):
        yield "SELECT with conditions is a command: EXECUTE it, and join nobody's text into it"


def _include(line: Line) -> Iterator[str]:
    if re.search(r"\$INCLUDE\s+\S*/", line.code):
        yield "$INCLUDE takes a file and an item, without a slash"


def _socket(line: Line) -> Iterator[str]:
    if re.search(r'CREATE\.SERVER\.SOCKET\(\s*""', line.code) and line.strings[:1] in (["''"], ['""']):
        yield "CREATE.SERVER.SOCKET needs an address; ScarletDME refuses an empty one"
    for match in re.finditer(r"(?:READ|WRITE)\.SOCKET\(([^()]*(?:\([^()]*\)[^()]*)*)\)", line.code):
        arguments = [argument.strip() for argument in match.group(1).split(",")]
        if len(arguments) >= 4 and arguments[-2].isdigit():
            yield "take the flags of a socket from SYSCOM KEYS.H, not as a number"
    if re.search(r"ACCEPT\.SOCKET\.CONNECTION\([^,]*,\s*0\s*\)", line.code):
        yield "ACCEPT.SOCKET.CONNECTION with 0 waits for ever; 1 is the shortest"


def _sleep(line: Line) -> Iterator[str]:
    if re.search(r"\bSLEEP\s+\d*\.\d", line.code):
        yield "SLEEP takes whole seconds: use NAP with milliseconds"


def _index(line: Line) -> Iterator[str]:
    for match in re.finditer(r"\bINDEX\(([^()]*(?:\([^()]*\)[^()]*)*)\)", line.code):
        if match.group(1).count(",") < 2:
            yield "INDEX needs which occurrence as its third argument"


RULES: list[Callable[[Line], Iterator[str]]] = [
    *(_strings, _locate, _open, _missing, _select, _include, _socket, _sleep, _index),
]


def _flow(lines: list[Line]) -> Iterator[tuple[int, str]]:
    """Yield labels that are not there, and blocks that do not match."""
    labels = {match.group(1) for line in lines if (match := re.match(rf"\s*({_NAME}):(?!=)", line.code))}
    opened: list[tuple[str, int]] = []
    closes = {"REPEAT": "LOOP", "NEXT": "FOR", "END CASE": "BEGIN CASE", "END": "THEN or ELSE"}
    for line in lines:
        for match in re.finditer(rf"\bGOSUB\s+({_NAME})", line.code):
            if match.group(1) not in labels:
                yield line.number, f"GOSUB {match.group(1)}: there is no such label"
        code = line.code.strip()
        first = re.match(r"(?:END CASE|BEGIN CASE|REPEAT|NEXT|END|LOOP|FOR)(?![A-Z0-9.:])", code)
        word = first.group() if first else ""
        if word in closes and not (word == "END" and not opened):
            wanted = closes[word]
            if not opened or opened[-1][0] != wanted:
                begun = f"{opened[-1][0]} of line {opened[-1][1]}" if opened else "nothing"
                yield line.number, f"{word} closes {begun}"
                return
            opened.pop()
        if word in ("LOOP", "FOR", "BEGIN CASE") and not re.search(r"\b(?:REPEAT|NEXT)\b", code[3:]):
            opened.append((word, line.number))
        if re.search(r"\b(?:THEN|ELSE|LOCKED)\s*$", code):
            opened.append(("THEN or ELSE", line.number))
    if opened:
        yield opened[-1][1], f"{opened[-1][0]} is not closed"


def lint(text: str) -> list[tuple[int, str]]:
    """Return what is wrong with a program: line numbers and sentences, in their order."""
    lines = [Line(number, line) for number, line in enumerate(text.splitlines(), 1)]
    found = [(line.number, fault) for line in lines for rule in RULES for fault in rule(line)]
    return sorted([*found, *_flow(lines)])


def main() -> int:
    """Print every fault; return 1 if there is one."""
    paths = [Path(name) for name in sys.argv[1:]] or sorted(PROGRAMS.iterdir())
    faults = 0
    for path in paths:
        for number, fault in lint(path.read_text(encoding="ascii")):
            print(f"{path}:{number}: {fault}")
            faults += 1
    print(f"{len(paths)} QM programs, {faults} faults")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
