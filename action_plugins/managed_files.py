# SPDX-License-Identifier: Apache-2.0
"""The controller's part of managed_files: what the files hold."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible._internal._templating import _template_vars
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

SOURCES = ("template", "src", "content")
LEFT_HERE = {*SOURCES, "each", "when"}

type Entry = dict[str, Any]


class ActionModule(ActionBase):
    """Renders and reads the files, and hands them to the module in one call."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module returns; library/managed_files.py describes options and results."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        given = self._task.args.get("files")
        if not isinstance(given, list) or not all(
            isinstance(entry, dict) and entry.get("path") for entry in given
        ):
            raise AnsibleActionFail("managed_files needs `files`, a list of entries with a path each.")
        files: list[Entry] = []
        contents: list[bytes] = []
        for entry in given:
            if not boolean(entry.get("when", True)):
                continue
            for single, item in self._singles(entry):
                for file, content in self._sources(single, variables | item):
                    size = {} if content is None else {"size": len(content)}
                    files.append({key: file[key] for key in file.keys() - LEFT_HERE} | size)
                    contents.append(content or b"")
        packed = base64.b64encode(zlib.compress(b"".join(contents))).decode()
        arguments = self._task.args | {"files": files, "contents": packed}
        return self._execute_module(module_args=arguments, task_vars=variables)

    def _singles(self, entry: Entry) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Yield an entry, or one for each key of its mapping with what a template knows of that."""
        if entry.get("each") is None:
            yield entry, {}
            return
        if not isinstance(entry["each"], dict):
            raise AnsibleActionFail(f"What {entry['path']} is made for each of is no mapping.")
        for key, value in entry["each"].items():
            single = entry | {"path": entry["path"].replace("{}", key)}
            if entry.get("state", "file") == "file" and not any(source in entry for source in SOURCES):
                single["content"] = value
            yield single, {"item": {"key": key, "value": value}}

    def _sources(self, entry: Entry, variables: dict[str, Any]) -> Iterator[tuple[Entry, bytes | None]]:
        """Yield an entry with its content; of a directory that is copied, one for each thing in it."""
        sources = [source for source in SOURCES if entry.get(source) is not None]
        wanted = entry.get("state", "file") == "file"
        if len(sources) != wanted:
            raise AnsibleActionFail(
                f"{entry['path']} needs one of template, src and content."
                if wanted
                else f"{entry['path']} is no file, so that it can have no {' or '.join(sources)}."
            )
        if not sources:
            yield entry, None
        elif sources == ["template"]:
            yield entry, self._rendered(entry, variables)
        elif sources == ["src"]:
            yield from self._copied(entry)
        elif isinstance(entry["content"], str):
            yield entry, to_bytes(entry["content"], errors="surrogate_or_strict")
        else:
            raise AnsibleActionFail(
                f"The content of {entry['path']} is no text; `| to_nice_json` makes it one."
            )

    def _find(self, directory: str, entry: Entry, source: str) -> Path:
        """Return the path of a template or file on the controller."""
        try:
            return Path(self._find_needle(directory, source))
        except AnsibleError as error:
            raise AnsibleActionFail(f"What {entry['path']} is made from is not there: {error}") from error

    def _rendered(self, entry: Entry, variables: dict[str, Any]) -> bytes:
        """Return a rendered template, as ansible.builtin.template renders it for itself alone."""
        path = self._find("templates", entry, entry["template"])
        places = [*variables.get("ansible_search_path", []), self._loader.get_basedir(), str(path.parent)]
        described = _template_vars.generate_ansible_template_vars(
            path=entry["template"],
            fullpath=str(path),
            dest_path=entry["path"],
            include_ansible_managed="ansible_managed" not in variables,
        )
        templar = self._templar.copy_with_new_env(
            searchpath=[found for place in places for found in (f"{place}/templates", place)],
            available_variables=variables | described,
        )
        text = trust_as_template(self._loader.get_text_file_contents(str(path)))
        rendered = templar.template(text, escape_backslashes=False, overrides={"trim_blocks": True})
        return to_bytes("" if rendered is None else rendered, errors="surrogate_or_strict")

    def _copied(self, entry: Entry) -> Iterator[tuple[Entry, bytes | None]]:
        """Yield the entries for a file of the role, or for a directory and all that is in it."""
        source = self._find("files", entry, entry["src"])
        if not source.is_dir():
            yield entry, self._read(source)
            return
        for folder, directories, names in source.walk(follow_symlinks=True):
            directories[:] = sorted(name for name in directories if name != "__pycache__")
            target = Path(entry["path"], folder.relative_to(source))
            yield entry | {"path": str(target), "state": "directory", "mode": None, "validate": None}, None
            for name in sorted(names):
                yield entry | {"path": str(target / name)}, self._read(folder / name)

    def _read(self, path: Path) -> bytes:
        """Return the content of a file on the controller, decrypted if it is a vault."""
        return Path(self._loader.get_real_file(str(path), decrypt=True)).read_bytes()
