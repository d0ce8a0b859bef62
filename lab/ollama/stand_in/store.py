"""The models on disk as Ollama has them: blobs by SHA-256, and a manifest for each name.

Everything is written under a temporary name and renamed when it is whole, so that whatever
interrupts a pull leaves either the model or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

_NAME = re.compile(r"(?P<path>[a-zA-Z0-9][\w.-]*(?:/[a-zA-Z0-9][\w.-]*)*)(?::(?P<tag>[a-zA-Z0-9][\w.-]*))?")
_PARTIAL = ".partial-"
_REGISTRY = "registry.ollama.ai"
_LAYER = "application/vnd.ollama.image.model"


class NotFound(Exception):
    """There is no such model."""

    def __init__(self, name: str) -> None:
        super().__init__(f"model '{name}' not found")


class BadName(ValueError):
    """That cannot be the name of a model."""


class BadDigest(Exception):
    """What was fetched is not what was promised."""


@dataclass(frozen=True)
class Model:
    """A model that is there; `digest` is the SHA-256 of its file, in hexadecimal."""

    name: str
    digest: str
    size: int
    modified_at: str
    details: dict[str, object] = field(default_factory=dict)


def full_name(name: object) -> str:
    """Return a name with its tag; without one it is "latest".

    Raises:
        BadName: it is no name.
    """
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if not match:
        raise BadName("invalid model name")
    return f"{match['path']}:{match['tag'] or 'latest'}"


class Store:
    """The models under one directory."""

    def __init__(self, root: Path) -> None:
        """Open the store, making its directories, and forget what an interrupted pull left."""
        self._blobs = root / "blobs"
        self._manifests = root / "manifests"
        for directory in (self._blobs, self._manifests):
            directory.mkdir(parents=True, exist_ok=True)
            for leftover in directory.rglob(f"{_PARTIAL}*"):
                leftover.unlink()

    def models(self) -> list[Model]:
        """Return every model, the latest first."""
        files = (path for path in self._manifests.rglob("*") if path.is_file() and _PARTIAL not in path.name)
        models = [_read(path) for path in files]
        return sorted(models, key=lambda model: (model.modified_at, model.name), reverse=True)

    def get(self, name: object) -> Model:
        """Return a model by name.

        Raises:
            BadName, NotFound: there is none.
        """
        try:
            return _read(self._manifest(full_name(name)))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(str(name)) from None

    def blob(self, digest: str) -> Path:
        """Return the file of a digest, which may not exist."""
        return self._blobs / f"sha256-{digest}"

    def remove(self, name: object) -> Model:
        """Forget a model, and its file unless another name has it too.

        Raises:
            BadName, NotFound: there is none.
        """
        model = self.get(name)
        self._manifest(model.name).unlink()
        if all(other.digest != model.digest for other in self.models()):
            self.blob(model.digest).unlink(missing_ok=True)
        return model

    def add(self, digest: str, chunks: Iterable[bytes]) -> None:
        """Write a model's file, which comes in `chunks`; `tag` gives it a name.

        Raises:
            BadDigest: the file is not the one that `digest` names; nothing is kept of it.
        """
        with self.partial(self._blobs) as file:
            seen = hashlib.sha256()
            for chunk in chunks:
                seen.update(chunk)
                file.write(chunk)
            if seen.hexdigest() != digest:
                raise BadDigest(f"digest mismatch: expected sha256:{digest}, got sha256:{seen.hexdigest()}")
            _commit(file, self.blob(digest))

    def tag(self, name: str, digest: str, details: dict[str, object]) -> Model:
        """Give a file that is there a name."""
        model = Model(
            full_name(name), digest, self.blob(digest).stat().st_size, datetime.now(UTC).isoformat(), details
        )
        target = self._manifest(model.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.partial(target.parent) as file:
            layer = {"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": model.size}
            manifest = {"schemaVersion": 2, "config": layer | {"size": 0}, "layers": [layer]}
            file.write(json.dumps(manifest | asdict(model)).encode())
            _commit(file, target)
        return model

    @contextmanager
    def partial(self, directory: Path | None = None) -> Iterator[IO[bytes]]:
        """Open a temporary file that is gone afterwards, unless it was renamed."""
        with tempfile.NamedTemporaryFile(dir=directory or self._blobs, prefix=_PARTIAL, delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def _manifest(self, name: str) -> Path:
        path, _, tag = name.rpartition(":")
        missing = (_REGISTRY, "library")[: max(0, 3 - len(path.split("/")))]
        return self._manifests.joinpath(*missing, path, tag)


def _read(path: Path) -> Model:
    """Return what a manifest says of a model."""
    told = json.loads(path.read_text())
    return Model(**{key.name: told[key.name] for key in fields(Model)})


def _commit(file: IO[bytes], target: Path) -> None:
    """Make a whole file durable under its own name."""
    file.flush()
    os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(target)
