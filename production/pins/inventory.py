"""What an inventory pins by address and checksum, and what there is newer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from packaging.version import InvalidVersion, Version
from ruamel.yaml.error import YAMLError

from production.inventory import File
from production.pins import sources
from production.pins.finding import Finding, State, UnknownError
from production.pins.web import Web

# Variables with a version, an address and a checksum, by what they are called in the report.
DOWNLOADS = {
    "network_ollama": "Ollama",
    "network_rest_server": "restic's REST server",
    "network_windows_python": "Python for Windows",
    "network_windows_shawl": "Shawl",
    "network_windows_restic": "restic for Windows",
}
TEMPLATES = "network_proxmox_templates"
MODELS = "network_language_models"
# Variables with files of one revision, which has no version.
REVISIONS = {"network_speech_model": "speech model", "network_voice": "voice"}


@dataclass(frozen=True)
class Pinned:
    """A file of a version: its address, and its SHA-256 in hexadecimal.

    Attributes:
        keys: of the mapping that has them, below the variable.
        checksum_key: `checksum`, which has the prefix sha256:, or `sha256`.
    """

    keys: tuple[str, ...]
    url: str
    checksum_key: str
    checksum: str


class Pins:
    """The pins of an inventory.

    Args:
        directory: the inventory.
        web: who asks the sources.
    """

    def __init__(self, directory: Path, web: Web) -> None:
        self._web = web
        self.files: list[File] = []
        for path in sorted((directory / "group_vars/all").glob("*.yml")):
            try:
                file = File(path)
            except YAMLError:  # a file that is encrypted as a whole begins with what is no YAML
                continue
            if isinstance(file.content, dict):
                self.files.append(file)

    def _variable(self, name: str) -> Any:
        file = self._file(name)
        return file.content[name] if file else None

    def _file(self, name: str) -> File | None:
        return next((file for file in self.files if name in file.content), None)

    def look_up(self) -> Iterator[tuple[str, Finding]]:
        """Yield, for each pin, the variable that has it and what is known of it."""
        for variable, name in DOWNLOADS.items():
            if pin := self._variable(variable):
                yield variable, _safely(name, partial(_download, self._web, name, pin))
        for index, template in enumerate(self._variable(TEMPLATES) or ()):
            name = f"the cloud image {template.get('name', '')}"
            yield TEMPLATES, _safely(name, partial(self._image, name, index, template))
        for index, model in enumerate(self._variable(MODELS) or ()):
            name = f"the language model {model.get('name', '')}"
            yield MODELS, _safely(name, partial(self._model, name, index, model))
        for variable, kind in REVISIONS.items():
            pin = self._variable(variable)
            if pin and "hal_wheels_url" not in str(pin.get("url")):  # else it is a wheel, which a lock pins
                name = f"the {kind} {pin.get('name', '')}"
                yield variable, _safely(name, partial(self._revision, name, pin))

    def put(self, variable: str, finding: Finding) -> list[str]:
        """Put the changes of a finding into the files' contents; return a sentence for each."""
        file = self._file(variable)
        if not file:
            raise KeyError(variable)
        before = len(file.changes)
        for (*keys, last), value in finding.changes.items():
            mapping: Any = file.content[variable]
            for key in keys:
                mapping = mapping[key]
            file.put(mapping, str(last), value, ".".join(map(str, (variable, *keys, last))))
        return file.changes[before:]

    def write(self) -> list[str]:
        """Write the files that have changes; return their names."""
        changed = [file for file in self.files if file.changes]
        for file in changed:
            file.path.write_text(file.text())
        return [file.path.name for file in changed]

    def _image(self, name: str, index: int, template: Mapping[str, Any]) -> Finding:
        url, checksum = sources.newest_image(self._web, template["url"])
        if url == template["url"]:
            return _same(name, url.rsplit("/", 2)[1], {checksum} == {template["checksum"]})
        told = f"{template['url'].rsplit('/', 2)[1]} becomes {url.rsplit('/', 2)[1]}"
        return Finding(name, State.NEWER, told, {(index, "url"): url, (index, "checksum"): checksum})

    def _model(self, name: str, index: int, model: Mapping[str, Any]) -> Finding:
        if not model.get("digest"):
            return Finding(name, State.CURRENT, "no digest of it is pinned")
        registry = self._variable("network_model_registry") or "https://registry.ollama.ai"
        digest, gib = sources.model_now(self._web, registry, model["name"])
        if digest == model["digest"]:
            return Finding(name, State.CURRENT, digest[:12])
        told = (
            f"{model['digest'][:12]} becomes {digest[:12]}; the registry publishes no checksum: "
            "this one is computed from the manifest that it sent"
        )
        return Finding(name, State.NEWER, told, {(index, "digest"): digest, (index, "gib"): gib})

    def _revision(self, name: str, pin: Mapping[str, Any]) -> Finding:
        match = sources.REVISION.match(pin["url"])
        if not match:
            raise UnknownError(
                "A person looks it up where its address points to; no list of revisions is known."
            )
        revision = sources.newest_revision(self._web, match["model"])
        if revision == match["revision"]:
            return Finding(name, State.CURRENT, revision[:12])
        told = (
            f"{match['revision'][:12]}, and there is {revision[:12]}. A person changes it: a checksum is "
            f"published of its large files alone, at https://huggingface.co/{match['model']}/tree/{revision}"
        )
        return Finding(name, State.NEWER, told, by_hand=True)


