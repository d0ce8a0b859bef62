"""Where the publishers of what an inventory pins say which versions there are, and with which checksums.

GitHub's API tells the SHA-256 of each file since June 2025, python.org's that of each file of a release;
Debian and Ubuntu have a file of checksums beside their cloud images. A model registry has no list of
versions: a tag names a manifest, whose SHA-256 is the model's digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from production.pins.finding import UnknownError
from production.pins.web import Web

GITHUB = re.compile(
    r"https://github\.com/(?P<repository>[\w.-]+/[\w.-]+)/releases/download/(?P<tag>[^/]+)/[^/]+"
)
PYTHON = re.compile(r"https://www\.python\.org/ftp/python/(?P<version>[\d.]+)/[^/]+")
# A directory for each build, in which the files stand beside their checksums.
IMAGES = {
    re.compile(
        r"(?P<list>https://cloud\.debian\.org/images/cloud/\w+/)(?P<build>\d{8}-\d+)/(?P<file>[\w.-]+)"
    ): (
        re.compile(r'href="(\d{8}-\d+)/"'),
        "sha512",
    ),
    re.compile(
        r"(?P<list>https://cloud-images\.ubuntu\.com/releases/\w+/)(?P<build>release-[\d.]+)/(?P<file>[\w.-]+)"
    ): (re.compile(r'href="(release-\d{8}(?:\.\d+)?)/"'), "sha256"),
}
REVISION = re.compile(
    r"https://huggingface\.co/(?P<model>[\w.-]+/[\w.-]+)/resolve/(?P<revision>[0-9a-f]{40})"
)
MODEL = re.compile(r"(?:(?P<namespace>[\w.-]+)/)?(?P<model>[\w.-]+)(?::(?P<tag>[\w.-]+))?")
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
SHA256 = re.compile(r"[0-9a-f]{64}")
RELEASES = 50  # the newest ones; beyond them nobody looks
MOST_PROGRAM_BYTES = 64 * 2**20  # of a program in an archive


@dataclass(frozen=True)
class Release:
    """A release that is neither a draft nor a preview.

    Attributes:
        version: its version.
        checksums: SHA-256 of each file by its address, in hexadecimal; empty: none is published.
    """

    version: Version
    checksums: Mapping[str, str]


@contextmanager
def expected(source: str) -> Iterator[None]:
    """Turn the errors of reading an answer of another form than its source documents into one sentence."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError):
        raise UnknownError(f"{source} answers in another form than it documents.") from None


def stable(text: str) -> Version | None:
    """Return a version of numbers alone, or nothing if it is another one, such as a release candidate."""
    try:
        return Version(text) if re.fullmatch(r"\d+(\.\d+)*", text) else None
    except InvalidVersion:
        return None


def github_releases(web: Web, url: str, version: str) -> list[Release]:
    """Return the releases of the repository that a file comes from.

    Args:
        web: who asks.
        url: the file's address, as GITHUB has it.
        version: its version, with which the tag of the release ends.

    Raises:
        UnknownError: GitHub has no answer, or the address is of another version.
    """
    match = GITHUB.fullmatch(url)
    if not match or not match["tag"].endswith(version):
        raise UnknownError(f"Its address does not name version {version} as GitHub's releases do.")
    prefix = match["tag"].removesuffix(version)
    address = f"https://api.github.com/repos/{match['repository']}/releases?per_page={RELEASES}"
    answer = web.json(address, "application/vnd.github+json")
    with expected("api.github.com"):
        releases = []
        for told in answer:
            tag, preview = told["tag_name"], told["draft"] or told["prerelease"]
            found = stable(tag.removeprefix(prefix)) if tag.startswith(prefix) else None
            if found and not preview:
                files = {one["browser_download_url"]: one.get("digest") or "" for one in told["assets"]}
                releases.append(Release(found, {name: _digest(text) for name, text in files.items()}))
        return releases


def _digest(text: str) -> str:
    """Return a SHA-256 without its prefix. Raises ValueError if it is none, and not empty."""
    digest = text.removeprefix("sha256:")
    if digest and not SHA256.fullmatch(digest):
        raise ValueError(text)
    return digest


