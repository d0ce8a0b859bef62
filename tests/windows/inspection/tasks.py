"""The tasks of a file of tasks, handlers or plays, with the line each stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

BLOCKS = ("block", "rescue", "always")
PLAY_SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers")


@dataclass
class Task:
    """One task that uses a module of a collection.

    Args:
        path: The file.
        line: The line it begins on.
        name: What it says it does.
        module: The module's full name.
        arguments: What it is given: a mapping, or the text of a free form.
    """

    path: Path
    line: int
    name: str
    module: str
    arguments: dict[str, Any] | str


class _Mapping(dict[str, Any]):
    line = 0


class _Loader(yaml.SafeLoader):
    """Keeps line numbers, and takes Ansible's own tags for what they hold."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> _Mapping:
    mapping = _Mapping(loader.construct_mapping(node, deep=True))
    mapping.line = node.start_mark.line + 1
    return mapping


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    return "{{ tagged }}" if isinstance(node, yaml.ScalarNode) else None


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_multi_constructor("!", _tagged)


def read(path: Path) -> Iterator[Task]:
    """Yield the tasks of a file that use a module of a collection, those within blocks included.

    Args:
        path: The file.
    """
    content = yaml.load(path.read_text(), _Loader)
    yield from _tasks(path, content if isinstance(content, list) else [])


def _tasks(path: Path, entries: list[Any]) -> Iterator[Task]:
    for entry in entries:
        if not isinstance(entry, _Mapping):
            continue
        sections = [entry[key] for key in (*BLOCKS, *PLAY_SECTIONS) if isinstance(entry.get(key), list)]
        for section in sections:
            yield from _tasks(path, section)
        if sections:
            continue
        for key, value in entry.items():
            if key.count(".") == 2 and not key.startswith("ansible.builtin."):
                arguments = {**value, **entry.get("args", {})} if isinstance(value, dict) else value
                if value is None:
                    arguments = dict(entry.get("args", {}))
                yield Task(path, entry.line, str(entry.get("name", key)), key, arguments)