def _safely(name: str, look: Callable[[], Finding]) -> Finding:
    """Return what a look-up finds, or why it finds nothing."""
    try:
        return look()
    except UnknownError as error:
        return Finding(name, State.UNKNOWN, str(error))
    except (LookupError, TypeError, AttributeError):
        return Finding(name, State.UNKNOWN, "The inventory has it in another form than expected.")


def _same(name: str, version: str, checksums_agree: bool) -> Finding:
    """Return the finding about a version that is the newest one, with what is published of it."""
    if checksums_agree:
        return Finding(name, State.CURRENT, version)
    told = f"{version} is the newest version, and the checksum that is published of it is not the one pinned."
    return Finding(name, State.UNKNOWN, told)


def _files(pin: Mapping[str, Any]) -> Iterator[Pinned]:
    """Yield the files of a version, those in mappings below it, such as `rocm`, too."""
    for keys, mapping in (
        ((), pin),
        *(((key,), part) for key, part in pin.items() if isinstance(part, Mapping)),
    ):
        if "url" in mapping:
            key = "checksum" if "checksum" in mapping else "sha256"
            yield Pinned(keys, mapping["url"], key, mapping[key].removeprefix("sha256:"))


def _releases(web: Web, url: str, version: str) -> tuple[list[sources.Release], str]:
    """Return the releases that a file may come from, and where a person sees them."""
    if match := sources.GITHUB.fullmatch(url):
        page = f"https://github.com/{match['repository']}/releases"
        return sources.github_releases(web, url, version), page
    if sources.PYTHON.fullmatch(url):
        return sources.python_releases(web, url, version), "https://www.python.org/downloads/windows/"
    raise UnknownError("A person looks it up where its address points to; no list of versions is known.")


def _download(web: Web, name: str, pin: Mapping[str, Any]) -> Finding:
    version = str(pin["version"])
    files = list(_files(pin))
    releases, page = _releases(web, files[0].url, version)
    try:
        pinned = Version(version)
    except InvalidVersion:
        raise UnknownError(f"{version} is no version that can be compared.") from None
    newest = max(releases, key=lambda release: release.version, default=None)
    if newest is None or newest.version < pinned:
        listed = newest.version if newest else "none"
        raise UnknownError(
            f"The newest release listed is {listed}, and {version} is pinned; a person looks at {page}."
        )
    addresses = {file: file.url.replace(version, str(newest.version)) for file in files}
    checksums = {file: newest.checksums.get(address, "") for file, address in addresses.items()}
    if missing := [addresses[file].rsplit("/", 1)[1] for file in files if not checksums[file]]:
        raise UnknownError(
            f"{newest.version} is published without a checksum of {', '.join(missing)}, and {version} is "
            f"pinned; a person looks at {page}."
        )
    if newest.version == pinned:
        return _same(name, version, all(checksums[file] == file.checksum for file in files))
    changes: dict[tuple[str | int, ...], Any] = {("version",): str(newest.version)}
    for file in files:
        prefix = "sha256:" if file.checksum_key == "checksum" else ""
        changes[*file.keys, "url"] = addresses[file]
        changes[*file.keys, file.checksum_key] = prefix + checksums[file]
    told = f"{version} becomes {newest.version}"
    if "exe_sha256" in pin:
        changes["exe_sha256",] = _program_sha256(web, addresses[files[0]], checksums[files[0]])
        told += "; that of its program is computed from the archive, whose checksum is the published one"
    return Finding(name, State.NEWER, told, changes)


def _program_sha256(web: Web, url: str, checksum: str) -> str:
    """Return the SHA-256 of the only program in a zip archive with this checksum.

    Raises:
        UnknownError: it cannot be fetched, is another file, or has not one program.
    """
    archive = web.read(url, moved=True)
    if sha256(archive).hexdigest() != checksum:
        raise UnknownError(f"What {url} has is not the file of its published checksum.")
    try:
        with ZipFile(BytesIO(archive)) as opened:
            programs = [entry for entry in opened.infolist() if entry.filename.endswith(".exe")]
            if len(programs) == 1 and programs[0].file_size < sources.MOST_PROGRAM_BYTES:
                return sha256(opened.read(programs[0])).hexdigest()
    except (BadZipFile, NotImplementedError, RuntimeError):
        pass
    raise UnknownError(f"{url} is no archive with one program.")
