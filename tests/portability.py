"""Find commands of GNU's or of Linux alone in what a household's Mac runs. Part of `make lint`.

A Mac runs the Makefile's verbs for the real network, the scripts for them, `production/`, what playbooks and
roles do on the controller, and what the role `client` brings to it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
PATTERNS = (
    "Makefile",
    "lab/bootstrap.sh",
    "production/*.py",
    "library/wheel*.py",
    "module_utils/wheels.py",
    "roles/client/templates/*.sh.j2",
    "roles/client/templates/hal.j2",
    "playbooks/templates/*.plist.j2",
)
COMMANDS = ("ansible.builtin.command", "ansible.builtin.shell")


@dataclass(frozen=True)
class Rule:
    """A command that a Mac has not, or has otherwise."""

    command: str
    reason: str
    instead: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the command where a command can stand: at a beginning, or after what separates two."""
        return re.compile(rf"(?:^|[\s|;&(`\"'@])(?:{self.command})")


SHORT = "cp|ln|mv|mkdir|rm|chmod|cut|tr|wc|head|tail|touch|du|df"
RULES = (
    Rule(r"base64\s+(-\w*w|--)", "BSD's base64 has no --wrap and no long options", "base64 | tr -d '\\n'"),
    Rule(r"sed\s+(-\w*\s+)*(-i\b|--)", "BSD's sed wants a suffix after -i", "sed … >new && mv new old"),
    Rule(r"readlink\s+-\w*[fem]", "only newer Macs have readlink -f", "cd -P … && pwd, or Python"),
    Rule(r"date\s+(-\w*[dI]|--)", "BSD's date has no --date and no -I", "date -u +FORMAT, or Python"),
    Rule(r"stat\s+(-\w*c|--)", "BSD's stat has -f instead of -c", "test, wc -c, or Python"),
    Rule(r"[ef]?grep\s+-\w*P", "BSD's grep has no -P", "grep -E"),
    Rule(r"xargs\s+(-\w*r|--)", "BSD's xargs has no -r as GNU's, and needs none", "xargs"),
    Rule(r"sort\s+(-\w*V|--)", "older Macs' sort has no -V", "Python's packaging.version"),
    Rule(r"mktemp\s+(-p|--)", "BSD's mktemp has no -p and no long options", "mktemp -d"),
    Rule(rf"({SHORT})\s+(-\w+\s+)*--\w", "BSD's has no long options", "short ones"),
    Rule(r"cp\s+-\w*a", "BSD's cp -a is not GNU's", "cp -pR"),
    Rule(r"ln\s+-\w*r", "BSD's ln has no -r", "ln -s with the path itself"),
    Rule(r"tar\s+(-\S+\s+)*--(sort|mtime|owner|transform)", "BSD's tar has not these", "Python's tarfile"),
    Rule(r"find\s[^|;]*-(printf|regextype)", "BSD's find has no -printf", "find … -exec, or Python"),
    Rule(r"(sha\d+sum|md5sum)\b", "older Macs have none of them", "shasum -a 256, or cksum"),
    Rule(r"(nproc|flock|setsid|tac|getent|ip|ss|lsb_release)(\s|\)|$)", "Linux alone has it", "Python"),
    Rule(r"timeout\s+-?\w*\d", "a Mac has no timeout", "the caller's own time limit"),
    Rule(r"(declare|local)\s+-A|mapfile|readarray|\$\{\w+(,,|\^\^)", "a Mac's bash is 3.2", "Python"),
)  # fmt: skip


def tasks_of(content: Any, *, local: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a playbook or of a file of tasks that run on the controller."""
    for entry in content if isinstance(content, list) else []:
        here = local or "localhost" in (entry.get("delegate_to"), entry.get("hosts"))
        for part in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            yield from tasks_of(entry.get(part), local=here)
        if here:
            yield entry


def command_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what a file has the controller run, with the number of the line."""
    text = path.read_text()
    if path.suffix != ".yml":
        for number, line in enumerate(text.splitlines(), 1):
            if not line.lstrip().startswith("#"):
                yield number, line
        return
    for task in tasks_of(yaml.safe_load(text)):
        for module in COMMANDS:
            given = task.get(module)
            arguments = given.get("cmd") or given.get("argv") if isinstance(given, dict) else given
            words = " ".join(map(str, arguments)) if isinstance(arguments, list) else str(arguments or "")
            for line in words.splitlines():
                yield 1 + text[: text.find(line.strip())].count("\n"), line


def faults(paths: list[Path]) -> list[str]:
    """Return each command that a Mac cannot run, with its place, the reason and what to write instead."""
    return [
        f"{path}:{number}: {rule.reason}; write {rule.instead}: {line.strip()}"
        for path in paths
        for number, line in command_lines(path)
        for rule in RULES
        if rule.pattern.search(line)
    ]


def controllers_files() -> list[Path]:
    """Return the files that have the controller run something."""
    named = [path for pattern in PATTERNS for path in sorted(PROJECT.glob(pattern))]
    places = ("playbooks/**/*.yml", "roles/*/tasks/**/*.yml")
    return named + [
        path for place in places for path in sorted(PROJECT.glob(place)) if "group_vars" not in path.parts
    ]


def main() -> int:
    """Print every fault and return whether there is one."""
    found = faults(controllers_files())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
