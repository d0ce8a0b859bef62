#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Install a locked set of wheels as a new release next to the present one and switch to it atomically."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: python_release
short_description: Install locked wheels as a release beside the present one and switch to it
description:
  - Builds a virtual environment in C(releases/<digest>) below I(path) and points the link C(current) there.
    The digest is that of lock, packages and Python version, so that the same input is the same release.
  - A release that was not completed is built anew. The link is replaced by rename, when its new target
    is complete.
  - Works offline, unless I(index) is set. Nothing is built from source, and no wheel whose hash is not given
    is installed.
  - The environment has no pip of its own; the host's C(python3-venv) lends one.
options:
  path:
    description: The directory of the releases.
    type: path
    required: true
  state:
    description:
      - V(present) installs the release and switches to it.
      - V(previous) goes back to the release before the current one. It can do so once.
    type: str
    choices: [present, previous]
    default: present
  requirements:
    description: The content of a complete, hash-pinned lock.
    type: str
    default: ""
  packages:
    description: Wheels to install beside those of the lock, without their dependencies.
    type: list
    elements: dict
    default: []
    suboptions:
      file:
        description: File name of the wheel.
        type: str
        required: true
      sha256:
        description: Its SHA-256 in hexadecimal.
        type: str
        required: true
  find_links:
    description: Address of a page that links to the wheels, or a directory. Required to install.
    type: str
  index:
    description:
      - Whether wheels may come from the host's package index too, as its pip is configured; their hashes are
        checked all the same.
      - For a host whose system or processor is not that of the wheels in I(find_links).
    type: bool
    default: false
  python:
    description: The interpreter to build the environment with.
    type: path
    default: /usr/bin/python3
  keep:
    description: How many releases to keep. The current and the previous one always stay.
    type: int
    default: 2
attributes:
  check_mode:
    support: full
    description: Names the release that would be installed.
  diff_mode:
    support: full
    description: Shows the versions before and after.
author: HAL network
"""

EXAMPLES = r"""
- name: Install the gateway
  python_release:
    path: /opt/hal/gateway
    requirements: "{{ lookup('ansible.builtin.file', 'requirements/gateway.txt') }}"
    packages:
      - file: hal-0.1.0-py3-none-any.whl
        sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    find_links: http://nas:8080/wheels/

- name: Go back
  python_release:
    path: /opt/hal/gateway
    state: previous
"""

RETURN = r"""
release:
  description: Name of the release that C(current) points to.
  type: str
  returned: success
previous:
  description: Name of the release that I(state=previous) would go back to; empty if there is none.
  type: str
  returned: success
path:
  description: Directory of the release.
  type: str
  returned: success
pruned:
  description: Names of the releases that were removed.
  type: list
  elements: str
  returned: success
"""

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "previous"], "default": "present"},
    "requirements": {"type": "str", "default": ""},
    "packages": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"file": {"type": "str", "required": True}, "sha256": {"type": "str", "required": True}},
    },
    "find_links": {"type": "str"},
    "index": {"type": "bool", "default": False},
    "python": {"type": "path", "default": "/usr/bin/python3"},
    "keep": {"type": "int", "default": 2},
}
# Prints what the interpreter's wheels are tagged with, and the wheel of pip, which only python3-venv brings.
PROBE = """
import json, pathlib, sys, sysconfig
try:
    import ensurepip
except ModuleNotFoundError:
    wheels = []
else:
    folder = sysconfig.get_config_var("WHEEL_PKG_DIR") or pathlib.Path(ensurepip.__file__).parent / "_bundled"
    wheels = sorted(map(str, pathlib.Path(folder).glob("pip-*.whl")))
