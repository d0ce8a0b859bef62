# SPDX-License-Identifier: Apache-2.0
"""How a host is read: its files and its programs, and what could not be read of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.own_files import is_ours
from ansible.module_utils.packaged_files import as_packaged, packaged_files

ROOT = Path("/")
SECONDS = "20"  # after which a program that does not answer, such as Docker without its daemon, is given up


@dataclass
class Host:
    """The host that the module runs on.

    Attributes:
        module: the module, which runs programs.
        unread: a sentence for each thing that could not be read.
    """

    module: AnsibleModule
    unread: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.module.run_command_environ_update = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}

    def path(self, path: str | Path) -> Path:
        """Return where a path of the host is, links of the host followed."""
        return ROOT / str(path).lstrip("/")

    def text(self, path: str | Path) -> str:
        """Return the text of a file; empty: there is none, or it cannot be read, which is told."""
        place = self.path(path)
        try:
            return place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
        except OSError as error:
            self.unread.append(f"{path} cannot be read: {error.strerror}.")
            return ""

    def files(self, path: str | Path) -> list[str]:
        """Return the paths of the files in a directory, sorted; none: there is no such directory."""
        try:
            found = sorted(entry for entry in self.path(path).iterdir() if entry.is_file())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.unread.append(f"{path} cannot be read: {error.strerror}.")
            return []
        return [str(Path(path) / entry.name) for entry in found]

    def has(self, program: str) -> bool:
        """Return whether the host has a program."""
        return bool(self.module.get_bin_path(program))

    def output(self, *command: str) -> str:
        """Return what a program says; empty: the host has none, or it failed, which is told."""
        program = self.module.get_bin_path(command[0])
        if not program:
            return ""
        limited = ["timeout", SECONDS] if shutil.which("timeout") else []
        code, output, error = self.module.run_command([*limited, program, *command[1:]])
        if code:
            said = (error or output).strip().splitlines()
            self.unread.append(
                f"`{' '.join(command[:2])}` ended with {code}{': ' + said[-1] if said else ''}."
            )
            return ""
        return str(output)

    def is_ours(self, path: str | Path) -> bool:
        """Return whether HAL wrote a file."""
        return is_ours(self.text(path).encode())

    def is_packaged(self, path: str | Path) -> bool:
        """Return whether a file is as a Debian package brought it."""
        return as_packaged(self.path(path), self._packaged.get(str(path)))

    @cached_property
    def _packaged(self) -> dict[str, str]:
        """Return the MD5 of every configuration file that a package brought, by its path."""
        return packaged_files(self.output("dpkg-query", "--show", "--showformat", "${Conffiles}\n"))
