"""Software bills of materials: what a host has installed and what a lock pins, as CycloneDX 1.6 in JSON.

The same input gives the same bytes: a document has neither a serial number nor a time, which CycloneDX does
not demand. Packages are named by package URLs (https://github.com/package-url/purl-spec).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

VERSION = SchemaVersion.V1_6
# The project's own wheel: no index has it, and a package of another author has its name there.
OWN_WHEEL = "hal"


class DocumentError(ValueError):
    """No document can be made of what was given; the text says why."""


@dataclass(frozen=True)
class Pin:
    """A package of a lock.

    Attributes:
        name: its name as the lock has it.
        version: its version; empty: the lock leaves it open.
        hashes: SHA-256 of each file that may be installed for it, in hexadecimal.
        marker: where it is installed, such as `sys_platform == 'win32'`; empty: everywhere.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str


def read_lock(text: str) -> list[Pin]:
    """Return the packages of a lock as `uv pip compile --generate-hashes` writes it, in its order.

    Raises:
        DocumentError: a line is no requirement.
    """
    written = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    pins = []
    for line in "\n".join(written).replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split(" --hash=")
        if not requirement.strip():
            continue
        try:
            read = Requirement(requirement.strip())
        except InvalidRequirement as error:
            raise DocumentError(f"{requirement.strip()!r} of a lock is no requirement: {error}") from None
        exact = [one.version for one in read.specifier if one.operator == "=="]
        digests = tuple(one.strip().removeprefix("sha256:") for one in hashes)
        pins.append(Pin(read.name, exact[0] if exact else "", digests, str(read.marker or "")))
    return pins


def lock_sbom(text: str, name: str) -> str:
    """Return the document of a lock: each of its packages with version and hashes.

    Args:
        text: the lock.
        name: what the document is about, such as `gateway`.

    Raises:
        DocumentError: a line of the lock is no requirement.
    """
    components = [
        _component(
            ComponentType.LIBRARY,
            _python_purl(pin.name, pin.version),
            hashes=pin.hashes,
            properties={("hal:marker", pin.marker)} if pin.marker else set(),
        )
        for pin in read_lock(text)
    ]
    subject = Component(name=name, type=ComponentType.APPLICATION, bom_ref=f"lock:{name}")
    return _document(subject, components)


def host_sbom(
    host: str,
    system: Mapping[str, str],
    reading: Mapping[str, Any],
    downloads: Mapping[str, Mapping[str, Any]],
    models: Iterable[Mapping[str, str]] = (),
) -> str:
    """Return the document of a host: its Debian packages, HAL's Python packages and what it downloaded.

    Args:
        host: its name in the inventory.
        system: {distribution, version, codename}, such as {Debian, 13, trixie}.
        reading: what the module installed_software told: `packages` and `releases`.
        downloads: what the inventory pins for it, by name, in the forms that hal.network.downloads describes.
        models: language models, each with the `digest` of its manifest, or without one.

    Raises:
        DocumentError: something of it has no place in CycloneDX, such as a checksum that is none.
    """
    components = [
        *(_debian_component(package, system) for package in reading["packages"]),
        *_python_components(reading["releases"]),
        *(one for name in downloads for one in _download_components(name, downloads[name])),
        *(
            _component(
                ComponentType.MACHINE_LEARNING_MODEL,
                PackageURL("generic", None, model["name"]),
                hashes=[model["digest"].removeprefix("sha256:")] if model.get("digest") else [],
                properties={("hal:source", "inventory")},
            )
            for model in models
        ),
        Component(
            name=system["distribution"].lower(),
            version=system["version"],
            type=ComponentType.OPERATING_SYSTEM,
            bom_ref="operating-system",
        ),
    ]
    subject = Component(name=host, type=ComponentType.DEVICE, bom_ref=f"host:{host}")
    return _document(subject, components)


def _debian_component(package: Mapping[str, str], system: Mapping[str, str]) -> Component:
    """Return a package of dpkg. Advisories of Debian and Ubuntu name its source package."""
    qualifiers = {"arch": package["architecture"], "distro": system["codename"]}
    purl = PackageURL(
        "deb", system["distribution"].lower(), package["name"], package["version"] or None, qualifiers
    )
    source = f"{package['source']} {package['source_version']}".strip()
    return _component(ComponentType.LIBRARY, purl, properties={("hal:source-package", source)})


def _python_components(releases: Iterable[Mapping[str, Any]]) -> list[Component]:
    """Return the packages of the releases, one that several of them have once, with the names of all."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    hashes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for release in releases:
        known = {
            (canonicalize_name(pin.name), pin.version): pin for pin in read_lock(release["requirements"])
        }
        for distribution in release["distributions"]:
            key = (canonicalize_name(distribution["name"]), distribution["version"])
            found[key].add(release["path"])
            hashes[key].update(known[key].hashes if key in known else ())
    return [
        _component(
            ComponentType.LIBRARY,
            _python_purl(*key),
            hashes=hashes[key],
            properties={("hal:release", path) for path in paths},
        )
        for key, paths in found.items()
    ]


def _download_components(name: str, download: Mapping[str, Any]) -> list[Component]:
    """Return the files of a download. Programs state a version, models and voices none."""
    properties = {("hal:source", "inventory")}
    url = download["url"].rstrip("/")
    if "files" in download:
        return [
            _component(
                ComponentType.FILE,
                PackageURL("generic", None, f"{name}/{file}", None, {"download_url": f"{url}/{file}"}),
                hashes=[checksum.removeprefix("sha256:")],
                properties=properties,
            )
            for file, checksum in download["files"].items()
        ]
    checksum = download.get("checksum") or download["sha256"]
    version = str(download.get("version", "")) or None
    return [
        _component(
            ComponentType.APPLICATION if version else ComponentType.FILE,
            PackageURL("generic", None, name, version, {"download_url": url}),
            hashes=[checksum.removeprefix("sha256:")],
            properties=properties,
        )
    ]


def _python_purl(name: str, version: str) -> PackageURL:
    kind = "generic" if name == OWN_WHEEL else "pypi"
    return PackageURL(kind, None, canonicalize_name(name), version or None)


def _component(
    kind: ComponentType,
    purl: PackageURL,
    *,
    hashes: Iterable[str] = (),
    properties: Iterable[tuple[str, str]] = (),
) -> Component:
    """Return a component; of several hashes each is that of one file that may be installed."""
    return Component(
        name=purl.name,
        version=purl.version,
        type=kind,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
        properties=[Property(name=name, value=value) for name, value in properties],
    )


def _document(subject: Component, components: list[Component]) -> str:
    """Return the document about the subject, which depends on the components.

    Raises:
        DocumentError: it does not hold the schema.
    """
    bom = Bom(components=components)
    bom.metadata.component = subject
    bom.register_dependency(subject, components)
    written = json.loads(make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string())
    del written["serialNumber"], written["metadata"]["timestamp"]
    text = json.dumps(written, indent=2, sort_keys=True) + "\n"
    if fault := JsonStrictValidator(VERSION).validate_str(text):
        raise DocumentError(f"The document of {subject.name} is no valid CycloneDX: {fault}")
    return text
