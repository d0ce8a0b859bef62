"""The wheelhouse, filled from a directory of tiny wheels instead of a package index."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def place(tmp_path, index, make_wheel):
    """Return a project with one lock, and a directory that stands for the package index."""
    project = tmp_path / "project"
    (project / "src/hal").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (project / name).write_bytes((ROOT / name).read_bytes())
    (project / "src/hal/__init__.py").write_text('"""A service."""\n')
    (project / "lock.txt").write_text(make_wheel("alpha", "x = 1\n"))
    return project, index, tmp_path / "wheels"


@pytest.fixture
def fetch(run_module, place):
    """Run the module on that project."""
    project, _, wheels = place

    def run(*, check=False, **parameters):
        parameters |= {"path": str(wheels), "project": str(project), "locks": [str(project / "lock.txt")]}
        return run_module("wheelhouse", parameters, check=check)

    return run


def test_the_wheels_and_our_own_are_there_and_a_second_run_changes_nothing(fetch, place):
    _, _, wheels = place
    first, second = fetch(), fetch()
    assert first["changed"] and first["fetched"] == ["lock.txt"]
    own = wheels / first["wheel"]["file"]
    assert hashlib.sha256(own.read_bytes()).hexdigest() == first["wheel"]["sha256"]
    assert (wheels / "alpha-1.0-py3-none-any.whl").exists()
    assert json.loads((wheels / "manifest.json").read_text())["wheel"] == first["wheel"]
    assert second["changed"] is False and second["wheel"] == first["wheel"]


def test_a_changed_lock_is_fetched_and_the_rest_is_not(fetch, place, make_wheel):
    project, _, wheels = place
    first = fetch()
    with (project / "lock.txt").open("a") as lock:
        lock.write(make_wheel("beta", "y = 1\n"))
    second = fetch()
    assert second["fetched"] == ["lock.txt"] and second["wheel"] == first["wheel"]
    assert (wheels / "beta-1.0-py3-none-any.whl").exists()


def test_changed_source_makes_another_wheel_and_the_same_source_the_same(fetch, place):
    project, *_ = place
    first = fetch()["wheel"]["sha256"]
    source = project / "src/hal/__init__.py"
    before = source.read_text()
    source.write_text('"""Another."""\n')
    changed = fetch()
    source.write_text(before)
    assert changed["changed"] and changed["wheel"]["sha256"] != first
    assert fetch()["wheel"]["sha256"] == first


def test_the_model_of_the_network_is_in_no_wheel_and_changing_it_makes_no_other(fetch, place):
    project, _, wheels = place
    model = project / "src/hal/network/health"
    model.mkdir(parents=True)
    for file in (model.parent / "__init__.py", model / "__init__.py", model / "health.html.j2"):
        file.write_text("")
    first = fetch()["wheel"]
    (model / "health.html.j2").write_text("another")
    assert fetch()["changed"] is False
    with zipfile.ZipFile(wheels / first["file"]) as wheel:
        assert [name for name in wheel.namelist() if name.startswith("hal/")] == ["hal/__init__.py"]


def test_a_check_predicts_and_writes_nothing(fetch, place):
    _, _, wheels = place
    predicted = fetch(check=True)
    assert predicted["changed"] is True and predicted["wheel"] == {}
    assert not wheels.exists()
    done = fetch()
    assert done["fetched"] == predicted["fetched"]
    assert fetch(check=True)["changed"] is False


def test_every_python_gets_its_own_wheels(fetch, place, make_wheel):
    project, _, wheels = place
    tags = [f"cp3{minor}-cp3{minor}-manylinux_2_17_x86_64" for minor in (12, 13, 14)]
    lines = [make_wheel("beta", f"y = '{tag}'\n", tag) for tag in tags]
    hashes = " ".join(line.split()[1] for line in lines)
    (project / "lock.txt").write_text(f"beta==1.0 {hashes}\n")
    fetch()
    assert {path.name for path in wheels.glob("beta-*")} == {f"beta-1.0-{tag}.whl" for tag in tags}


def test_a_further_python_is_fetched_for(fetch):
    fetch(python_versions=["3.13"])
    assert fetch(python_versions=["3.13", "3.12"])["fetched"] == ["lock.txt"]


def test_a_python_without_a_wheel_is_named(fetch, place, make_wheel):
    project, *_ = place
    (project / "lock.txt").write_text(make_wheel("beta", "y = 1\n", "cp313-cp313-manylinux_2_17_x86_64"))
    with pytest.raises(Exception, match=r"fetch the wheels of lock\.txt for Python 3\.12"):
        fetch()


def test_the_same_project_elsewhere_builds_the_same_wheel(fetch, place, run_module, tmp_path):
    project, *_ = place
    copy = shutil.copytree(project, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    parameters = {"path": str(tmp_path / "others"), "project": str(copy), "locks": []}
    assert run_module("wheelhouse", parameters)["wheel"] == fetch()["wheel"]


def test_a_wheel_with_another_hash_is_refused(fetch, place, make_wheel):
    _, index, _ = place
    wheel = index / "alpha-1.0-py3-none-any.whl"
    pinned = wheel.read_bytes()
    make_wheel("alpha", "x = 2\n")
    with pytest.raises(Exception, match=r"(?s)fetch the wheels of lock\.txt.*HASH"):
        fetch()
    wheel.write_bytes(pinned)
    assert fetch()["fetched"] == ["lock.txt"], "a failed fetch is not recorded"


def test_a_missing_lock_is_named(run_module, place):
    project, _, wheels = place
    with pytest.raises(Exception, match=r"No such lock: .*nothing\.txt"):
        run_module("wheelhouse", {"path": str(wheels), "project": str(project), "locks": ["nothing.txt"]})


def test_two_runs_at_once_do_not_disturb_each_other(place):
    project, _, wheels = place
    arguments = {"path": str(wheels), "project": str(project), "locks": [str(project / "lock.txt")]}
    command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-c", "local", "-i", "localhost,"]
    command += [
        "-m",
        "wheelhouse",
        "-a",
        json.dumps(arguments),
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]
    runs = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(3)
    ]
    said = [run.communicate(timeout=120)[0].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert sum("CHANGED" in text for text in said) == 1
