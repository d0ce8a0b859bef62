"""Compare the arguments of tasks with what their modules take.

Many PowerShell modules ignore an option that they do not know; ansible-lint does not look at them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.parsing.splitter import parse_kv

from inspection import tasks
from inspection.specifications import Specification, fetch

FREE_FORM = "_raw_params"
BOOLEANS = {"yes", "no", "true", "false", "on", "off", "0", "1"}


def check(paths: list[Path]) -> list[str]:
    """Check the tasks of files.

    Args:
        paths: The files.

    Returns:
        The faults, each with the file, the line, the task and the option.
    """
    found = [task for path in paths for task in tasks.read(path)]
    specifications = fetch({task.module for task in found})
    return [
        f"{task.path}:{task.line}: {task.name}: {task.module} {fault}"
        for task in found
        for fault in _faults(task, specifications.get(task.module))
    ]


def _faults(task: tasks.Task, specification: Specification | None) -> Iterator[str]:
    if specification is None:
        yield "is not a module of any installed collection"
        return
    arguments = task.arguments
    if isinstance(arguments, str):
        if arguments.strip().startswith("{{"):
            return
        arguments = parse_kv(arguments, check_raw=FREE_FORM in specification.options)
    yield from compare(arguments, specification.options)
    yield from relate(arguments, specification)


def compare(given: dict[str, Any], options: dict[str, dict[str, Any]], within: str = "") -> Iterator[str]:
    """Yield what is wrong with single options.

    Args:
        given: What a task gives.
        options: What the module takes.
        within: The option these are part of.
    """
    names = {alias: name for name, option in options.items() for alias in (name, *option.get("aliases", []))}
    for name, value in given.items():
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            yield f"has no option {within}{name}" + (f"; did you mean {within}{close[0]}?" if close else "")
        else:
            yield from _value(value, options[names[name]], f"{within}{name}")
    for name, option in options.items():
        if option.get("required") and not {name, *option.get("aliases", [])} & given.keys():
            yield f"needs the option {within}{name}"


def _value(value: Any, option: dict[str, Any], name: str) -> Iterator[str]:
    if value is None or (isinstance(value, str) and ("{{" in value or "{%" in value)):
        return
    kind = option.get("type", "dict" if "suboptions" in option else "str")
    if kind == "list":
        if isinstance(value, dict):
            yield f"takes a list for {name}, not a mapping"
        items = value.split(",") if isinstance(value, str) else value
        for item in items if isinstance(items, list) else [items]:
            yield from _value(item, {**option, "type": option.get("elements", "raw")}, name)
        return
    if not _fits(value, kind):
        yield f"takes {kind} for {name}, not {value!r}"
    elif "*regex*" in option.get("choices", ()):
        return  # any pattern
    elif "choices" in option and str(value).lower() not in {str(c).lower() for c in option["choices"]}:
        yield f"takes for {name} one of {', '.join(map(str, option['choices']))}, not {value!r}"
    elif isinstance(value, dict) and option.get("suboptions"):
        yield from compare(value, option["suboptions"], f"{name}.")


def _fits(value: Any, kind: str) -> bool:
    match kind:
        case "bool":
            return str(value).lower() in BOOLEANS
        case "int":
            return str(value).lstrip("-").isdigit()
        case "float":
            return str(value).lstrip("-").replace(".", "", 1).isdigit()
        case "str" | "path" | "sid":
            return not isinstance(value, dict | list)
        case "dict":
            return isinstance(value, dict | str)
    return True


def relate(given: dict[str, Any], specification: Specification) -> Iterator[str]:
    """Yield what is wrong with options together.

    Args:
        given: What a task gives.
        specification: What the module takes.
    """
    relations, options = specification.relations, specification.options
    names = {alias: name for name, option in options.items() for alias in option.get("aliases", [])}
    given = {names.get(name, name): value for name, value in given.items() if value is not None}
    for together in relations.get("mutually_exclusive", []):
        if len(both := [name for name in together if name in given]) > 1:
            yield f"does not take {' and '.join(both)} together"
    given = {name: option["default"] for name, option in options.items() if "default" in option} | given
    for together in relations.get("required_together", []):
        if 0 < len([name for name in together if name in given]) < len(together):
            yield f"needs {' and '.join(together)} together"
    for some in relations.get("required_one_of", []):
        if not any(name in given for name in some):
            yield f"needs one of {', '.join(some)}"
    for name, value, needed, *one in relations.get("required_if", []):
        missing = [other for other in needed if other not in given]
        if str(given.get(name)) == str(value) and missing and (not one or len(missing) == len(needed)):
            which = "one of " if one and one[0] else ""
            yield f"needs {which}{', '.join(missing)} when {name} is {value}"
    for name, needed in relations.get("required_by", {}).items():
        missing = [o for o in (needed if isinstance(needed, list) else [needed]) if o not in given]
        if name in given and missing:
            yield f"needs {', '.join(missing)} when {name} is given"
