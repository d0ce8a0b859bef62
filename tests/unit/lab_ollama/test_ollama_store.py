"""Models on disk and pulling them: whole or not at all."""

from __future__ import annotations

import io
import zipfile

import pytest
from lab.ollama.stand_in.library import PullError, details_of, pull
from lab.ollama.stand_in.store import BadDigest, BadName, NotFound, Store, full_name

from .conftest import DIGEST, MODEL, NAME

LIBRARY = "http://nas/models"


def files(store: Store) -> list[str]:
    """Return every file under the store's directory."""
    root = store.blob("x").parent.parent
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_pull_stores_the_model_by_its_digest(store, library):
    steps = list(pull(store, LIBRARY, NAME, library.client()))
    assert [steps[0]["status"], steps[-1]["status"]] == ["pulling manifest", "success"]
    layer = next(step for step in steps if "completed" in step)
    assert layer["digest"] == f"sha256:{DIGEST}"
    assert layer["completed"] == layer["total"] == len(library.archive)
    model = store.get(NAME)
    assert (model.digest, model.size) == (DIGEST, len(MODEL))
    assert store.blob(DIGEST).read_bytes() == MODEL
    assert model.details["parameter_size"] == "135M"
    assert files(store) == ["135m", f"sha256-{DIGEST}"]


def test_a_second_pull_downloads_nothing(store, library):
    list(pull(store, LIBRARY, NAME, library.client()))
    library.asked.clear()
    assert list(pull(store, LIBRARY, NAME, library.client()))[-1]["status"] == "success"
    assert library.asked == ["/models/models.json"]


def corrupt_archive(member: str) -> bytes:
    """Return an archive whose compressed data is no such thing; 0xff begins no block (RFC 1951, 3.2.3)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(10_000))
    content = bytearray(packed.getvalue())
    content[30 + len(member)] = 0xFF  # the data follow the local header of 30 bytes and the name
    return bytes(content)


@pytest.mark.parametrize("fault", ["digest", "truncated", "not a zip", "corrupt", "member", "gone"])
def test_what_is_damaged_leaves_nothing(store, library, fault):
    entry = library.index[NAME]
    match fault:
        case "digest":
            entry["sha256"] = "0" * 64
        case "truncated":
            library.archive = library.archive[:-50]
        case "not a zip":
            library.archive = b"<html>"
        case "corrupt":
            library.archive = corrupt_archive(entry["member"])
        case "member":
            entry["member"] = "other.gguf"
        case "gone":
            entry["file"] = "missing.whl"
    with pytest.raises(PullError):
        list(pull(store, LIBRARY, NAME, library.client()))
    assert files(store) == []
    assert store.models() == []


def test_an_interrupted_pull_leaves_nothing(store, library):
    steps = pull(store, LIBRARY, NAME, library.client())
    while "completed" not in next(steps):
        pass
    assert any(name.startswith(".partial-") for name in files(store))
    steps.close()
    assert files(store) == []


def test_what_a_killed_server_left_is_swept_away(store):
    leftover = store.blob("x").with_name(".partial-abc")
    leftover.write_bytes(b"half")
    assert Store(leftover.parent.parent).models() == []
    assert not leftover.exists()


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ({}, "file does not exist"),
        ([], "not an index"),
        ({NAME: {"file": "x"}}, "needs file, member and sha256"),
        ({NAME: {"file": "x", "member": "x", "sha256": "../../etc"}}, "needs file, member and sha256"),
    ],
)
def test_the_index_is_checked(store, library, index, said):
    library.index = index
    with pytest.raises(PullError, match=said):
        list(pull(store, LIBRARY, NAME, library.client()))


def test_without_a_library_a_sentence(store):
    with pytest.raises(PullError, match="LAB_MODEL_LIBRARY"):
        list(pull(store, "", NAME))


def test_remove_keeps_a_file_that_another_name_has(store):
    store.add(DIGEST, [MODEL])
    store.tag("a", DIGEST, {})
    store.tag("b/c:x", DIGEST, {})
    assert {model.name for model in store.models()} == {"a:latest", "b/c:x"}
    store.remove("a")
    assert store.blob(DIGEST).exists()
    store.remove("b/c:x")
    assert files(store) == []
    with pytest.raises(NotFound, match="model 'a' not found"):
        store.get("a")


def test_a_wrong_digest_is_refused(store):
    with pytest.raises(BadDigest, match="digest mismatch"):
        store.add("0" * 64, [MODEL])
    assert files(store) == []


@pytest.mark.parametrize("name", ["", "../x", "a/../b", "a:b:c", "/etc/passwd", "a b", None, 5, "a:../b"])
def test_names_cannot_leave_the_store(store, name):
    with pytest.raises(BadName):
        store.get(name)


def test_a_name_without_tag_is_latest():
    assert full_name("llama3") == "llama3:latest"


def test_details_come_from_the_file_name():
    details = details_of("x/SmolLM2-135M-Instruct.Q4_1.gguf")
    assert (details["family"], details["parameter_size"], details["quantization_level"]) == (
        "smollm2",
        "135M",
        "Q4_1",
    )
