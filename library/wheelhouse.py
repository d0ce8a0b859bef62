#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Fetch the wheels that hash-pinned locks name, and build the project's own."""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.files import alone_in, sha256, write_atomically
from ansible.module_utils.wheels import CommandFailed, digest, download, missing_locks, run

DOCUMENTATION = r"""
module: wheelhouse
short_description: Fetch the wheels of hash-pinned locks into one directory
description:
  - Runs on the controller. Downloads every wheel that the locks name, for each Python that hosts have and not
    for the controller's, and builds the project's own wheel beside them.
  - What was fetched is recorded by the digest of each lock, so that an unchanged lock costs nothing.
  - Writes C(manifest.json) beside the wheels with the file name and SHA-256 of the project's wheel.
options:
  path:
    description: The directory that receives the wheels.
    type: path
    required: true
  project:
    description: The directory of the project whose wheel is built (with hatchling).
    type: path
    required: true
  locks:
    description: The locks, each compiled with hashes.
    type: list
    elements: path
    required: true
  python_versions:
    description: The Python versions of the hosts that install the wheels.
    type: list
    elements: str
    default: ["3.12", "3.13", "3.14"]
  glibc:
    description: The oldest version of the GNU C library among the hosts, which run x86_64.
    type: str
    default: "2.39"
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Fetch what the gateway needs
  wheelhouse:
    path: .cache/artifacts/wheels
    project: .
    locks: [requirements/gateway.txt]
"""

RETURN = r"""
fetched:
  description: The locks whose wheels were fetched by this run.
  type: list
  elements: str
  returned: always
wheel:
  description: File name and SHA-256 of the project's own wheel; empty in a check before it was built.
  type: dict
  returned: always
"""

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "project": {"type": "path", "required": True},
    "locks": {"type": "list", "elements": "path", "required": True},
    "python_versions": {"type": "list", "elements": "str", "default": ["3.12", "3.13", "3.14"]},
    "glibc": {"type": "str", "default": "2.39"},
}
# Names of wheel platforms from before they carried the library's version (PEP 599, 571, 513).
OLD_PLATFORMS = {"2.17": "manylinux2014", "2.12": "manylinux2010", "2.5": "manylinux1"}


def platforms(glibc: str) -> list[str]:
    """Return the wheel platforms that hosts with this C library can use, the newest first (PEP 600)."""
    versions = [f"2.{minor}" for minor in range(int(glibc.partition(".")[2]), 4, -1)]
    tags = [[f"manylinux_{version.replace('.', '_')}", OLD_PLATFORMS.get(version)] for version in versions]
    return [f"{tag}_x86_64" for pair in tags for tag in pair if tag]


class Wheelhouse:
    """The directory of wheels and its manifest, which holds `locks`, `wheel` and `source`, each by digest."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.path = Path(params["path"])
        self.project = Path(params["project"])
        self.versions: list[str] = params["python_versions"]
        self.platforms = platforms(params["glibc"])
        self.manifest_path = self.path / "manifest.json"
        self.manifest: dict[str, Any] = {"locks": {}, "wheel": {}, "source": ""}
        if self.manifest_path.exists():
            self.manifest = json.loads(self.manifest_path.read_text())

    def save(self) -> None:
        write_atomically(self.manifest_path, json.dumps(self.manifest, indent=2, sort_keys=True) + "\n")

    def lock_digest(self, lock: Path) -> str:
        return digest(*self.versions, *self.platforms, lock.read_bytes())

    def is_stale(self, lock: Path) -> bool:
        return self.manifest["locks"].get(lock.name) != self.lock_digest(lock)

    def fetch(self, lock: Path) -> None:
        """Download the wheels of one lock and record that they are there."""
        for version in self.versions:
            download(lock, self.path, version, self.platforms)
        self.manifest["locks"][lock.name] = self.lock_digest(lock)
        self.save()

    def source_digest(self) -> str:
        """Return a digest of everything the project's wheel is made of."""
        pyproject = self.project / "pyproject.toml"
        wheel = tomllib.loads(pyproject.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
        left_out = [self.project / path for path in wheel.get("exclude", [])]
        files = [pyproject, self.project / "README.md", self.project / "LICENSE"]
        files += sorted(
            path
            for path in (self.project / "src").rglob("*")
            if path.is_file()
            and "__pycache__" not in path.parts
            and not any(path.is_relative_to(other) for other in left_out)
        )
        return digest(
            *(
                str(path.relative_to(self.project)).encode() + path.read_bytes()
                for path in files
                if path.exists()
            )
        )

    def build(self) -> None:
        """Build the project's wheel; the same source gives the same bytes."""
        with tempfile.TemporaryDirectory(dir=self.path.resolve()) as directory:
            run(
                [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", directory],
                self.project,
                "build the project's wheel",
            )
            (wheel,) = Path(directory).glob("*.whl")
            self.manifest["wheel"] = {"file": wheel.name, "sha256": sha256(wheel)}
            wheel.replace(self.path / wheel.name)
        self.manifest["source"] = self.source_digest()
        self.save()


def update(wheelhouse: Wheelhouse, locks: list[Path], *, dry: bool) -> dict[str, Any]:
    """Fetch and build what is missing or outdated and return the result; a dry run only predicts it."""
    stale = [lock for lock in locks if wheelhouse.is_stale(lock)]
    outdated = wheelhouse.manifest["source"] != wheelhouse.source_digest()
    if not dry:
        for lock in stale:
            wheelhouse.fetch(lock)
        if outdated:
            wheelhouse.build()
    return {
        "changed": bool(stale) or outdated,
        "fetched": [lock.name for lock in stale],
        "wheel": wheelhouse.manifest["wheel"],
    }


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    locks = [Path(lock) for lock in module.params["locks"]]
    if fault := missing_locks(locks):
        module.fail_json(msg=fault)
    if module.check_mode:
        module.exit_json(**update(Wheelhouse(module.params), locks, dry=True))
    try:
        with alone_in(Path(module.params["path"])):
            result = update(Wheelhouse(module.params), locks, dry=False)
    except CommandFailed as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
