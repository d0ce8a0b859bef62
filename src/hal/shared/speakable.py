"""What a language model wrote, as sentences that can be read aloud.

Models think aloud, write Markdown and stop in the middle of a sentence; a listener is to hear none of that.
"""

from __future__ import annotations

import html
import re
import unicodedata

MAX_CHARACTERS = 16_000  # of an answer that is read aloud; more is cut

# The marks that models put around their thoughts. Ollama passes them through as they are when it is told
# `think: false`, so that the first mark, which the prompt ends with, may be missing, and the last when the
# answer is cut.
_TAG = r"(?:think|thinking|thought|thoughts|reason|reasoning|reflection|analysis)"
_THOUGHT = re.compile(
    rf"(?P<begin><{_TAG}(?:\s[^<>]*)?>|\[THINK\]|◁think▷)|</{_TAG}\s*>|\[/THINK\]|◁/think▷", re.IGNORECASE
)
_ANY = re.DOTALL | re.IGNORECASE
_CHANNELS = (
    # gpt-oss answers in channels: the one called `final` is for the listener. Its marks may be lost.
    (
        re.compile(r"<\|channel\|>\s*(?:analysis|commentary).*?(?=<\|channel\|>\s*final|<\|end\|>|\Z)", _ANY),
        " ",
    ),
    (re.compile(r"\A\s*analysis.*?assistantfinal", _ANY), " "),
    (re.compile(r"(?:<\|start\|>\s*assistant)?\s*<\|channel\|>\s*final", _ANY), " "),
    (re.compile(r"<\|channel>\s*thought.*?(?:<channel\|>|\Z)", _ANY), " "),  # Gemma
    (re.compile(r"<\|[^<>|]*\|?>|<[a-z_]+\|>|</?s>|\[/?INST\]", _ANY), " "),  # other marks of chat templates
)

_CODE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_INLINE = (
    (re.compile(r"<!--[^>]*>"), " "),
    (re.compile(r"<br\s*/?>|</(?:p|li|div|tr|h[1-6])>", re.IGNORECASE), "\n"),
    (re.compile(r"<(https?://[^<>\s]+)>", re.IGNORECASE), r"\1"),
    (re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE), ""),
    (re.compile(r"\[\^[^\[\]\s]+\]:?|(?<!\])\[\d+\](?:\([^()\s]*\))?"), ""),  # foot notes and sources
    # links and pictures
    (re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*(?:\s+\"[^\"\n]*\")?\)|\[[^\[\]]*\])"), r"\1"),
    (re.compile(r"`+([^`\n]*)`+"), r"\1"),
    (re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^\n]{0,400}?[^\s*])\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w_])(_{1,3})(?=[^\s_])([^\n]{0,400}?[^\s_])\1(?![\w_])"), r"\2"),
    (re.compile(r"\*\*|__|~~|`"), ""),  # of a pair that is not closed, and what strikes through
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])"), r"\1"),
)
# Of an address people say the site alone.
_ADDRESS = re.compile(r"\b(?:https?://)?(?:(?<=://)|(?<!@)www\.)[^\s<>\"']+", re.IGNORECASE)
_SITE = re.compile(r"(?:https?://)?(?:www\.)?([^/?#\s]+)[^\s]*?([.,;:!?)]*)\Z", re.IGNORECASE)

_RULE = re.compile(r"[-*_=](?:\s*[-*_=]){2,}")
_TABLE_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_ROW = re.compile(r"\|.+\||[^|]+(?:\|[^|]+){2,}")
_QUOTE = re.compile(r"\A(?:>\s*)+")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*")
_BULLET = re.compile(r"[-*+•‣◦]\s+(?:\[[ xX]\]\s+)?(.+)")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s+(.+)")

