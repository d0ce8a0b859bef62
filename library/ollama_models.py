#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Put models from a registry into a directory in the form in which Ollama keeps them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fetching import (
    FetchError,
    Unfinished,
    deadline,
    fetch,
    figure,
    partial_path,
    read,
    require_space,
)

DOCUMENTATION = r"""
module: ollama_models
short_description: Put models from a registry into a directory as Ollama keeps them
description:
  - Fetches the manifest of each model and the blobs that it names, by their digests, and writes them as
    C(manifests/registry.ollama.ai/NAMESPACE/MODEL/TAG) and C(blobs/sha256-DIGEST). So they stand in the
    directory of an Ollama server (C(OLLAMA_MODELS)), which shows them without a restart, or in a cache that
    a web server offers to others as a registry.
  - A model that is there whole costs nothing; what broke off goes on where it stopped. The manifest comes
    last, so that a model is there whole or not at all.
  - Models that are not given are left alone.
options:
  path:
    description: The directory.
    type: path
    required: true
  registry:
    description:
      - Address of a registry, of which C(/v2/NAMESPACE/MODEL/manifests/TAG) and
        C(/v2/NAMESPACE/MODEL/blobs/sha256:DIGEST) are used.
    type: str
    required: true
  models:
    description: The models.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name and tag as C(ollama list) shows them, such as V(llama3:latest).
        type: str
        required: true
      digest:
        description:
          - SHA-256 of the manifest in hexadecimal, whose beginning C(ollama list) shows. Without it, what the
            tag stood for when it was fetched is kept.
        type: str
  owner:
    description: User that the files belong to; by default the one that runs the module.
    type: str
extends_documentation_fragment: [fetching]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author: HAL network
"""

EXAMPLES = r"""
- name: Take a model from the network's own cache
  ollama_models:
    path: /var/lib/ollama/models
    registry: http://nas:8080
    models:
      - name: llama3:latest
        digest: 365c0bd3c000a25d28ddbf732fe1c6add414de7275464c4e4d1c3b5fcb5d8ad1
    owner: ollama
    report_after: 15
  register: models
  until: models is failed or models.complete
  retries: 2400
  delay: 0
"""

RETURN = r"""
extends_documentation_fragment: [fetching]
fetched:
  description: The names of the models that this call completed, or in a check would fetch.
  type: list
  elements: str
  returned: success
"""

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "registry": {"type": "str", "required": True},
    "models": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": {"type": "str", "required": True}, "digest": {"type": "str"}},
    },
    "owner": {"type": "str"},
    "report_after": {"type": "int", "default": 0},
}
NAME = re.compile(r"(?:(?P<namespace>[\w.-]+)/)?(?P<model>[\w.-]+)(?::(?P<tag>[\w.-]+))?")
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def location(name: str) -> tuple[str, str]:
    """Return repository and tag of a model's name, such as ("library/llama3", "latest")."""
    match = NAME.fullmatch(name)
    if not match:
        raise FetchError(f"{name} is not a model of Ollama's registry: [NAMESPACE/]MODEL[:TAG].")
    return f"{match['namespace'] or 'library'}/{match['model']}", match["tag"] or "latest"


def hexadecimal(digest: str) -> str:
    """Return what follows `sha256:`; ValueError if nothing such does."""
    if not (match := DIGEST.fullmatch(digest)):
        raise ValueError(f"{digest} is no SHA-256")
    return match[1]


def blobs(manifest: bytes, name: str) -> list[tuple[str, int]]:
    """Return digest and size of everything that a manifest names."""
    try:
        content = json.loads(manifest)
        parts = [content["config"], *content["layers"]]
        return [(hexadecimal(part["digest"]), int(part["size"])) for part in parts]
    except (ValueError, TypeError, KeyError) as error:
        raise FetchError(f"What the registry has of {name} is not a model's manifest.") from error


