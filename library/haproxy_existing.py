#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Say whose the configuration of HAProxy on this host is, and keep a copy of the household's."""

from __future__ import annotations

import hashlib
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

from ansible.module_utils import guarded_paths, own_files
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.guarded_paths import Attributes
from ansible.module_utils.packaged_files import as_packaged, packaged_files

DOCUMENTATION = r"""
module: haproxy_existing
short_description: Say whose the configuration of HAProxy on this host is
description:
  - Reads C(haproxy.cfg) and what C(/etc/default/haproxy) has HAProxy read with it, and says whether this
    project wrote it, the package brought it, or a person made it. Nothing is changed by O(state=read).
  - It fails if the options, or a unit that somebody wrote, have HAProxy read something else, or what is not
    there.
  - With O(state=kept), what a person made is copied beside itself as C(.before-hal), once. With
    O(state=merged) what is read beside C(haproxy.cfg) is left empty as well, as its sections stand in that.
options:
  path:
    description: The configuration.
    type: path
    default: /etc/haproxy/haproxy.cfg
  defaults_path:
    description: Where the service's options are.
    type: path
    default: /etc/default/haproxy
  adopted:
    description: SHA-256 of the files that have been taken over into the description.
    type: list
    elements: str
    default: []
  program:
    description: HAProxy, which is asked whether it accepts what a person made. Without it, nobody is.
    type: str
    default: haproxy
  state:
    description: What becomes of the files that a person made.
    type: str
    choices: [read, kept, merged]
    default: read
attributes:
  check_mode:
    support: full
    description: It says what would be put aside.
  diff_mode:
    support: none
    description: There is nothing to show.
author: HAL network
"""

EXAMPLES = r"""
- name: See whose the configuration is
  haproxy_existing:
    state: read
  register: existing
"""

RETURN = r"""
owner:
  description: V(nobody), V(hal), V(package) or V(household).
  type: str
  returned: always
configuration:
  description: A person's files in the order in which HAProxy reads them, each with path, text and sha256.
  type: list
  elements: dict
  returned: always
maps:
  description:
    - The text of each map file that the configuration names, by its path, and that of each page of errors
      in C(/etc/haproxy/errors) that is not as the package brought it.
  type: dict
  returned: always
unknown:
  description: The paths of those that are not O(adopted).
  type: list
  elements: str
  returned: always
fault:
  description: What HAProxy itself says against a person's configuration; empty if it accepts it. Only read.
  type: str
  returned: always
summary:
  description: What a person's configuration serves, in words.
  type: str
  returned: always
ports:
  description: The TCP ports on which a person's configuration listens.
  type: list
  elements: int
  returned: always
"""

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "default": "/etc/haproxy/haproxy.cfg"},
    "defaults_path": {"type": "path", "default": "/etc/default/haproxy"},
    "adopted": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "str", "default": "haproxy"},
    "state": {"type": "str", "choices": ["read", "kept", "merged"], "default": "read"},
}
ALERT = re.compile(
    r"^\[ALERT\]\s*(?:[\d/() ]+)?:\s*(?:config : )?(?!Fatal errors|Error\(s\) found)(.*)", re.MULTILINE
)
VARIABLE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$", re.MULTILINE)
OPTION = re.compile(r"^\s*(CONFIG|EXTRAOPTS)=(.*)$", re.MULTILINE)
ERROR_PAGE = re.compile(r"^\s*errorfile\s+\d+\s+(\S+)", re.MULTILINE)
NAMED_HOST = re.compile(
    r"(?:hdr|hdr_end|hdr_dom|hdr_beg|ssl_sni|ssl_fc_sni)\b[^{}]*?((?:\s+\S+)+?)\s*(?:\}|$)"
)
SECTION = re.compile(
    r"\s*(?:(?:frontend|listen)\s+(\S+)|(?:global|defaults|backend|peers|log-forward)(?:\s|$))"
)
BIND = re.compile(r"^\s*bind\s+(\S+)", re.MULTILINE)
PORTS = re.compile(r":(\d+)(?:-(\d+))?(?:,|$)")
MAP = re.compile(r"\bmap(?:_[a-z]+)?\((/[^,()\s]+)")
MOST_NAMES = 20
UNIT = Path("/etc/systemd/system/haproxy.service")  # a person's, beside that of the package
SETTING = re.compile(r"^[ \t]*(ExecStart|Environment)[ \t]*=((?:[^\\\n]|\\.|\\\n)*)$", re.MULTILINE)
OWN_OPTIONS = re.compile(r"^(?:CONFIG=|EXTRAOPTS=)")


