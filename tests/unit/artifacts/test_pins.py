"""production/pins: what is newer than what an inventory pins, and what nothing can be said about.

The publishers are stood in for on loopback, with answers in the form of the real ones' interfaces: GitHub's
`GET /repos/…/releases`, python.org's `api/v2/downloads`, the lists of cloud images, Ollama's registry.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from production.pins import __main__ as program
from production.pins.finding import Finding, State
from production.pins.inventory import Pins
from tests.conftest import ROOT
from tests.unit.artifacts.publishers import (
    GITHUB,
    NEW,
    NEW_NAME,
    ONE_PIN,
    PINNED,
    PINNED_NAME,
    REST,
    LookUp,
    Publishers,
    digest,
    release,
)

RELEASES = "/api/v2/downloads/release/?is_published=true&pre_release=false"
DEBIAN = "/images/cloud/trixie/"
MANIFEST = "/v2/library/llama3.2/manifests/3b"


def python_file(version: str, sha256: str | None = None) -> dict[str, Any]:
    url = f"https://www.python.org/ftp/python/{version}/python-{version}-amd64.exe"
    return {"url": url, "sha256_sum": digest(url) if sha256 is None else sha256}


def say_python(publishers: Publishers, **files: list[dict[str, Any]]) -> None:
    """Have python.org list releases with their files: v3_13_16, or preview3_13_16, or draft3_13_16."""
    listed = []
    for number, (name, known) in enumerate(files.items()):
        kind = name.partition("3")[0]
        version = name.removeprefix(kind).replace("_", ".")
        uri = f"https://www.python.org/api/v2/downloads/release/{number}/"
        listed.append(
            {
                "name": f"Python {version}",
                "is_published": kind != "draft",
                "pre_release": kind == "preview",
                "resource_uri": uri,
            }
        )
        publishers.say(f"/api/v2/downloads/release_file/?release={number}", known)
    publishers.say(RELEASES, listed)


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """A copy of the production inventory's pins."""
    shutil.copytree(ROOT / "inventories/production/group_vars", tmp_path / "inventory/group_vars")
    return tmp_path / "inventory"


def found(inventory: Path, publishers: Publishers) -> dict[str, Finding]:
    return {finding.name: finding for _, finding in Pins(inventory, publishers.web()).look_up()}


def test_a_source_that_takes_no_more_questions_is_asked_no_more(
    everything: Path, publishers: Publishers
) -> None:
    for repository in ("ollama/ollama", REST, SHAWL, "restic/restic"):
        publishers.say(GITHUB.format(repository), "", 429)
    findings = found(everything, publishers)
    assert len([path for path in publishers.asked if path.startswith("/repos/")]) == 1
    told = {findings[name].told for name in ("Ollama", "restic's REST server", "Shawl", "restic for Windows")}
    assert told == {"api.github.com takes no more questions from this address (429)."}


def test_python_stays_within_its_series_and_passes_over_a_release_without_an_installer(
    everything: Path, publishers: Publishers
) -> None:
    source = [{"url": "https://www.python.org/ftp/python/3.13.17/Python-3.13.17.tgz", "sha256_sum": "0" * 64}]
    installer = [python_file("3.13.16")]
    say_python(
        publishers,
        v3_14_2=[python_file("3.14.2")],
        v3_13_17=source,
        v3_13_16=installer,
        v3_13_18rc1=[python_file("3.13.18rc1")],
        preview3_13_19=[python_file("3.13.19")],
        draft3_13_20=[python_file("3.13.20")],
    )
    finding = found(everything, publishers)["Python for Windows"]
    assert finding.told == "3.13.15 becomes 3.13.16"
    assert finding.changes["sha256",] == installer[0]["sha256_sum"]


def test_a_python_without_a_published_sha256_is_left_to_a_person(
    everything: Path, publishers: Publishers
) -> None:
    say_python(publishers, v3_13_16=[python_file("3.13.16", "")])
    finding = found(everything, publishers)["Python for Windows"]
    assert finding.state == State.UNKNOWN
    assert "without a checksum of python-3.13.16-amd64.exe" in finding.told


IMAGE = "debian-13-genericcloud-amd64-{}.qcow2"
BUILDS = '<a href="{}/">{}/</a>\n'


def test_a_newer_cloud_image_is_found_with_its_checksum(everything: Path, publishers: Publishers) -> None:
    new = "20261101-2650"
    listing = "".join(
        BUILDS.format(*(2 * (name,))) for name in ("20260712-2537", new, "latest", "20251101-99999")
    )
    publishers.say(DEBIAN, f'<a href="../">Parent</a>{listing}')
    publishers.say(f"{DEBIAN}{new}/SHA512SUMS", f"{'a' * 128}  {IMAGE.format(new)}\n{'b' * 128}  other.raw\n")
    finding = found(everything, publishers)["the cloud image debian-13-cloud"]
    assert finding.told == "20260712-2537 becomes 20261101-2650"
    assert finding.changes == {
        (0, "url"): f"https://cloud.debian.org{DEBIAN}{new}/{IMAGE.format(new)}",
        (0, "checksum"): f"sha512:{'a' * 128}",
    }


