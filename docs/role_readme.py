"""Write roles/<role>/README.md from each role's argument specification.

Usage: python docs/role_readme.py [--check]

With --check nothing is written; the exit code is 1 if a file is not what its specification makes of it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import yaml

ROOT = Path(__file__).parent.parent
TEMPLATE = Path(__file__).with_name("role_readme.md.j2")


def specification(role: Path) -> dict[str, Any]:
    """Return the specification of a role's main entry point, as Ansible reads it."""
    text = (role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    main: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]
    return main


# Ansible's markup and what it is in Markdown. What is in the parentheses may have parentheses of its own.
_INSIDE = r"((?:[^()]|\([^()]*\))+)"
MARKUP = (
    (re.compile(rf"\b[COVM]\({_INSIDE}\)"), r"`\1`"),
    (re.compile(rf"\bI\({_INSIDE}\)"), r"*\1*"),
    (re.compile(rf"\bB\({_INSIDE}\)"), r"**\1**"),
    (re.compile(rf"\bL\(([^,()]+), *{_INSIDE}\)"), r"[\1](\2)"),
    (re.compile(rf"\bU\({_INSIDE}\)"), r"<\1>"),
)


def prose(text: str | list[str]) -> str:
    """Return a description as one paragraph of Markdown, Ansible's markup such as C(code) included."""
    paragraph = " ".join(text) if isinstance(text, list) else text
    for marked, markdown in MARKUP:
        paragraph = marked.sub(markdown, paragraph)
    return paragraph.replace("|", r"\|")


def rows(options: dict[str, Any], parent: str = "") -> Iterator[dict[str, str]]:
    """Yield name, type, default and description of every variable, and of every key that it may have."""
    for name, option in options.items():
        kind = f"list of {option['elements']}" if "elements" in option else option["type"]
        path = f"{parent}{name}"
        description = prose(option["description"])
        if "choices" in option:
            description += f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}."
        default = f"`{json.dumps(option['default'])}`" if "default" in option else ""
        yield {
            "name": path,
            "type": kind,
            "default": "required" if option.get("required") else default,
            "description": description,
        }
        yield from rows(option.get("options", {}), f"{path}[]." if "elements" in option else f"{path}.")


def readme(role: Path) -> str:
    """Return the text of a role's README.md."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the result is Markdown, of the project's own text
    )
    spec = specification(role)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        role=role.name,
        purpose=spec["short_description"],
        description=[prose(line) for line in spec["description"]],
        rows=list(rows(spec["options"])),
        example=spec["examples"],
    )


def main() -> int:
    """Write the files, or name those that are out of date; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the roles' README.md from their specifications.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args().check
    outdated = 0
    for role in sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml")):
        target, text = role / "README.md", readme(role)
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        outdated += 1
        if check:
            name = target.relative_to(ROOT)
            print(f"{name} is out of date: run `python docs/role_readme.py`", file=sys.stderr)
        else:
            target.write_text(text, encoding="utf-8")
            print(f"wrote {target.relative_to(ROOT)}")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