print(json.dumps({"tag": sys.implementation.cache_tag, "pip": wheels[-1] if wheels else ""}))
"""

FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=15).read()"


class ReleaseError(Exception):
    """The release cannot be installed or switched to; the text says why and what to do."""


def requirement_lines(lock: str, packages: list[dict[str, Any]]) -> list[str]:
    """Return the lines for pip: the lock without its remarks, and one pinned line for each package."""
    lines = [line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for requirement in "\n".join(lines).replace("\\\n", " ").splitlines():
        if "--hash=" not in requirement:
            raise ReleaseError(f"The lock has no hash for {requirement.strip()}. Compile it with hashes.")
    for package in packages:
        match = re.match(r"([\w.]+)-([\w.!+]+)-(?:\w+-)?[\w.]+-[\w.]+-[\w.]+\.whl$", package["file"])
        if not match or not re.fullmatch(r"[0-9a-f]{64}", package["sha256"]):
            raise ReleaseError(f"{package} is not a wheel's file name with its SHA-256 in hexadecimal.")
        lines.append(f"{match[1]}=={match[2]} --hash=sha256:{package['sha256']}")
    return lines


def explain(output: str, source: str) -> str:
    """Return one sentence for what pip said, and its last lines where the cause is not known."""
    if match := re.search(r"^ +(\S+).*\n +Expected sha256 +(\w+)\n +Got +(\w+)", output, re.MULTILINE):
        return f"{match[1]} from {source} has the SHA-256 {match[3]}, but the lock demands {match[2]}."
    if match := re.search(r"No matching distribution found for ([^\s;]+)", output):
        return f"{source} has no wheel of {match[1]} for this host's Python."
    return "\n".join(
        ["pip failed:", *(output.strip().splitlines()[-5:] or ["It said nothing; was it killed?"])]
    )


def extent(directory: Path) -> str:
    """Return number and size in bytes of the files of a release, without what Python compiles by itself."""
    files = [path for path in directory.rglob("*") if path.suffix != ".pyc" and path.name != ".complete"]
    sizes = [path.lstat().st_size for path in files if path.is_symlink() or path.is_file()]
    return f"{len(sizes)} {sum(sizes)}"  # of a link itself: the system's Python is upgraded


class Releases:
    """The releases below one directory, and the links to the current and the previous one."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.root = Path(module.params["path"])
        self.current = self.linked("current")
        self.previous = self.linked("previous")

    def linked(self, name: str) -> str:
        """Return the name of the complete release that a link points to, or nothing."""
        link = self.root / name
        release = link.readlink().name if link.is_symlink() else ""
        return release if self.complete(release) else ""

    def directory(self, release: str) -> Path:
        return self.root / "releases" / release

    def complete(self, release: str) -> bool:
        """Return whether a release was built to its end, and has since lost nothing."""
        mark = self.directory(release) / ".complete"
        if not release or not mark.exists():
            return False
        return mark.read_text() in ("", extent(self.directory(release)))  # "": of a release from before

    def versions(self, release: str) -> str:
        """Return what a release consists of, one package a line."""
        path = self.directory(release) / "requirements.txt"
        return versions(path.read_text().splitlines()) if release and path.exists() else ""

    def link(self, name: str, release: str) -> None:
        """Point a link to a release, by rename, so that it never misses."""
        temporary = self.root / f".{name}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path("releases", release))
        temporary.replace(self.root / name)

    def run(self, command: list[str], what: str) -> str:
        """Run a command; return its output or raise ReleaseError with the last line of what it said."""
        code, output, error = self.module.run_command(command)
        if code:
            raise ReleaseError(f"{what} {''.join(error.strip().splitlines()[-1:])}")
        return output

    def probe(self) -> dict[str, Any]:
        """Ask the interpreter for its tag and its pip."""
        python = self.module.params["python"]
        if not os.access(python, os.X_OK):
            raise ReleaseError(f"There is no Python at {python}. Install python3 and python3-venv.")
        return json.loads(self.run([python, "-I", "-c", PROBE], f"{python} does not run."))

    def build(self, release: str, lines: list[str], pip: str) -> None:
        """Build a release, whatever an interrupted build left, and mark it complete at the very end."""
        if not pip:
            raise ReleaseError(
                f"{self.module.params['python']} cannot make environments: install python3-venv."
            )
        directory = self.directory(release)
        source = self.module.params["find_links"]
        if "://" in source:
            self.run([self.module.params["python"], "-I", "-c", FETCH, source], f"{source} cannot be read.")
        elif not Path(source).is_dir():
            raise ReleaseError(f"There is no directory {source} to take wheels from.")
        if directory.exists():
            shutil.rmtree(directory)
        directory.parent.mkdir(parents=True, exist_ok=True)
        self.run(
            [self.module.params["python"], "-m", "venv", "--without-pip", str(directory)],
            "No environment made.",
        )
        requirements = directory / "requirements.txt"
        requirements.write_text("\n".join(lines) + "\n")
        command = [str(directory / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
        command += [
            "install",
            "--no-input",
            "--no-cache-dir",
            "--no-compile",
            "--no-deps",
            "--require-hashes",
        ]
        command += ["--only-binary=:all:", f"--find-links={source}"]
        command += [f"--trusted-host={urlsplit(source).hostname}"] if "://" in source else []
        environment = {"PYTHONPATH": pip}
        if not self.module.params["index"]:
            command += ["--isolated", "--no-index"]
            environment["PIP_CONFIG_FILE"] = os.devnull
        code, output, error = self.module.run_command(
            [*command, f"--requirement={requirements}"], environ_update=environment
        )
        if code:
            shutil.rmtree(directory)
            raise ReleaseError(explain(output + error, source))
        # pip compiles on one processor. What cannot be compiled is no fault: packages bring templates, too.
        self.module.run_command(
            [command[0], "-I", "-m", "compileall", "-q", "-j", "0", str(directory / "lib")]
        )
        # The mark must not outlive its files when the power fails. Other file systems may have much to write.
        self.run(["sync", "--file-system", str(directory)], "The release cannot be written to the disk.")
        (directory / ".complete").write_text(extent(directory))

    def superfluous(self, current: str, previous: str) -> list[str]:
        """Return the releases to remove: the incomplete ones, and the oldest of those beyond `keep`."""
        found = [
            path.name for path in (self.root / "releases").glob("*") if path.name not in (current, previous)
        ]
        found.sort(key=lambda name: self.directory(name).stat().st_mtime, reverse=True)
        kept = [name for name in found if self.complete(name)]
        kept = kept[: max(0, self.module.params["keep"] - len({current, previous} - {""}))]
        return [name for name in found if name not in kept]


def versions(lines: list[str]) -> str:
    """Return the requirements among the lines of a lock, without the hashes on lines of their own."""
    return "".join(line.rstrip(" \\") + "\n" for line in lines if not line.startswith((" ", "-")))


def install(releases: Releases, params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Install the release that the parameters describe and switch to it, or predict that."""
    lines = requirement_lines(params["requirements"], params["packages"])
    if not lines:
        raise ReleaseError("Nothing to install: give requirements or packages.")
    python = releases.probe()
    release = hashlib.sha256("\n".join([python["tag"], *lines]).encode()).hexdigest()[:12]
    before = releases.current
    previous = before if before not in ("", release) else releases.previous.replace(release, "")
    pruned = releases.superfluous(release, previous)
    changed = release != before or bool(pruned)
    result = {
        "release": release,
        "previous": previous,
        "path": str(releases.directory(release)),
        "pruned": pruned,
        "diff": {"before": releases.versions(before), "after": versions(lines)},
    }
    if changed and not check:
        if not releases.complete(release):
            releases.build(release, lines, python["pip"])
        if previous and previous != releases.previous:
            releases.link("previous", previous)
        if release != before:
            releases.link("current", release)
        for name in pruned:
            shutil.rmtree(releases.directory(name))
    return {"changed": changed, **result}


def go_back(releases: Releases, check: bool) -> dict[str, Any]:
    """Switch to the previous release, or predict that."""
    target = releases.previous
    if not target or target == releases.current:
        raise ReleaseError(f"{releases.root} has no previous release to go back to.")
    diff = {"before": releases.versions(releases.current), "after": releases.versions(target)}
    if not check:
        releases.link("current", target)
    path = str(releases.directory(target))
    return {"changed": True, "release": target, "previous": "", "path": path, "pruned": [], "diff": diff}


def main() -> None:
    module = AnsibleModule(
        ARGUMENT_SPEC, supports_check_mode=True, required_if=[("state", "present", ["find_links"])]
    )
    os.umask(0o022)  # services of other users run what is installed here
    root = Path(module.params["path"])
    try:
        with contextlib.ExitStack() as stack:
            if not module.check_mode:
                # A run whose controller was killed may still be installing here: wait for it.
                root.mkdir(parents=True, exist_ok=True)
                fcntl.flock(stack.enter_context((root / ".lock").open("w")), fcntl.LOCK_EX)
            releases = Releases(module)
            if module.params["state"] == "previous":
                result = go_back(releases, module.check_mode)
            else:
                result = install(releases, module.params, module.check_mode)
    except (ReleaseError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
