#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Keep declared files of the internet in one directory, each fetched once and verified."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fetching import FetchError, Unfinished, deadline, fetch, figure, sha256
from ansible.module_utils.wheels import alone_in, write_atomically

DOCUMENTATION = r"""
module: cached_downloads
short_description: Keep declared files of the internet in one directory
description:
  - Fetches every file that is not there yet, or that was changed since, and compares it with its SHA-256
    before it gets its name. A download that breaks off goes on where it stopped, also in a later run.
  - For a file that is there, nothing is asked of any server. It is read again only if its size or time has
    changed, so that a second run costs nothing, however large the files are.
  - Other files in the directory are left alone.
options:
  path:
    description: The directory that receives the files.
    type: path
    required: true
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where the file stands below the directory.
        type: str
        required: true
      url:
        description: Where it is fetched from.
        type: str
        required: true
      checksum:
        description: Its checksum, C(sha256:) and 64 hexadecimal digits.
        type: str
        required: true
extends_documentation_fragment: [fetching]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Keep Ollama's archive
  cached_downloads:
    path: /srv/artifacts/downloads
    files:
      - path: example.org/ollama-linux-amd64.tgz
        url: https://example.org/ollama-linux-amd64.tgz
        checksum: sha256:8f4bf70a9856a34ba71355745c2189a472e2691a020ebd2e242a58e4d2094722
"""

RETURN = r"""
extends_documentation_fragment: [fetching]
fetched:
  description: The addresses of the files that this call completed, or in a check would fetch.
  type: list
  elements: str
  returned: success
"""

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "str", "required": True},
            "url": {"type": "str", "required": True},
            "checksum": {"type": "str", "required": True},
        },
    },
    "report_after": {"type": "int", "default": 0},
}
CHECKSUM = re.compile(r"sha256:([0-9a-f]{64})")


def faults(files: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each file that is declared wrongly."""
    found = []
    for file in files:
        if not CHECKSUM.fullmatch(file["checksum"]):
            found.append(f"The checksum of {file['url']} is not sha256: and 64 hexadecimal digits.")
        if Path(file["path"]).is_absolute() or ".." in Path(file["path"]).parts:
            found.append(f"{file['path']} is not a path below the directory.")
    return found


class Verified:
    """What is known of the files from earlier runs: checksum, size and time by path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.record = directory / ".verified.json"
        self.known = json.loads(self.record.read_text()) if self.record.exists() else {}

    def _state(self, path: str, checksum: str) -> list[Any]:
        status = (self.directory / path).stat()
        return [checksum, status.st_size, status.st_mtime_ns]

    def holds(self, path: str, checksum: str) -> bool:
        """Return whether a file is there and the one declared; it is read only if it may have changed."""
        file = self.directory / path
        if not file.is_file():
            return False
        return self.known.get(path) == self._state(path, checksum) or sha256(file) == checksum

    def note(self, path: str, checksum: str) -> None:
        """Remember that a file has been verified."""
        state = self._state(path, checksum)
        if self.known.get(path) != state:
            self.known[path] = state
            write_atomically(self.record, json.dumps(self.known, indent=1, sort_keys=True) + "\n")


def update(directory: Path, files: list[dict[str, Any]], until: float, *, dry: bool) -> dict[str, Any]:
    """Fetch what is missing until it is time, and return the result; a dry run only predicts it."""
    verified = Verified(directory)
    fetched: list[str] = []
    for file in files:
        checksum = file["checksum"].removeprefix("sha256:")
        if not verified.holds(file["path"], checksum):
            if not dry:
                try:
                    fetch(file["url"], directory / file["path"], checksum, until)
                except Unfinished as unfinished:
                    progress = figure(Path(file["path"]).name, unfinished.here, unfinished.size)
                    return {"changed": True, "fetched": fetched, "complete": False, "progress": progress}
            fetched.append(file["url"])
        if not dry:
            verified.note(file["path"], checksum)
    return {"changed": bool(fetched), "fetched": fetched, "complete": True}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    directory, files = Path(module.params["path"]), module.params["files"]
    if found := faults(files):
        module.fail_json(msg=" ".join(found))
    until = deadline(module.params["report_after"])
    if module.check_mode:
        module.exit_json(**update(directory, files, until, dry=True))
    os.umask(0o022)  # what serves the files runs as another user
    try:
        with alone_in(directory):
            result = update(directory, files, until, dry=False)
    except (FetchError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