def read(path: Path) -> str:
    """Return a text, with a mark in the place of what is no UTF-8."""
    return path.read_text(encoding="utf-8", errors="replace")


def read_there(place: Path) -> list[Path]:
    """Return the files that HAProxy reads for a `-f`: of a directory those that end in .cfg."""
    if place.is_dir():
        return sorted(path for path in place.glob("*.cfg") if path.name[0] != "." and path.is_file())
    return [place]


def files_of(main: Path, defaults: Path) -> list[Path]:
    """Return the files that HAProxy reads, in order: the main one, then what its service's options name.

    Raises:
        ValueError: the options have it read something else, or what is not there.
    """
    options = dict(OPTION.findall(read(defaults))) if defaults.exists() else {}  # the last of a name holds
    given = {name: " ".join(shlex.split(value, comments=True)).split() for name, value in options.items()}
    instead, *more = given.get("CONFIG") or [str(main)]
    found = read_there(Path(instead))
    if main not in found:
        raise ValueError(
            f"CONFIG in {defaults} has HAProxy read {instead} instead of {main}: "
            "move it there, or take it out of CONFIG"
        )
    for value in named_files([*more, *given.get("EXTRAOPTS", [])]):
        if not Path(value).exists():
            raise ValueError(
                f"{defaults} has HAProxy read {value}, which is not there, so that HAProxy does "
                "not start: bring it back, or take it out of the options"
            )
        found += read_there(Path(value))
    check_unit(found, defaults)
    return [path for path in dict.fromkeys(found) if path.exists()]


def named_files(words: list[str]) -> list[str]:
    """Return the files that the words of a command have HAProxy read: after `-f`, and all after `--`."""
    end = words.index("--") if "--" in words else len(words)
    return [value for option, value in pairwise(words[:end]) if option == "-f"] + words[end + 1 :]


def check_unit(found: list[Path], defaults: Path) -> None:
    """Refuse a unit that has HAProxy read other files than these.

    Raises:
        ValueError: which unit, and what it names.
    """
    for path in [UNIT, *sorted(UNIT.with_name(f"{UNIT.name}.d").glob("*.conf"))]:
        for key, value in SETTING.findall(read(path)) if path.is_file() else ():
            words = shlex.split(value.replace("\\\n", " "))
            if key == "Environment":
                words = ["-f", *(w for word in words for w in OWN_OPTIONS.sub("", word).split() if w != word)]
            for name in named_files(words):
                places = [] if name.startswith(("$", "-")) else read_there(Path(name))
                if not {*places} <= {*found}:
                    raise ValueError(
                        f"{path} has HAProxy read {name}, which is read from {defaults} alone: "
                        f'name it there instead, as in EXTRAOPTS="-f {name}"'
                    )


def fault(module: AnsibleModule, files: list[Path], defaults: Path) -> str:
    """Return what HAProxy says against files; empty: nothing, or there is no HAProxy."""
    program = module.get_bin_path(module.params["program"])
    if not program:
        return ""
    variables = VARIABLE.findall(read(defaults)) if defaults.exists() else []
    given = {name: " ".join(shlex.split(value, comments=True)) for name, value in variables}
    code, output, error = module.run_command(
        [program, "-c", *(word for path in files for word in ("-f", str(path)))], environ_update=given
    )
    said = ALERT.findall(error or output) or (error or output).strip().splitlines()[-1:]
    return "; ".join(line.strip().rstrip(".") for line in said) or "no reason" if code else ""