def python_releases(web: Web, url: str, version: str) -> list[Release]:
    """Return the releases of the same Python, such as 3.13, that have a file of the same kind.

    Args:
        web: who asks.
        url: the file's address, as PYTHON has it.
        version: its version.

    Raises:
        UnknownError: python.org has no answer, or the address is of another version.
    """
    match = PYTHON.fullmatch(url)
    if not match or match["version"] != version:
        raise UnknownError(f"Its address does not name version {version} as python.org's do.")
    host = "www.python.org"
    series = ".".join(version.split(".")[:2])
    answer = web.json(f"https://{host}/api/v2/downloads/release/?is_published=true&pre_release=false")
    with expected(host):
        names = {
            one["name"]: one["resource_uri"]
            for one in answer
            if one["is_published"] and not one["pre_release"]
        }
        versions = {name.removeprefix("Python "): uri for name, uri in names.items()}
        found = {stable(text): uri for text, uri in versions.items() if text.startswith(f"{series}.")}
        numbers = {known: re.fullmatch(r".*/(\d+)/", uri) for known, uri in found.items() if known}
    releases: list[Release] = []
    for known in sorted(numbers, reverse=True):  # Those that get security fixes alone have no installers.
        number = numbers[known]
        if number is None:
            raise UnknownError(f"{host} answers in another form than it documents.")
        answer = web.json(f"https://{host}/api/v2/downloads/release_file/?release={number[1]}")
        with expected(host):
            files = {one["url"]: _digest(one.get("sha256_sum") or "") for one in answer}
        if url.replace(version, str(known)) in files:
            return [*releases, Release(known, files)]
        if known <= Version(version):
            break
    return releases


def newest_image(web: Web, url: str) -> tuple[str, str]:
    """Return address and checksum, `sha512:…`, of the newest build of a cloud image.

    Raises:
        UnknownError: the list has no answer, or only older builds, or the build has no checksum of the file.
    """
    known = [(match, *how) for pattern, how in IMAGES.items() if (match := pattern.fullmatch(url))]
    if not known:
        raise UnknownError("A person looks it up where its address points to; no list of builds is known.")
    match, entry, algorithm = known[0]
    host = match["list"].split("/")[2]
    builds = entry.findall(web.read(match["list"]).decode(errors="replace"))
    newest = max(builds, key=_build_number, default="")
    if not newest or _build_number(newest) < _build_number(match["build"]):
        raise UnknownError(f"{host} lists no build as new as {match['build']}, which is pinned.")
    file = match["file"].replace(match["build"], newest)
    sums = f"{match['list']}{newest}/{algorithm.upper()}SUMS"
    lines = [line.split() for line in web.read(sums).decode(errors="replace").splitlines()]
    digests = [line[0] for line in lines if len(line) == 2 and line[1].removeprefix("*") == file]
    if len(digests) != 1 or not re.fullmatch(
        f"[0-9a-f]{{{64 if algorithm == 'sha256' else 128}}}", digests[0]
    ):
        raise UnknownError(f"{host} has no checksum of {file} in {sums}.")
    return f"{match['list']}{newest}/{file}", f"{algorithm}:{digests[0]}"


def _build_number(build: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", build)]


def model_now(web: Web, registry: str, name: str) -> tuple[str, float]:
    """Return digest and size in GiB of what a tag of a model registry names now.

    The registry publishes no digest: it is computed of the manifest, as Ollama does.

    Raises:
        UnknownError: the registry has no answer, or it is no manifest.
    """
    match = MODEL.fullmatch(name)
    if not match:
        raise UnknownError(f"{name!r} is no name of a model: [NAMESPACE/]MODEL[:TAG].")
    path = f"v2/{match['namespace'] or 'library'}/{match['model']}/manifests/{match['tag'] or 'latest'}"
    manifest = web.read(f"{registry.rstrip('/')}/{path}", accept=MANIFEST_TYPE)
    with expected("The model registry"):
        content = json.loads(manifest)
        parts: list[Any] = [content["config"], *content["layers"]]
        size = sum(int(part["size"]) for part in parts if _digest(part["digest"]))
    return hashlib.sha256(manifest).hexdigest(), round(size / 2**30, 1)


def newest_revision(web: Web, model: str) -> str:
    """Return the newest revision of a model's repository, such as Systran/faster-whisper-small.

    Raises:
        UnknownError: there is no answer.
    """
    answer = web.json(f"https://huggingface.co/api/models/{quote(model)}")
    with expected("huggingface.co"):
        revision: str = answer["sha"]
        if not re.fullmatch(r"[0-9a-f]{40}", revision):
            raise ValueError(revision)
        return revision