class Library:
    """A directory of models, as Ollama keeps them, and the registry that it is filled from."""

    def __init__(self, path: Path, registry: str) -> None:
        self.path = path
        self.url = f"{registry.rstrip('/')}/v2"

    def manifest_path(self, name: str) -> Path:
        repository, tag = location(name)
        return self.path / "manifests/registry.ollama.ai" / repository / tag

    def blob_path(self, digest: str) -> Path:
        return self.path / "blobs" / f"sha256-{digest}"

    def has_blob(self, digest: str, size: int) -> bool:
        """A blob gets its name only once it is verified, so that its size tells enough."""
        path = self.blob_path(digest)
        return path.is_file() and path.stat().st_size == size

    def here(self, digest: str) -> int:
        """Return how many bytes of a blob an earlier run has fetched."""
        partial = partial_path(self.blob_path(digest), digest)
        return partial.stat().st_size if partial.is_file() else 0

    def holds(self, name: str, digest: str | None) -> bool:
        """Return whether a model is there whole, and the one declared."""
        path = self.manifest_path(name)
        if not path.is_file():
            return False
        manifest = path.read_bytes()
        if digest and hashlib.sha256(manifest).hexdigest() != digest:
            return False
        return all(self.has_blob(*blob) for blob in blobs(manifest, name))

    def pull(self, name: str, digest: str | None, until: float) -> None:
        """Fetch a model; its manifest, which makes it one, comes last.

        Args:
            name: its name.
            digest: what it must be, if it is given.
            until: the time.monotonic() at which to stop.

        Raises:
            FetchError: it cannot be fetched, or is another one.
            Unfinished: it is not there whole in time; how much of the whole model is.
        """
        repository, tag = location(name)
        manifest = read(f"{self.url}/{repository}/manifests/{tag}", MANIFEST_TYPE)
        actual = hashlib.sha256(manifest).hexdigest()
        if digest and actual != digest:
            raise FetchError(
                f"{name} in the registry is another model than declared: "
                f"its digest is {actual}, not {digest}. "
                "If it was published anew and you want it, declare the new digest in the inventory."
            )
        parts = blobs(manifest, name)
        missing = sum(size - self.here(blob) for blob, size in parts if not self.has_blob(blob, size))
        require_space(self.path, missing, name)
        for blob, size in parts:
            if not self.has_blob(blob, size):
                try:
                    fetch(f"{self.url}/{repository}/blobs/sha256:{blob}", self.blob_path(blob), blob, until)
                except Unfinished as unfinished:
                    here = sum(size for part, size in parts if self.has_blob(part, size))
                    whole = sum(size for _, size in parts)
                    raise Unfinished(here + unfinished.here, whole) from None
        path = self.manifest_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(manifest)
        new.replace(path)


def own(module: AnsibleModule, path: Path, owner: str) -> bool:
    """Give the directory and what is in it to a user; return whether anything changed."""
    changed = False
    for top, directories, files in os.walk(path):
        for entry in [top, *(str(Path(top, name)) for name in (*directories, *files))]:
            changed = module.set_owner_if_different(entry, owner, False) or changed
            changed = module.set_group_if_different(entry, owner, False) or changed
    return changed


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    path, owner = Path(module.params["path"]), module.params["owner"]
    library = Library(path, module.params["registry"])
    os.umask(0o022)
    until, fetched = deadline(module.params["report_after"]), []
    try:
        models = [(model["name"], model["digest"]) for model in module.params["models"]]
        missing = [model for model in models if not library.holds(*model)]
        for name, digest in missing:
            if not module.check_mode:
                library.pull(name, digest, until)
            fetched.append(name)
    except Unfinished as unfinished:
        progress = figure(name, unfinished.here, unfinished.size)
        module.exit_json(changed=True, fetched=fetched, complete=False, progress=progress)
    except (FetchError, OSError) as error:
        module.fail_json(msg=str(error))
    changed = bool(missing)
    if owner and models and path.is_dir() and not (module.check_mode and missing):
        changed = own(module, path, owner) or changed
    module.exit_json(changed=changed, fetched=fetched, complete=True)


if __name__ == "__main__":
    main()
