"""The words of a line of haproxy.cfg, read as HAProxy reads them and written as it reads them back."""

from __future__ import annotations

import re

LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
PLAIN_WORD = re.compile(r"[^\s\"'#\\$]+")
# Quotes of one kind, what a backslash begins, and all else, one character at a time.
PIECE = re.compile(
    r"""
    '(?P<raw>[^']*)' | "(?P<quoted>(?:[^"\\]|\\.)*)" | \\x(?P<hex>[0-9a-fA-F]{2}) | \\(?P<escaped>.)
    | (?P<comment>\#) | (?P<blank>[ \t\r]+) | (?P<open>["']) | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)
INSIDE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of a line, without quotes and comment.

    A backslash stays where it escapes nothing, as in regular expressions.

    Raises:
        ValueError: quotes do not end.
    """
    words: list[str] = []
    word: str | None = None
    for piece in PIECE.finditer(text):
        kind, said = piece.lastgroup, piece[piece.lastgroup or 0]
        match kind:
            case "comment":
                break
            case "blank":
                words += [] if word is None else [word]
                word = None
                continue
            case "open":
                raise ValueError("No closing quotation")
            case "quoted":
                said = INSIDE.sub(lambda found: _unescaped(found[1], "\\\"'# $"), said)
            case "hex" | "escaped":
                said = _unescaped(f"x{said}" if kind == "hex" else said, "\\\"'# ")
        word = (word or "") + said
    return (*words, *([] if word is None else [word]))


def _unescaped(said: str, characters: str) -> str:
    """Return what stands for a backslash and what it escapes."""
    if len(said) > 1:
        return chr(int(said[1:], 16))
    return LETTERS.get(said, said if said in characters else f"\\{said}")


def quoted(word: str) -> str:
    """Return a word as HAProxy reads it back."""
    return word if PLAIN_WORD.fullmatch(word) else f'"{escaped(word)}"'


def escaped(word: str) -> str:
    """Return what stands between double quotes for a word."""
    text = re.sub(r'([\\"$])', r"\\\1", word)
    for letter, character in LETTERS.items():
        text = text.replace(character, f"\\{letter}")
    return text