_QUOTES = "\"'\u201d\u2019)]"
_ENDS = tuple(".!?…:;,。\uff01\uff1f")
_SENTENCE = re.compile(rf"[.!?…]+[{re.escape(_QUOTES)}]*(?=\s|\Z)|[。\uff01\uff1f]")
# To the end of the last word, which is all of a text that goes on whose words are known.
_TO_LAST_WORD = re.compile(r".*[\s。\uff01\uff1f]", re.DOTALL)
# What may become a mark, a tag or a link with what follows.
_UNFINISHED = re.compile(r"(?:<[a-z/!|][^<>]*|!?\[[^\[\]]*(?:\][(\[][^()\[\]]*)?)\Z", re.IGNORECASE)
_MARKUP = re.compile(r"[*_|]")  # in a line that goes on, where it may become emphasis or a row
_NUMBER = re.compile(r"\d{1,2}[.)](?:\s|\Z)")
_LOST_ANALYSIS = re.compile(r"\A\s*analysis(?!.*assistantfinal)", _ANY)
# A full stop after these ends no sentence.
_ABBREVIATED = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|No|vs|approx|e\.g|i\.e|etc|[A-Z]))\.\Z")

_FIRST_SYMBOL = 0x2190  # below are letters' companions such as °, ©, ™ and №, which people say
_JOINERS = dict.fromkeys(
    [0x200B, 0x200D, 0x20E3, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080)]
)


def speakable(text: str, *, is_cut: bool = False) -> str:
    """Return what of a model's answer can be read aloud: whole sentences in plain words, on one line.

    Thoughts, code, mark-up and emoji are left out. Headings, items of lists and rows of tables become
    sentences; of an address the name of its site remains.

    Arguments:
        text: the answer as the model wrote it.
        is_cut: whether the model was stopped before it had finished; the text then ends with its last whole
            sentence, if there is one.

    Returns:
        The sentences; empty when nothing can be said, as when the model only thought.
    """
    is_cut = is_cut or len(text) > MAX_CHARACTERS
    spoken = _spoken(_plain(text[:MAX_CHARACTERS]).splitlines(), is_cut=is_cut)
    return (_whole(spoken) or spoken) if is_cut else spoken


class SpeakableStream:
    """What can be read aloud of an answer that is still being written, each sentence as soon as it is whole.

    A sentence is given out when nothing that follows can change it: not within a thought, code, a table's row
    or a link, however small the pieces in which their marks arrive.

    Arguments:
        begins_in_thought: whether the answer may begin with a thought that has no mark, because the prompt
            ends with it; nothing is given out then before the mark that ends the thought.

    Attributes:
        said: all that was given out, on one line.
    """

    def __init__(self, *, begins_in_thought: bool = False) -> None:
        self.said = ""
        self._begins_in_thought = begins_in_thought
        self._text = ""
        self._seen = 0  # characters of the text that were looked at
        self._settled = 0  # characters of the text that `said` stands for

    def add(self, piece: str) -> None:
        """Take what the model wrote next."""
        self._text += piece

    def sentences(self) -> str:
        """Return the sentences that have become whole since the last call; empty if there are none."""
        known = _TO_LAST_WORD.match(self._text, 0, MAX_CHARACTERS)
        if known is None or known.end() <= self._seen:
            return ""
        self._seen = known.end()
        if self._begins_in_thought and not any(not mark["begin"] for mark in _THOUGHT.finditer(known[0])):
            return ""
        spoken = _settled(known[0])
        said = self._give(spoken[len(self.said) :]) if spoken.startswith(self.said) else ""
        if said:
            self._settled = self._seen
        return said

    def finish(self, *, is_cut: bool = False) -> str:
        """Return what remains when the model has stopped, by itself or because it was cut."""
        spoken = speakable(self._text, is_cut=is_cut)
        if not spoken.startswith(self.said):  # a thought that nothing announced, and that is said already
            return self._give(speakable(self._text[self._settled :], is_cut=is_cut))
        return self._give(spoken[len(self.said) :])

    def _give(self, rest: str) -> str:
        if not any(character.isalnum() for character in rest):
            return ""
        self.said = f"{self.said} {rest.strip()}".strip()
        return rest.strip()


def begins_in_thought(template: str) -> bool:
    """Tell whether a model's template ends a prompt within a thought, so that the answer begins in it."""
    marks = list(_THOUGHT.finditer(template))
    return bool(marks and marks[-1]["begin"])


