#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Pack the wheels of hash-pinned locks for Windows, one archive a lock."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.files import alone_in, sha256, write_atomically
from ansible.module_utils.wheels import CommandFailed, digest, download, missing_locks

DOCUMENTATION = r"""
module: wheel_archive
short_description: Pack the wheels of hash-pinned locks for Windows, one archive a lock
description:
  - Runs on the controller. For each lock makes one zip archive with every wheel that it names for Windows,
    the project's own wheels, and C(requirements.txt) with the hashes of all of them. A Windows host installs
    from it with C(pip install --no-index --no-deps --require-hashes --find-links . -r requirements.txt).
  - One archive, because many files over WinRM are slow.
  - The same input makes the same bytes, and an archive whose input is unchanged is left as it is.
  - Writes C(manifest.json) beside the archives, with the file name and SHA-256 of each by the lock's name.
options:
  path:
    description: The directory that receives the archives, C(<lock>-<start of its SHA-256>.zip).
    type: path
    required: true
  locks:
    description: The locks, each compiled with hashes and for Windows, so without markers.
    type: list
    elements: path
    required: true
  packages:
    description: Wheels of our own that go into every archive. In a check they need not exist yet.
    type: list
    elements: path
    default: []
  python_version:
    description: The Python version of the hosts that install the wheels.
    type: str
    default: "3.13"
  platform:
    description: The wheels' platform.
    type: str
    default: win_amd64
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Pack what the gateway needs on Windows
  wheel_archive:
    path: .cache/artifacts/windows
    locks: [requirements/gateway-windows.txt]
    packages: [.cache/artifacts/wheels/hal-0.1.0-py3-none-any.whl]
"""

RETURN = r"""
packed:
  description: The locks whose archives were made by this run.
  type: list
  elements: str
  returned: always
archives:
  description: File name and SHA-256 of each archive by its lock's name; in a check only of those there are.
  type: dict
  returned: always
"""

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "locks": {"type": "list", "elements": "path", "required": True},
    "packages": {"type": "list", "elements": "path", "default": []},
    "python_version": {"type": "str", "default": "3.13"},
    "platform": {"type": "str", "default": "win_amd64"},
}


EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


def pinned(wheel: Path) -> str:
    """Return the requirement that pins a wheel file. Raises CommandFailed if its name is not a wheel's."""
    match = re.match(r"([\w.]+)-([\w.!+]+)-(?:\w+-)?[\w.]+-[\w.]+-[\w.]+\.whl$", wheel.name)
    if not match:
        raise CommandFailed(f"{wheel} is not named as a wheel is: <name>-<version>-…-<platform>.whl")
    return f"{match[1]}=={match[2]} --hash=sha256:{sha256(wheel)}\n"


def write_zip(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, by name, into an archive; uncompressed, as versions of zlib compress differently."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # as on Unix, so that the mode counts
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, contents[name])


class Archives:
    """The directory of archives and its manifest: `file`, `sha256` and `input` by the lock's name."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.path = Path(params["path"])
        self.packages = sorted(Path(package) for package in params["packages"])
        self.python_version, self.platform = params["python_version"], params["platform"]
        self.manifest_path = self.path / "manifest.json"
        self.manifest = {}
        if self.manifest_path.exists():
            self.manifest = json.loads(self.manifest_path.read_text())

    def input(self, lock: Path) -> str:
        """Return a digest of what an archive is made of; a package that is not built yet is like no other."""
        packages = [f"{path.name} {sha256(path) if path.is_file() else ''}" for path in self.packages]
        return digest(self.python_version, self.platform, *packages, lock.read_bytes())

    def is_stale(self, lock: Path) -> bool:
        recorded = self.manifest.get(lock.stem, {})
        archive = self.path / recorded.get("file", "")
        return (
            recorded.get("input") != self.input(lock)
            or not archive.is_file()
            or sha256(archive) != recorded["sha256"]
        )

    def make(self, lock: Path) -> None:
        """Download a lock's wheels, pack them, and remove the lock's former archive."""
        requirements = lock.read_text() + "".join(pinned(package) for package in self.packages)
        with tempfile.TemporaryDirectory(dir=self.path.resolve()) as directory:
            download(lock, Path(directory), self.python_version, [self.platform])
            wheels = [*Path(directory).glob("*.whl"), *self.packages]
            contents = {wheel.name: wheel.read_bytes() for wheel in wheels}
            archive = Path(directory, "archive.zip")
            write_zip(archive, contents | {"requirements.txt": requirements.encode()})
            checksum = sha256(archive)
            name = f"{lock.stem}-{checksum[:16]}.zip"
            archive.replace(self.path / name)
        former = self.manifest.get(lock.stem, {}).get("file", name)
        self.manifest[lock.stem] = {"file": name, "sha256": checksum, "input": self.input(lock)}
        write_atomically(self.manifest_path, json.dumps(self.manifest, indent=2, sort_keys=True) + "\n")
        if former != name:
            (self.path / former).unlink(missing_ok=True)


def update(archives: Archives, locks: list[Path], *, dry: bool) -> dict[str, Any]:
    """Make the archives that are missing or outdated and return the result; a dry run only predicts it."""
    stale = [lock for lock in locks if archives.is_stale(lock)]
    if not dry:
        for lock in stale:
            archives.make(lock)
    made = {
        name: {key: recorded[key] for key in ("file", "sha256")}
        for name, recorded in archives.manifest.items()
    }
    return {"changed": bool(stale), "packed": [lock.name for lock in stale], "archives": made}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    locks = [Path(lock) for lock in module.params["locks"]]
    if fault := missing_locks(locks):
        module.fail_json(msg=fault)
    if module.check_mode:
        module.exit_json(**update(Archives(module.params), locks, dry=True))
    absent = [package for package in module.params["packages"] if not Path(package).is_file()]
    if absent:
        module.fail_json(msg=f"No such wheel: {', '.join(absent)}. Build it with the module wheelhouse.")
    try:
        with alone_in(Path(module.params["path"])):
            result = update(Archives(module.params), locks, dry=False)
    except CommandFailed as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
