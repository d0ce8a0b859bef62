# SPDX-License-Identifier: Apache-2.0
"""Who installed a host's Ollama, and which models it has."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import Any

from ansible.module_utils.reading.host import Host

GIB = 1024**3
UNIT = "/etc/systemd/system/ollama.service"
PROGRAMS = ("/usr/local/bin/ollama", "/usr/bin/ollama")
ROOT = "/opt/ollama"  # where HAL's releases are, to which its link leads
PLACES = ("/var/lib/ollama/models", "/usr/share/ollama/.ollama/models", "/root/.ollama/models")
MODELS = re.compile(r"OLLAMA_MODELS=(\"?)([^\"\s]+)\1")
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
    named = [match[2] for match in MODELS.finditer(settings)]
    homes = [line.split(":")[5] for line in host.text("/etc/passwd").splitlines() if line.count(":") == 6]
    places = [*named, *PLACES, *(f"{home}/.ollama/models" for home in homes)]
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


def _models(host: Host, directory: str) -> list[dict[str, Any]]:
    """Return the models in a directory of Ollama's, sorted by name."""
    manifests = host.path(directory) / "manifests" / REGISTRY
    found = []
    for path in sorted(manifests.glob("*/*/*")) if manifests.is_dir() else []:
        namespace, model, tag = path.relative_to(manifests).parts
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
        digest = hashlib.sha256(content).hexdigest()
        found.append({"name": name, "digest": digest, "gib": round(size / GIB, 1)})
    return found