@pytest.mark.parametrize(
    ("sums", "told"),
    [("", "has no checksum"), (f"abc  {IMAGE.format('20270101-1')}", "has no checksum")],
    ids=["file left out", "no SHA-512"],
)
def test_an_image_without_a_checksum_is_left_to_a_person(
    everything: Path, publishers: Publishers, sums: str, told: str
) -> None:
    publishers.say(DEBIAN, BUILDS.format("20270101-1", ""))
    publishers.say(f"{DEBIAN}20270101-1/SHA512SUMS", sums)
    finding = found(everything, publishers)["the cloud image debian-13-cloud"]
    assert finding.state == State.UNKNOWN and told in finding.told


@pytest.mark.parametrize("listing", ["", BUILDS.format("20250101-1", "")], ids=["no build", "an older one"])
def test_a_list_of_older_images_alone_is_not_believed(
    everything: Path, publishers: Publishers, listing: str
) -> None:
    publishers.say(DEBIAN, listing)
    finding = found(everything, publishers)["the cloud image debian-13-cloud"]
    assert finding.state == State.UNKNOWN and "lists no build as new as 20260712-2537" in finding.told


def test_a_model_that_was_published_anew_has_another_digest_which_is_computed(
    everything: Path, publishers: Publishers
) -> None:
    layer = {"digest": f"sha256:{'c' * 64}", "size": 3 * 2**30}
    manifest = json.dumps({"config": layer | {"size": 400}, "layers": [layer]}).encode()
    publishers.say(MANIFEST, manifest)
    finding = found(everything, publishers)["the language model llama3.2:3b"]
    assert finding.changes == {(0, "digest"): hashlib.sha256(manifest).hexdigest(), (0, "gib"): 3.0}
    assert "this one is computed from the manifest" in finding.told
    publishers.say(MANIFEST, {"errors": [{"code": "MANIFEST_UNKNOWN"}]})
    finding = found(everything, publishers)["the language model llama3.2:3b"]
    assert finding.state == State.UNKNOWN


def test_another_revision_of_the_speech_model_is_left_to_a_person(
    everything: Path, publishers: Publishers
) -> None:
    path = "/api/models/Systran/faster-whisper-small"
    publishers.say(path, {"sha": "d" * 40})
    finding = found(everything, publishers)["the speech model faster-whisper-small"]
    assert (finding.state, finding.by_hand, finding.changes) == (State.NEWER, True, {})
    models = (everything / "group_vars/all/models.yml").read_text()
    publishers.say(path, {"sha": models.split("/resolve/")[1].split()[0]})
    assert found(everything, publishers)["the speech model faster-whisper-small"].state == State.CURRENT
    publishers.say(path, {"sha": "../x"})
    assert found(everything, publishers)["the speech model faster-whisper-small"].state == State.UNKNOWN


def test_what_comes_from_elsewhere_is_left_to_a_person(everything: Path, publishers: Publishers) -> None:
    (everything / "group_vars/all/voice.yml").unlink()
    (everything / "group_vars/all/voice.yml").write_text(
        "network_voice: {name: mine, url: https://example.com/voice.zip}\n"
        "network_ollama: {version: 1.0, url: https://example.com/1.0/o.tar, checksum: sha256:00}\n"
    )
    (everything / "group_vars/all/models.yml").write_text("network_speech_model: {}\n")
    findings = found(everything, publishers)
    for name in ("the voice mine", "Ollama"):
        assert findings[name].state == State.UNKNOWN
        assert findings[name].told.startswith("A person looks it up where its address points to")


def test_of_several_files_of_a_version_all_are_changed_or_none(
    everything: Path, publishers: Publishers
) -> None:
    names = ["ollama-linux-amd64.tar.zst", "ollama-linux-amd64-rocm.tar.zst"]
    publishers.say(GITHUB.format("ollama/ollama"), [release("ollama/ollama", "0.40.0", *names)])
    changes = found(everything, publishers)["Ollama"].changes
    assert changes["rocm", "checksum"] == f"sha256:{digest(names[1])}" and len(changes) == 5
    publishers.say(GITHUB.format("ollama/ollama"), [release("ollama/ollama", "0.40.0", names[0])])
    finding = found(everything, publishers)["Ollama"]
    assert (finding.state, finding.changes) == (State.UNKNOWN, {})
    assert f"without a checksum of {names[1]}, and" in finding.told


SHAWL = "mtkennerly/shawl"


