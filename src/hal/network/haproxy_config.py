"""An existing haproxy.cfg, read: its sections, lines and words, and what its conditions say of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hal.network.haproxy_words import split_words

SECTIONS = {
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "userlist",
    "peers",
    "resolvers",
    "mailers",
    "cache",
    "ring",
    "http-errors",
    "program",
    "fcgi-app",
    "log-forward",
    "crt-store",
    "traces",
    "log-profile",
    "acme",
}
PROXIES = ("frontend", "backend", "listen")
# How many words these lines have at least, as what they say is asked for here.
FEWEST_WORDS = {"bind": 2, "mode": 2, "acl": 3, "use_backend": 2, "default_backend": 2, "server": 2}
FEWEST_WORDS |= dict.fromkeys((*PROXIES, "crt-base", "ca-base"), 2)
MESSAGES = (".diag", ".notice", ".warning")  # they say something when the configuration is read
UNREADABLE, BYTE_ORDER_MARK = "\N{REPLACEMENT CHARACTER}", "\N{ZERO WIDTH NO-BREAK SPACE}"


class ConfigurationError(Exception):
    """A configuration cannot be read or taken over; the text says where and why."""


class NotUnderstood(Exception):
    """A line says what the description of sites has no words for.

    Attributes:
        line: that line.
    """

    def __init__(self, line: Line) -> None:
        super().__init__(line.where)
        self.line = line


@dataclass(frozen=True)
class Line:
    """A line with something on it: where it stands, and its words."""

    where: str
    text: str
    words: tuple[str, ...]


@dataclass
class Section:
    """A section of a configuration; `defaults` is the one whose settings it has unless it says otherwise.

    Of `defaults` that have others the lines begin with those.
    """

    kind: str
    name: str
    head: Line
    lines: list[Line] = field(default_factory=list)
    defaults: Section | None = None


def read_configuration(files: Sequence[Mapping[str, str]]) -> list[Section]:
    """Return the sections of files, [{path, text}], in the order in which HAProxy reads them.

    Raises:
        ConfigurationError: a line belongs to no section or lacks something, or its quotes do not end.
    """
    sections: list[Section] = []
    latest: Section | None = None
    named: dict[str, Section] = {}
    for line in _lines(files):
        first = line.words[0]
        if first not in SECTIONS:
            if not sections:
                raise ConfigurationError(f"{line.where}: `{_beginning(line.text)}` belongs to no section")
            sections[-1].lines.append(line)
            continue
        section = Section(first, line.words[1] if len(line.words) > 1 else "", line)
        other = line.words[-1] if "from" in line.words[1:-1] else None
        if other is not None and other not in named:
            raise ConfigurationError(f"{line.where}: there is no section `defaults {other}` above it")
        _check_name(section, sections)
        sections.append(section)
        if first in PROXIES:
            section.defaults = latest if other is None else named[other]
        elif first == "defaults":
            if other is not None:
                section.name = "" if line.words[1] == "from" else line.words[1]
                section.lines = list(named[other].lines)
                section.head = replace(line, text=f"defaults {section.name}".rstrip())
            latest = named[section.name] = section
    return sections


def _lines(files: Sequence[Mapping[str, str]]) -> Iterator[Line]:
    """Return the lines that say something to the sections."""
    for file in files:
        for number, text in enumerate(file["text"].replace("\r\n", "\n").split("\n"), 1):
            where = f"{file['path']}, line {number}"
            words = _words(text, where)
            if not words or words[0] in MESSAGES:
                continue
            if len(words) < FEWEST_WORDS.get(words[0], 1):
                raise ConfigurationError(f"{where}: `{text.strip()}` lacks something")
            if words[0].startswith("."):
                raise ConfigurationError(
                    f"{where}: `{words[0]}` makes lines depend on a condition, which is not read: "
                    "leave only the lines that hold on this proxy"
                )
            yield Line(where, text, words)


def _check_name(section: Section, above: Sequence[Section]) -> None:
    """Refuse a front end or back end with the name of another."""
    for kind in ("frontend", "backend"):
        same = [other for other in above if other.name == section.name and other.kind in (kind, "listen")]
        if section.kind in (kind, "listen") and same:
            raise ConfigurationError(
                f"{section.head.where}: there are two of the name {section.name}, the other in "
                f"{same[0].head.where}: give one another name"
            )


def _beginning(text: str) -> str:
    """Return the first words of a line: what follows them can be a secret."""
    words = text.split()
    return " ".join(words[:2]) + (" …" if len(words) > 2 else "")


def _words(text: str, where: str) -> tuple[str, ...]:
    """Return the words of a line, without quotes and comment."""
    try:
        words = split_words(text)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {str(error).lower()}: `{_beginning(text)}`") from None
    if any(UNREADABLE in word for word in words):
        raise ConfigurationError(
            f"{where}: `{_beginning(text)}` has characters that are not UTF-8, which would be lost: "
            "convert the file, such as with `iconv -f latin1 -t utf8`"
        )
    if words and words[0].startswith(BYTE_ORDER_MARK):
        raise ConfigurationError(
            f"{where}: a byte order mark stands before `{words[0][1:]}`, which HAProxy does not read: "
            "delete it"
        )
    return words


# Conditions: what they ask of a request, as far as the description of sites can say it.

HOST = {
    "hdr(host)": "is",
    "hdr_end(host)": "end",
    "hdr_beg(host)": "beg",
    "req.hdr(host)": "is",
    "req.hdr_end(host)": "end",
    "req.hdr_beg(host)": "beg",
}
SERVER_NAME = {"req.ssl_sni": "is", "req_ssl_sni": "is"}  # where TLS is not decrypted
PATHS = {"path_beg": "beg", "path": "is"}
CONVERTERS = (",lower", ",field(1,:)")
MATCHES = {"str": "is", "end": "end", "beg": "beg"}


@dataclass(frozen=True)
class Test:
    """One condition: names or paths of which one must fit, or that TLS is spoken; or the reverse of that."""

    kind: str
    values: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class Match:
    """Conditions that must all be true, as a site has them."""

    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    except_names: tuple[str, ...] = ()
    except_paths: tuple[str, ...] = ()


def read_test(words: Sequence[str], line: Line, *, decrypted: bool = True) -> Test:
    """Return what an acl or an anonymous condition asks; its words are the fetch, flags and values.

    Raises:
        NotUnderstood: the description of sites cannot say this.
    """
    if not words:
        raise NotUnderstood(line)
    fetch, *rest = words
    if fetch == "ssl_fc" and not rest:
        return Test("tls")
    named = fetch
    for converter in CONVERTERS:
        named = named.replace(converter, "")
    names = HOST if decrypted else SERVER_NAME
    how = names.get(named) or (PATHS.get(fetch) if decrypted else None)
    any_case = False
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag == "-m" and rest:
            how = MATCHES.get(rest.pop(0)) if how else None
        elif flag == "--":
            break
        elif flag == "-i":
            any_case = True
        else:
            raise NotUnderstood(line)
    if any("*" in value for value in rest):  # it stands for itself, and for anything in a site
        raise NotUnderstood(line)
    if named in names and how and rest:
        form = {"is": "{}", "end": "*{}", "beg": "{}*"}[how]
        return Test("name", tuple(form.format(value.lower()) for value in rest))
    if any_case and any(value.lower() != value.upper() for value in rest):
        raise NotUnderstood(line)  # paths of a site are compared as they are
    if fetch in PATHS and how == "beg" and rest:
        return Test("path", tuple(rest))
    raise NotUnderstood(line)


def read_condition(
    words: Sequence[str],
    acls: Mapping[str, Sequence[Test]],
    line: Line,
    *,
    tls: bool,
    decrypted: bool = True,
) -> list[Match]:
    """Return the matches of which one must be true for an `if` or `unless` with its words; none: never.

    Args:
        words: the condition, from `if` or `unless` on; empty: always.
        acls: what each named acl asks; one of its tests must be true.
        line: where this stands.
        tls: whether TLS is spoken where this is asked.
        decrypted: whether requests can be read there; else there is but the name that is asked for by SNI.

    Raises:
        NotUnderstood: the description of sites cannot say this.
    """
    if not words:
        return [Match()]
    how, *rest = words
    ways: list[list[list[Test]]] = [[]]  # one of these; all of those; one of the innermost
    while rest:
        word = rest.pop(0)
        if word in ("or", "||"):
            ways.append([])
            continue
        negated = word.startswith("!")
        word = word.removeprefix("!") or (rest.pop(0) if rest else "")
        if word == "{":
            if "}" not in rest:
                raise NotUnderstood(line)
            end = rest.index("}")
            tests = [read_test(rest[:end], line, decrypted=decrypted)]
            rest = rest[end + 1 :]
        elif word in acls:
            tests = list(acls[word])
        else:
            raise NotUnderstood(line)
        ways[-1].append([Test(test.kind, test.values, negated) for test in tests])
    if how == "unless":
        if len(ways) > 1:
            if any(len(way) > 1 for way in ways):  # `not (a and b)` among others would be several matches
                raise NotUnderstood(line)
            ways = [[[Test(t.kind, t.values, not t.negated) for t in tests] for way in ways for tests in way]]
        else:  # the reverse of `all of these` is `one is not`
            ways = [[[Test(t.kind, t.values, not t.negated) for t in tests]] for tests in ways[0]]
    matches = [match for way in ways for match in _all_of(way, line, tls=tls)]
    by_rest: dict[Match, list[str]] = {}
    for match in matches:  # those that differ in their names alone are one
        key = Match((), match.paths, match.except_names, match.except_paths)
        by_rest.setdefault(key, []).extend(match.names or ("",))
    return [
        Match(
            tuple(dict.fromkeys(names)) if all(names) else (), key.paths, key.except_names, key.except_paths
        )
        for key, names in by_rest.items()
    ]


def _all_of(way: Sequence[Sequence[Test]], line: Line, *, tls: bool) -> list[Match]:
    """Return the matches for conditions that must all be true, each of which is one of several tests."""
    found: dict[str, tuple[str, ...]] = {}
    for tests in way:
        kinds, negated = {test.kind for test in tests}, tests[0].negated
        if kinds == {"tls"}:
            if tls == negated:
                return []
            continue
        if len(kinds) > 1:
            raise NotUnderstood(line)
        values = tuple(value for test in tests for value in test.values)
        key = ("except_" if negated else "") + f"{kinds.pop()}s"
        if key in found and not negated:
            raise NotUnderstood(line)
        found[key] = found.get(key, ()) + values
    return [Match(**found)]