def is_package_default(module: AnsibleModule, path: Path) -> bool:
    """Return whether a file is as the package brought it."""
    told = module.run_command(["dpkg-query", "--show", "--showformat", "${Conffiles}", "haproxy"])[1]
    return as_packaged(path, packaged_files(told).get(str(path)))


def summary(text: str) -> str:
    """Return what a configuration serves: its front ends, where they listen, and the names it knows."""
    places: dict[str, list[str]] = {}
    names: dict[str, None] = {}
    section = ""
    for line in text.splitlines():
        if match := SECTION.match(line):
            section = match[1] or ""
        if section and (match := BIND.match(line)):
            places.setdefault(section, []).append(match[1])
        code = line.split("#")[0]
        for words in NAMED_HOST.findall(code):
            names.update(dict.fromkeys(word for word in words.split() if "." in word and "/" not in word))
    listed = [f"{name} on {' and '.join(binds)}" for name, binds in places.items()]
    shown = [*names][:MOST_NAMES] + ([f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else [])
    return (", ".join(listed) or "no front end") + (f"; the names {', '.join(shown)}" if shown else "")


def ports(text: str) -> list[int]:
    """Return the TCP ports on which a configuration listens, sorted."""
    found = [port for place in BIND.findall(text) for port in PORTS.findall(place)]
    return sorted({port for first, last in found for port in range(int(first), int(last or first) + 1)})


def look(module: AnsibleModule) -> tuple[list[Path], dict[str, Any]]:
    """Return the files that a person made, and what is told of the configuration."""
    main, defaults = Path(module.params["path"]), Path(module.params["defaults_path"])
    try:
        files = files_of(main, defaults)
    except ValueError as error:
        module.fail_json(msg=f"{error}. Nothing was changed.")
    texts = {path: read(path) for path in files}
    own = [path for path in files if own_files.is_ours(path.read_bytes())]
    foreign = [path for path in files if path not in own and not is_package_default(module, path)]
    owner = "household" if foreign else "hal" if own else "package" if files else "nobody"
    everything = "\n".join(texts[path] for path in foreign)
    named = [Path(name) for name in MAP.findall(everything)]
    pages = [Path(name) for name in ERROR_PAGE.findall(everything)]
    pages = [path for path in pages if path.parent == main.parent / "errors" and path.is_file()]
    named += [path for path in pages if not is_package_default(module, path)]
    sums = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in foreign}
    return foreign, {
        "owner": owner,
        "configuration": [{"path": str(path), "text": texts[path], "sha256": sums[path]} for path in foreign],
        "maps": {str(path): read(path) for path in named if path.is_file()},
        "unknown": [str(path) for path in foreign if sums[path] not in module.params["adopted"]],
        "fault": fault(module, files, defaults) if foreign and module.params["state"] == "read" else "",
        "summary": summary(everything) if foreign else "",
        "ports": ports(everything),
    }


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    state = module.params["state"]
    foreign, told = look(module)
    main_file = Path(module.params["path"])
    to_keep = [path for path in foreign if state != "read" and not own_files.copy_of(path).exists()]
    to_empty = [path for path in foreign if state == "merged" and path != main_file]
    if not module.check_mode:
        for path in to_keep:
            own_files.keep(path, path.lstat())
        for path in to_empty:
            told_there = (
                f"# {own_files.MARK} What stood here is in {main_file.name}; "
                f"{own_files.copy_of(path).name} is as it was.\n"
            )
            guarded_paths.write(path, told_there.encode(), Attributes.of(path.stat()))
    module.exit_json(changed=bool(to_keep or to_empty), **told)


if __name__ == "__main__":
    main()