def say_shawl(publishers: Publishers, content: bytes) -> None:
    told = release(SHAWL, "1.10.0", "shawl-v1.10.0-win64.zip")
    told["assets"][0]["digest"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    publishers.say(GITHUB.format(SHAWL), [told])
    path = f"/{SHAWL}/releases/download/v1.10.0/shawl-v1.10.0-win64.zip"
    publishers.say(path, "", 302, Location=f"{publishers.url}/elsewhere")
    publishers.say("/elsewhere", content)


def archive(**programs: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as opened:
        for name, content in programs.items():
            opened.writestr(f"{name}.exe", content)
    return written.getvalue()


def test_the_checksum_of_a_program_is_computed_from_the_archive_of_the_published_one(
    everything: Path, publishers: Publishers
) -> None:
    say_shawl(publishers, archive(shawl=b"program"))
    finding = found(everything, publishers)["Shawl"]
    assert finding.changes["version",] == "1.10.0"
    assert finding.changes["exe_sha256",] == hashlib.sha256(b"program").hexdigest()
    assert "is computed from the archive, whose checksum is the published one" in finding.told


def test_an_archive_that_is_another_or_has_two_programs_is_not_believed(
    everything: Path, publishers: Publishers
) -> None:
    for content in (archive(a=b"a", b=b"b"), b"no archive"):
        say_shawl(publishers, content)
        finding = found(everything, publishers)["Shawl"]
        assert finding.state == State.UNKNOWN and "no archive with one program" in finding.told
    publishers.say("/elsewhere", archive(shawl=b"evil"))
    finding = found(everything, publishers)["Shawl"]
    assert finding.state == State.UNKNOWN and "not the file of its published checksum" in finding.told


@pytest.fixture
def empty_project(tmp_path: Path) -> Path:
    """A project whose locks have nothing newer."""
    (tmp_path / "project/requirements").mkdir(parents=True)
    script = tmp_path / "project/requirements/lock.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "project/pyproject.toml").touch()
    return tmp_path / "project"


def test_what_is_newer_is_shown_first_and_written_when_asked_for_with_comments_and_order(
    rest_server: LookUp,
    tmp_path: Path,
    publishers: Publishers,
    empty_project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rest_server([NEW, PINNED])
    file = tmp_path / "inventory/group_vars/all/programs.yml"

    def run(apply: bool) -> int:
        return program.main(tmp_path / "inventory", apply, empty_project, publishers.web())

    assert run(False) == 1
    assert file.read_text() == ONE_PIN
    told = capsys.readouterr().out
    assert "newer:         restic's REST server: 0.14.0 becomes 0.15.1\n" in told
    assert "programs.yml: network_rest_server.version: '0.14.0' becomes '0.15.1'\n" in told
    assert told.endswith("`make upgrade-pins APPLY=true` writes what no person has to change.\n")
    assert run(True) == 0
    expected = ONE_PIN.replace("0.14.0", "0.15.1").replace(digest(PINNED_NAME), digest(NEW_NAME))
    assert file.read_text() == expected
    assert capsys.readouterr().out.endswith("Newer: 1. Unknown: 0.\nWritten: programs.yml.\n")
    assert run(False) == 0
    assert "nothing newer: restic's REST server: 0.15.1\n" in capsys.readouterr().out


def test_what_nobody_could_be_asked_about_is_unknown_and_stays(
    everything: Path, publishers: Publishers, empty_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in everything.rglob("*.yml")}
    assert program.main(everything, True, empty_project, publishers.web()) == 3
    told = capsys.readouterr().out
    assert told.endswith("Newer: 0. Unknown: 8.\nWritten: nothing.\n")
    assert [line for line in told.splitlines() if line.startswith("nothing newer")] == [
        "nothing newer: the locks: within their bounds"
    ]
    assert {path: path.read_bytes() for path in everything.rglob("*.yml")} == before


def test_everything_that_the_production_inventory_pins_can_be_written(
    everything: Path, publishers: Publishers, empty_project: Path
) -> None:
    names = ("ollama-linux-amd64.tar.zst", "ollama-linux-amd64-rocm.tar.zst")
    publishers.say(GITHUB.format("ollama/ollama"), [release("ollama/ollama", "0.40.10", *names)])
    publishers.say(GITHUB.format(REST), [NEW])
    restic = "restic_0.20.0_windows_amd64.zip"
    publishers.say(GITHUB.format("restic/restic"), [release("restic/restic", "0.20.0", restic)])
    say_shawl(publishers, archive(shawl=b"program"))
    say_python(publishers, v3_13_16=[python_file("3.13.16")])
    publishers.say(DEBIAN, BUILDS.format("20270101-1", ""))
    publishers.say(f"{DEBIAN}20270101-1/SHA512SUMS", f"{'a' * 128}  {IMAGE.format('20270101-1')}\n")
    layer = {"digest": f"sha256:{'c' * 64}", "size": 3 * 2**30}
    publishers.say(MANIFEST, {"config": layer, "layers": []})
    publishers.say("/api/models/Systran/faster-whisper-small", {"sha": "d" * 40})
    before = {path: path.read_text().splitlines() for path in sorted(everything.rglob("*.yml"))}
    assert program.main(everything, True, empty_project, publishers.web()) == 1  # the speech model is left
    changed = 0
    for path, lines in before.items():
        after = path.read_text().splitlines()
        assert len(after) == len(lines)
        for old, new in zip(lines, after, strict=True):
            assert old == new or old.split(":")[0] == new.split(":")[0], (old, new)
            assert old.partition(" #")[2] == new.partition(" #")[2]
            changed += old != new
    assert changed == 5 + 3 + 3 + 4 + 3 + 2 + 1
    assert {finding.state for finding in found(everything, publishers).values()} == {
        State.CURRENT,
        State.NEWER,
    }
