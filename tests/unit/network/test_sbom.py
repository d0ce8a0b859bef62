"""Bills of materials: valid, complete, and the same for the same input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from hal.network.sbom import DocumentError, host_sbom, lock_sbom, read_lock

LOCKS = sorted((Path(__file__).parents[3] / "requirements").glob("*.txt"))
DEBIAN = {"distribution": "Debian", "version": "13", "codename": "trixie"}
DIGEST = "0f" * 32


def package(name: str, version: str = "1.0-1", architecture: str = "amd64") -> dict[str, str]:
    """Return a Debian package as the module tells it."""
    told = {"name": name, "version": version, "architecture": architecture}
    return told | {"source": name, "source_version": version}


def release(service: str, *distributions: str, requirements: str = "") -> dict[str, Any]:
    """Return a release with distributions such as `httpx==0.28.1`, as the module tells it."""
    found = [dict(zip(("name", "version"), one.split("=="), strict=True)) for one in distributions]
    return {"path": f"/opt/hal/{service}", "distributions": found, "requirements": requirements}


def host(*, packages: Any = (), releases: Any = (), downloads: Any = None, models: Any = ()) -> str:
    """Return the document of a host, which holds the schema."""
    text = host_sbom("qm1", DEBIAN, {"packages": packages, "releases": releases}, downloads or {}, models)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return text


def components(text: str) -> dict[str, dict[str, Any]]:
    """Return the components of a document that have a package URL, by it."""
    listed = [one for one in json.loads(text)["components"] if "purl" in one]
    found = {one["purl"]: one for one in listed}
    assert len(found) == len(listed)
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_the_document_of_a_lock_is_valid_and_has_every_line_of_it(lock: Path) -> None:
    text = lock.read_text()
    document = lock_sbom(text, lock.stem)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    assert json.loads(document)["specVersion"] == "1.6"
    lines = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE)
    found = components(document)
    assert lines
    for name, version in lines:
        assert PackageURL("pypi", None, name.lower(), version).to_string() in found
    assert len(found) == len(lines)
    told = sum(len(one["hashes"]) for one in found.values())
    assert told == len(set(re.findall(r"--hash=sha256:\w{64}", text)))


def test_what_a_lock_installs_on_some_systems_alone_is_told_with_its_marker() -> None:
    text = f"winloop==0.8.2 ; sys_platform == 'win32' \\\n    --hash=sha256:{DIGEST}\n    # via hal\n"
    (pin,) = read_lock(text)
    assert (pin.name, pin.version, pin.hashes) == ("winloop", "0.8.2", (DIGEST,))
    found = components(lock_sbom(text, "gateway"))["pkg:pypi/winloop@0.8.2"]
    assert found["properties"] == [{"name": "hal:marker", "value": 'sys_platform == "win32"'}]


def test_a_line_of_a_lock_that_is_no_requirement_is_told() -> None:
    with pytest.raises(DocumentError, match=r"'-r other\.txt' of a lock is no requirement"):
        lock_sbom("-r other.txt\n", "gateway")


def test_a_package_of_a_lock_whose_version_is_open_has_none() -> None:
    assert "version" not in components(lock_sbom("httpx>=0.28\n", "gateway"))["pkg:pypi/httpx"]


# What the specification demands: a colon stays, a plus would be read as a blank, a tilde is unreserved.
@pytest.mark.parametrize(
    ("version", "encoded"),
    [
        ("1:2.47.3-0+deb13u1", "@1:2.47.3-0%2Bdeb13u1"),
        ("6.12.43-1~bpo12+1", "@6.12.43-1~bpo12%2B1"),
        ("2:1.8.2-5", "@2:1.8.2-5"),
        ("", ""),
    ],
    ids=["an epoch and a plus", "a tilde", "an epoch", "no version"],
)
def test_a_debian_version_is_encoded_and_read_back_as_it_was(version: str, encoded: str) -> None:
    purl = f"pkg:deb/debian/git{encoded}?arch=amd64&distro=trixie"
    found = components(host(packages=[package("git", version)]))[purl]
    assert found.get("version", "") == version
    assert (PackageURL.from_string(purl).version or "") == version
    assert found["properties"] == [{"name": "hal:source-package", "value": f"git {version}".strip()}]


def test_a_package_of_two_architectures_is_there_twice_and_the_system_once() -> None:
    text = host(packages=[package("libc6"), package("libc6", architecture="i386")])
    assert len(components(text)) == 2
    systems = [one for one in json.loads(text)["components"] if one["type"] == "operating-system"]
    assert [(one["name"], one["version"]) for one in systems] == [("debian", "13")]


def test_what_two_services_hold_is_told_once_with_both_and_with_the_hashes_of_their_locks() -> None:
    lock = f"Typing_Extensions==4.16.0 --hash=sha256:{DIGEST}\n"
    releases = [
        release("gateway", "typing_extensions==4.16.0", "httpx==0.28.1", requirements=lock),
        release("wyoming", "typing-extensions==4.16.0"),
    ]
    found = components(host(releases=releases))
    assert found.keys() == {"pkg:pypi/httpx@0.28.1", "pkg:pypi/typing-extensions@4.16.0"}
    shared = found["pkg:pypi/typing-extensions@4.16.0"]
    assert [one["value"] for one in shared["properties"]] == ["/opt/hal/gateway", "/opt/hal/wyoming"]
    assert shared["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
    assert "hashes" not in found["pkg:pypi/httpx@0.28.1"]


def test_the_projects_own_wheel_is_not_taken_for_the_package_of_that_name_on_the_index() -> None:
    assert components(host(releases=[release("gateway", "hal==0.1.0")])).keys() == {"pkg:generic/hal@0.1.0"}


def test_downloads_and_models_have_their_checksums() -> None:
    downloads = {
        "ollama": {"version": "0.32.0", "url": "https://127.0.0.1/o.tar.zst", "checksum": f"sha256:{DIGEST}"},
        "restic": {"version": 1.5, "url": "https://127.0.0.1/restic.zip", "sha256": DIGEST},
        "whisper": {"url": "https://127.0.0.1/w/", "files": {"model.bin": f"sha256:{DIGEST}"}},
    }
    models = [{"name": "llama3.2:3b", "digest": DIGEST}, {"name": "library.example/of/theirs:1b"}]
    listed = components(host(downloads=downloads, models=models)).values()
    found = sorted(listed, key=lambda one: str(one["name"]))
    assert [(one["name"], one["type"], one.get("version")) for one in found] == [
        ("library.example/of/theirs:1b", "machine-learning-model", None),
        ("llama3.2:3b", "machine-learning-model", None),
        ("ollama", "application", "0.32.0"),
        ("restic", "application", "1.5"),
        ("whisper/model.bin", "file", None),
    ]
    assert [bool(one.get("hashes")) for one in found] == [False, True, True, True, True]
    from_there = [PackageURL.from_string(one["purl"]).qualifiers for one in found]
    assert from_there[4] == {"download_url": "https://127.0.0.1/w/model.bin"}


def test_a_checksum_that_is_none_is_told_and_no_document_is_made() -> None:
    downloads = {"ollama": {"version": "1", "url": "https://127.0.0.1/o", "checksum": "sha256:none"}}
    with pytest.raises(DocumentError, match="document of qm1 is no valid CycloneDX"):
        host(downloads=downloads)


def test_the_same_input_in_another_order_gives_the_same_bytes() -> None:
    packages = [package("bash"), package("zlib1g"), package("apt")]
    releases = [release("gateway", "httpx==0.28.1"), release("speech", "httpx==0.28.1", "av==19.0.2")]
    text = host(packages=packages, releases=releases)
    assert text == host(packages=packages[::-1], releases=releases[::-1])
    document = json.loads(text)
    assert "serialNumber" not in document and "timestamp" not in document["metadata"]


def test_the_host_depends_on_all_that_it_has() -> None:
    document = json.loads(host(packages=[package("bash")], releases=[release("gateway", "httpx==0.28.1")]))
    (subject,) = [one for one in document["dependencies"] if one["ref"] == "host:qm1"]
    assert subject["dependsOn"] == sorted(one["bom-ref"] for one in document["components"])
