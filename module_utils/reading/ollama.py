# SPDX-License-Identifier: Apache-2.0
"""Who installed a host's Ollama, and which models it has."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import PurePosixPath
from typing import Any

from ansible.module_utils.reading.host import Host

GIB = 1024**3
UNIT = "/etc/systemd/system/ollama.service"
PROGRAMS = ("/usr/local/bin/ollama", "/usr/bin/ollama")
ROOT = "/opt/ollama"  # where HAL's releases are, to which its link leads
PLACES = ("/var/lib/ollama/models", "/usr/share/ollama/.ollama/models", "/root/.ollama/models")
# In a unit: Environment=NAME=value, or with quotes around both, or around the value.
ENVIRONMENT = re.compile(r"^[ \t]*Environment[ \t]*=(.*)$", re.MULTILINE)
ENVIRONMENT_FILE = re.compile(
    r"^[ \t]*EnvironmentFile[ \t]*=[ \t]*-?[\"']?(/[^\"'\n]*?)[\"']?[ \t]*$", re.MULTILINE
)
MODELS = "OLLAMA_MODELS="
REGISTRY = "registry.ollama.ai"


def read(host: Host) -> dict[str, Any]:
    """Return who installed Ollama, and its models.

    Returns:
        {owner, program, unit, drop_ins, directory, models: [{name, digest, gib}]}; `owner` is `nobody`,
        `hal`, or `household` if its own script or a package installed it. What there is not is empty.
    """
    programs = [path for path in PROGRAMS if host.path(path).exists() or host.path(path).is_symlink()]
    links = [path for path in programs if host.path(path).is_symlink()]
    ours = [path for path in links if str(host.path(path).readlink()).startswith(ROOT)]
    unit = UNIT if host.path(UNIT).exists() else ""
    theirs = [path for path in programs if path not in ours]
    owner = "hal" if ours or unit else "nobody"
    if theirs or (unit and not ours and not host.is_ours(unit)):
        owner = "household"
    drop_ins = host.files(f"{UNIT}.d")
    settings = "\n".join(host.text(path) for path in [UNIT, *drop_ins])
    homes = [line.split(":")[5] for line in host.text("/etc/passwd").splitlines() if line.count(":") == 6]
    places = [*_named(host, settings), *PLACES, *(f"{home}/.ollama/models" for home in homes)]
    directory, models = "", []
    for place in dict.fromkeys(places):
        if models := _models(host, place):
            directory = place
            break
    return {
        "owner": owner,
        "program": (theirs or programs or [""])[0],
        "unit": unit,
        "drop_ins": drop_ins,
        "directory": directory,
        "models": models,
    }


def _named(host: Host, settings: str) -> list[str]:
    """Return the directory of models that a unit names; none: it names none.

    Args:
        host: the host.
        settings: the unit and what adds to it, in the order in which systemd reads them. The last holds, and
            a file of variables over the unit's own.
    """
    files = [host.text(path) for path in ENVIRONMENT_FILE.findall(settings)]
    for lines in (text.splitlines() for text in ["\n".join(files), "\n".join(ENVIRONMENT.findall(settings))]):
        words = [word for line in lines for word in _words(line)]
        if found := [word.removeprefix(MODELS) for word in words if word.startswith(MODELS)]:
            return found[-1:]
    return []


def _words(line: str) -> list[str]:
    """Return the words of a line of variables, without quotes and comment."""
    try:
        return [] if line.lstrip().startswith(("#", ";")) else shlex.split(line)
    except ValueError:  # quotes that do not end, which systemd passes over, too
        return []


def _models(host: Host, directory: str) -> list[dict[str, Any]]:
    """Return the models in a directory of Ollama's, sorted by name."""
    manifests = host.path(directory) / "manifests"
    found = []
    for path in sorted(manifests.glob("*/*/*/*")) if manifests.is_dir() else []:
        registry, namespace, model, tag = path.relative_to(manifests).parts
        if not path.is_file() or tag.startswith("."):
            continue
        content = path.read_bytes()
        try:
            told = json.loads(content)
            size = sum(int(part["size"]) for part in [told["config"], *told["layers"]])
        except (ValueError, TypeError, KeyError):
            host.unread.append(f"{PurePosixPath(directory) / 'manifests'}: {model}:{tag} is no manifest.")
            continue
        name = f"{model}:{tag}" if namespace == "library" else f"{namespace}/{model}:{tag}"
        name = name if registry == REGISTRY else f"{registry}/{namespace}/{model}:{tag}"
        digest = hashlib.sha256(content).hexdigest()
        found.append({"name": name, "digest": digest, "gib": round(size / GIB, 1)})
    return found
