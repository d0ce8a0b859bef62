"""Models from a registry in the form in which Ollama keeps them: the registry is a server on loopback."""

from __future__ import annotations

import getpass
import hashlib
import json

import pytest
from ansible.module_utils import fetching
from tests.conftest import ModuleFailed

WEIGHTS, TEMPLATE, CONFIG = b"weights" * 5000, b"{{ .Prompt }}", b'{"model_format":"gguf"}'


def digest(content):
    """Return what content is addressed by."""
    return hashlib.sha256(content).hexdigest()


def publish(web, repository="library/llama3", tag="latest", weights=WEIGHTS):
    """Publish a model and return the digest of its manifest."""

    def part(kind, content):
        web.files[f"/v2/{repository}/blobs/sha256:{digest(content)}"] = content
        media = f"application/vnd.ollama.image.{kind}"
        return {"mediaType": media, "digest": f"sha256:{digest(content)}", "size": len(content)}

    layers = [part("model", weights), part("template", TEMPLATE)]
    manifest = json.dumps({"schemaVersion": 2, "config": part("config", CONFIG), "layers": layers}).encode()
    web.files[f"/v2/{repository}/manifests/{tag}"] = manifest
    return digest(manifest)


@pytest.fixture
def pull(run_module, web, tmp_path):
    """Run the module on a directory of its own; models are given as (name, digest)."""

    def run(*models, check=False, **options):
        declared = [{"name": name, "digest": expected} for name, expected in models]
        parameters = {"path": str(tmp_path / "models"), "registry": web.url, "models": declared} | options
        return run_module("ollama_models", parameters, check=check)

    return run


def test_a_model_stands_as_ollama_keeps_it_and_costs_nothing_again(pull, web, tmp_path):
    expected = publish(web)
    first = pull(("llama3:latest", expected))
    asked = len(web.requests)
    models = tmp_path / "models"
    manifest = models / "manifests/registry.ollama.ai/library/llama3/latest"
    assert first["changed"] and first["fetched"] == ["llama3:latest"]
    assert digest(manifest.read_bytes()) == expected
    kept = {path.name: path.read_bytes() for path in (models / "blobs").iterdir()}
    assert kept == {f"sha256-{digest(content)}": content for content in (WEIGHTS, TEMPLATE, CONFIG)}
    assert pull(("llama3:latest", expected))["changed"] is False
    assert len(web.requests) == asked


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [("llama3", "library/llama3", "latest"), ("someone/small:1b", "someone/small", "1b")],
)
def test_names_are_read_as_ollama_reads_them(pull, web, tmp_path, name, repository, tag):
    pull((name, publish(web, repository, tag)))
    assert (tmp_path / "models/manifests/registry.ollama.ai" / repository / tag).is_file()


def test_a_blob_that_breaks_off_goes_on_where_it_stopped(pull, web):
    expected = publish(web)
    web.break_after = [10**6, 10**6, 1234]  # manifest, config, weights
    assert pull(("llama3:latest", expected))["changed"]
    assert "bytes=1234-" in [asked for _, asked in web.requests]


@pytest.mark.usefixtures("clock")
def test_a_model_that_takes_long_tells_how_far_it_is_and_goes_on(pull, web):
    expected = publish(web, weights=bytes(3_000_000))
    calls = []
    while not calls or not calls[-1]["complete"]:
        calls.append(pull(("llama3:latest", expected), report_after=100))
    *unfinished, last = calls
    assert [call["progress"] for call in unfinished] == [f"llama3:latest: {n}.0 of 3.0 MB" for n in (1, 2)]
    assert all(call["changed"] and call["fetched"] == [] for call in unfinished)
    assert last["changed"] and last["fetched"] == ["llama3:latest"]


def test_a_model_published_anew_is_refused_and_the_one_that_is_there_stays(pull, web, tmp_path):
    old = publish(web)
    pull(("llama3:latest", old))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    new = publish(web, weights=b"other weights")
    with pytest.raises(
        ModuleFailed, match=f"another model than declared: its digest is {new}, not {'0' * 64}"
    ):
        pull(("llama3:latest", "0" * 64))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert pull(("llama3:latest", old))["changed"] is False
    assert pull(("llama3:latest", new))["changed"]


def test_a_blob_that_is_another_one_leaves_no_model(pull, web, tmp_path):
    expected = publish(web)
    web.files[f"/v2/library/llama3/blobs/sha256:{digest(WEIGHTS)}"] = WEIGHTS[::-1]
    with pytest.raises(ModuleFailed, match="another file than declared"):
        pull(("llama3:latest", expected))
    assert not (tmp_path / "models/manifests").exists()


def test_a_lost_blob_comes_back(pull, web, tmp_path):
    expected = publish(web)
    pull(("llama3:latest", expected))
    blob = tmp_path / f"models/blobs/sha256-{digest(WEIGHTS)}"
    blob.unlink()
    assert pull(("llama3:latest", expected))["changed"]
    assert blob.read_bytes() == WEIGHTS


def test_what_belongs_to_its_owner_already_is_no_change(pull, web, tmp_path):
    model = ("llama3:latest", publish(web))
    assert pull(model, owner=getpass.getuser())["changed"]
    assert pull(model, owner=getpass.getuser())["changed"] is False


def test_a_check_fetches_nothing(pull, web, tmp_path):
    expected = publish(web)
    assert pull(("llama3:latest", expected), check=True)["fetched"] == ["llama3:latest"]
    assert web.requests == [] and not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("nobody:latest", None, "cannot be fetched: .*404"),
        ("odd:latest", b"<html>", "is not a model's manifest"),
        (
            "evil:latest",
            b'{"config": {"digest": "sha256:../../x", "size": 1}, "layers": []}',
            "is not a model's",
        ),
        ("host/name/space:tag", None, "is not a model of Ollama's registry"),
    ],
)
def test_what_is_no_model_is_named(pull, web, name, content, sentence):
    if content is not None:
        model, tag = name.split(":")
        web.files[f"/v2/library/{model}/manifests/{tag}"] = content
    with pytest.raises(ModuleFailed, match=sentence):
        pull((name, None))


def test_a_model_that_finds_no_room_is_refused_whole_before_its_first_blob(pull, web, full_disk):
    expected = publish(web)
    full_disk(fetching.RESERVE_BYTES + len(WEIGHTS))  # for the largest part, and not for all
    with pytest.raises(ModuleFailed, match=r"not enough room for llama3:latest"):
        pull(("llama3:latest", expected))
    assert [path for path, _ in web.requests if "blobs" in path] == []


def test_what_is_there_already_of_a_model_needs_no_room(pull, web, full_disk):
    expected = publish(web)
    web.break_after = [10**6, 10**6, *[1000] * 10]
    with pytest.raises(ModuleFailed, match="goes on where this one stopped"):
        pull(("llama3:latest", expected))
    web.break_after.clear()
    full_disk(fetching.RESERVE_BYTES + len(WEIGHTS) - 1000)
    assert pull(("llama3:latest", expected))["changed"]
