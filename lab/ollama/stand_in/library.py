"""Pulling a model from the lab's library: a directory on a web server with an index, models.json.

The index maps a name to {"file": a zip archive (a wheel is one), relative to the directory;
"member": the model's file in it; "sha256": that file's digest}.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import urljoin

import httpx

from .store import BadDigest, Store, full_name

INDEX = "models.json"
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0

type Progress = dict[str, Any]


class PullError(Exception):
    """A model cannot be fetched; the text says why."""


def pull(store: Store, library: str, name: object, client: httpx.Client | None = None) -> Iterator[Progress]:
    """Fetch a model, yielding progress as Ollama does.

    Raises:
        PullError: it is unknown, out of reach or damaged; nothing of it is kept.
        BadName: that is no name.
    """
    wanted = full_name(name)
    yield {"status": "pulling manifest"}
    if not library:
        raise PullError("pull model manifest: LAB_MODEL_LIBRARY names no library to pull from")
    base = library.rstrip("/") + "/"
    try:
        with client or httpx.Client(timeout=TIMEOUT_S, trust_env=False) as web:
            entry = _entry(web, base, wanted)
            digest: str = entry["sha256"]
            if not store.blob(digest).exists():
                yield from _fetch(store, web, urljoin(base, entry["file"]), entry)
    except httpx.HTTPError as error:
        raise PullError(f"pull model manifest: {base} cannot be read: {error}") from error
    except (zipfile.BadZipFile, KeyError, BadDigest, EOFError, zlib.error) as error:
        raise PullError(f"{wanted}: {error}") from error
    except OSError as error:
        raise PullError(f"{wanted} cannot be stored: {error}") from error
    yield {"status": "writing manifest"}
    store.tag(wanted, digest, details_of(entry["member"]))
    yield {"status": "success"}


def _entry(web: httpx.Client, base: str, name: str) -> dict[str, str]:
    """Return what the index says of a model."""
    reply = web.get(urljoin(base, INDEX))
    reply.raise_for_status()
    try:
        index = {full_name(known): entry for known, entry in reply.json().items()}
    except (ValueError, AttributeError) as error:
        raise PullError(f"pull model manifest: {base}{INDEX} is not an index of models") from error
    if name not in index:
        raise PullError("pull model manifest: file does not exist")
    entry: dict[str, str] = index[name]
    if {"file", "member", "sha256"} - set(entry) or not re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]):
        raise PullError(f"pull model manifest: {base}{INDEX} needs file, member and sha256 for {name}")
    return entry


def _fetch(store: Store, web: httpx.Client, url: str, entry: dict[str, str]) -> Iterator[Progress]:
    """Download the archive and store the model's file out of it."""
    digest = entry["sha256"]
    layer = {"status": f"pulling {digest[:12]}", "digest": f"sha256:{digest}"}
    with store.partial() as archive:
        with web.stream("GET", url) as reply:
            reply.raise_for_status()
            total = int(reply.headers.get("content-length", 0))
            completed = 0
            for chunk in reply.iter_bytes(CHUNK_BYTES):
                archive.write(chunk)
                completed += len(chunk)
                yield layer | {"total": total, "completed": completed}
        yield {"status": "verifying sha256 digest"}
        archive.flush()
        with zipfile.ZipFile(archive.name) as members, members.open(entry["member"]) as model:
            store.add(digest, _chunks(model))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def details_of(member: str) -> dict[str, object]:
    """Return what the usual name of a GGUF file says of it: family-size-….quantisation.gguf."""
    stem = member.rpartition("/")[2].removesuffix(".gguf")
    family = stem.partition("-")[0].lower()
    size = re.search(r"\b(\d+(?:\.\d+)?[MB])\b", stem)
    quantisation = re.search(r"\b(I?Q\d\w*|F16|F32|BF16)$", stem)
    return {
        "parent_model": "",
        "format": "gguf",
        "family": family,
        "families": [family],
        "parameter_size": size[1] if size else "",
        "quantization_level": quantisation[1] if quantisation else "",
    }
