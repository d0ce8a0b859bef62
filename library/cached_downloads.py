#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Keep declared files of the internet in one directory, each fetched once, verified, perhaps unpacked."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.archives import UnpackError, unpack
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fetching import FetchError, Unfinished, deadline, fetch, figure
from ansible.module_utils.files import alone_in, sha256, write_atomically

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
      unpack_to:
        description:
          - A directory below the directory, into which the file is unpacked as well. It is a zip archive, or
            what C(tar) can read, for which it may need another program, such as C(zstd). Everybody may read
            what was in it.
        type: str
      creates:
        description:
          - What must be below O(files[].unpack_to) then, perhaps with wildcards; while it is not, the file is
            unpacked anew.
        type: str
      merge:
        description: Whether it adds to what an earlier one of the files has unpacked there.
        type: bool
        default: false
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
      - path: example.org/ollama-linux-amd64.tar.zst
        url: https://example.org/ollama-linux-amd64.tar.zst
        checksum: sha256:56362d7609dfa9e35aaebb7c9cab25605d8f0528ec3d5d585dc83d6642002bab

- name: Download and unpack a release of Ollama
  cached_downloads:
    path: /opt/ollama/releases
    files:
      - path: 0.32.0.archive
        url: https://example.org/ollama-linux-amd64.tar.zst
        checksum: sha256:56362d7609dfa9e35aaebb7c9cab25605d8f0528ec3d5d585dc83d6642002bab
        unpack_to: 0.32.0
        creates: bin/ollama
"""

RETURN = r"""
extends_documentation_fragment: [fetching]
fetched:
  description: The addresses of the files that this call completed, or in a check would fetch.
  type: list
  elements: str
  returned: success
unpacked:
  description: The directories into which this call unpacked an archive, or in a check would.
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
            "unpack_to": {"type": "str"},
            "creates": {"type": "str"},
            "merge": {"type": "bool", "default": False},
        },
        "required_together": [("unpack_to", "creates")],
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
        for path in (file["path"], file["unpack_to"] or ""):
            if Path(path).is_absolute() or ".." in Path(path).parts:
                found.append(f"{path} is not a path below the directory.")
    return found


class Verified:
    """What is known from earlier runs: checksum, size and time of files, and what was unpacked from which."""

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
        self._keep(path, self._state(path, checksum))

    def has_unpacked(self, file: dict[str, Any], checksum: str) -> bool:
        """Return whether what an archive holds is there; without a record, what is there counts as that."""
        there = next(Path(self.directory, file["unpack_to"]).glob(file["creates"]), None)
        return there is not None and self.known.get(self._unpacked(file), checksum) == checksum

    def note_unpacked(self, file: dict[str, Any], checksum: str) -> None:
        """Remember of which archive a directory has the content."""
        self._keep(self._unpacked(file), checksum)

    @staticmethod
    def _unpacked(file: dict[str, Any]) -> str:
        """Return under which name it is kept what a directory holds; several archives may share one."""
        return f"{file['unpack_to']}/{file['creates']}" if file["merge"] else str(file["unpack_to"])

    def _keep(self, path: str, state: Any) -> None:
        if self.known.get(path) != state:
            self.known[path] = state
            write_atomically(self.record, json.dumps(self.known, indent=1, sort_keys=True) + "\n")


def update(directory: Path, files: list[dict[str, Any]], until: float, *, dry: bool) -> dict[str, Any]:
    """Fetch and unpack what is missing until it is time; return the result, which a dry run only predicts."""
    verified = Verified(directory)
    result: dict[str, Any] = {"changed": False, "fetched": [], "unpacked": [], "complete": True}
    for file in files:
        checksum = file["checksum"].removeprefix("sha256:")
        held = verified.holds(file["path"], checksum)
        unpacked = not file["unpack_to"] or (held and verified.has_unpacked(file, checksum))
        result["fetched"] += [] if held else [file["url"]]
        result["unpacked"] += [] if unpacked else [file["unpack_to"]]
        if dry:
            continue
        try:
            if not held:
                fetch(file["url"], directory / file["path"], checksum, until)
            verified.note(file["path"], checksum)
            if not unpacked:
                where = directory / file["unpack_to"]
                unpack(directory / file["path"], where, file["creates"], merge=file["merge"])
            if file["unpack_to"]:
                verified.note_unpacked(file, checksum)
        except Unfinished as unfinished:
            result["fetched"].pop()
            progress = figure(Path(file["path"]).name, unfinished.here, unfinished.size)
            return result | {"changed": True, "complete": False, "progress": progress}
    return result | {"changed": bool(result["fetched"] or result["unpacked"])}


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
    except (FetchError, UnpackError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