def _settled(text: str) -> str:
    """Return the whole sentences of a text that goes on, whatever it goes on with."""
    text = _UNFINISHED.sub("", text)
    if _LOST_ANALYSIS.match(text):
        return ""
    text = _plain(text)
    lines = [_QUOTE.sub("", line.strip()) for line in text.splitlines()]
    if lines and not text.endswith("\n"):
        lines[-1] = _MARKUP.split(lines[-1], maxsplit=1)[0]
        if _NUMBER.fullmatch(lines[-1]):
            lines.pop()
    numbered = [number for number, line in enumerate(lines) if _NUMBER.match(line)]
    if len(numbered) == 1:  # whether it is an item of a list is known when there is another
        del lines[numbered[0] :]
    return _whole(_spoken(lines, is_cut=True))


def _plain(text: str) -> str:
    """Return a text's lines without thoughts, code, mark-up within lines, and emoji."""
    text = _without_thoughts(text)
    for pattern, replacement in _CHANNELS:
        text = pattern.sub(replacement, text)
    text = _CODE.sub("\n\n", text)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return _without_emoji(_ADDRESS.sub(_site, html.unescape(text)))


def _spoken(lines: list[str], *, is_cut: bool) -> str:
    """Return what the lines say, on one line; empty if that is nothing."""
    spoken = " ".join(" ".join(_sentences(lines, is_cut=is_cut)).split())
    spoken = re.sub(r"\s+([.,;:!?])(?=\s|\Z)", r"\1", spoken)
    return spoken if any(character.isalnum() for character in spoken) else ""


def _without_thoughts(text: str) -> str:
    said: list[str] = []
    thinks, begin = False, 0
    for mark in _THOUGHT.finditer(text):
        if mark["begin"]:
            said += [] if thinks else [text[begin : mark.start()]]
        elif not thinks:
            said.clear()  # a thought whose beginning has no mark
        thinks, begin = bool(mark["begin"]), mark.end()
    return "".join(said) + ("" if thinks else text[begin:])


def _site(address: re.Match[str]) -> str:
    return _SITE.sub(r"\1\2", address[0])


def _without_emoji(text: str) -> str:
    kept = (
        character
        for character in text.translate(_JOINERS)
        if ord(character) < _FIRST_SYMBOL or unicodedata.category(character) not in ("So", "Sk")
    )
    return "".join(kept)


def _sentences(lines: list[str], *, is_cut: bool) -> list[str]:
    """Return the lines' text, with a full stop wherever a block ends that has none."""
    lines = [_QUOTE.sub("", line.strip()) for line in lines]
    is_list = (
        sum(bool(_NUMBERED.fullmatch(line)) for line in lines) > 1
    )  # one alone may be a number that is meant
    blocks: list[tuple[str, bool]] = []  # what is said, and whether it is a sentence of its own
    is_open = False
    for line in lines:
        if not line or _RULE.fullmatch(line) or (_TABLE_RULE.fullmatch(line) and "-" in line):
            is_open = False
            continue
        said, alone = _block(line, is_list=is_list)
        if not any(character.isalnum() for character in said):
            continue
        if blocks and is_open and not alone:
            blocks[-1] = (f"{blocks[-1][0]} {said}", blocks[-1][1])
        else:
            blocks.append((said, alone))
        is_open = not alone
    last = len(blocks) - 1
    return [
        said
        if said.rstrip(_QUOTES).endswith(_ENDS) or (number == last and (is_cut or not alone))
        else f"{said}."
        for number, (said, alone) in enumerate(blocks)
    ]


def _block(line: str, *, is_list: bool) -> tuple[str, bool]:
    """Return what a line says, and whether it is a sentence of its own, as an item of a list is."""
    if _ROW.fullmatch(line):
        return ", ".join(cell for part in line.strip("|").split("|") if (cell := part.strip())), True
    for pattern in (_HEADING, _BULLET, *([_NUMBERED] if is_list else [])):
        if found := pattern.fullmatch(line):
            return found[1], True
    return line, False


def _whole(spoken: str) -> str:
    """Return the text to the end of its last whole sentence; empty when it has none."""
    ends = [
        end.end()
        for end in _SENTENCE.finditer(spoken)
        if not _ABBREVIATED.search(spoken, max(0, end.start() - 8), end.start() + 1)
    ]
    return spoken[: ends[-1]] if ends else ""
