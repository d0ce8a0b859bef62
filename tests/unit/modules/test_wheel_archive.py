"""The archives of wheels for Windows, filled from a directory of tiny wheels instead of a package index."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def lock(tmp_path, make_wheel):
    """A lock with a wheel for Windows, which this machine could not install, and one for any system."""
    path = tmp_path / "gateway-windows.txt"
    path.write_text(make_wheel("alpha", "x = 1\n", "cp313-cp313-win_amd64") + make_wheel("beta", "y = 1\n"))
    return path


@pytest.fixture
def own(index, tmp_path, make_wheel):
    """A wheel of the project, which no index has."""
    make_wheel("hal", "z = 1\n")
    directory = tmp_path / "wheels"
    directory.mkdir()
    return (index / "hal-1.0-py3-none-any.whl").rename(directory / "hal-1.0-py3-none-any.whl")


@pytest.fixture
def pack(run_module, tmp_path, lock, own):
    """Run the module on that lock."""

    def run(*, check=False, **parameters):
        defaults = {"path": str(tmp_path / "windows"), "locks": [str(lock)], "packages": [str(own)]}
        return run_module("wheel_archive", defaults | parameters, check=check)

    return run


@pytest.fixture
def archive_of(tmp_path):
    """Return the file of a result's archive."""
    return lambda result: tmp_path / "windows" / result["archives"]["gateway-windows"]["file"]


def test_an_archive_holds_every_wheel_and_a_second_run_changes_nothing(pack, archive_of, tmp_path):
    first = pack()
    archive = archive_of(first)
    before = archive.stat().st_mtime_ns
    second = pack()
    assert first["changed"] and first["packed"] == ["gateway-windows.txt"]
    assert second["changed"] is False and second["archives"] == first["archives"]
    assert archive.stat().st_mtime_ns == before
    checksum = first["archives"]["gateway-windows"]["sha256"]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == checksum
    recorded = json.loads((tmp_path / "windows/manifest.json").read_text())["gateway-windows"]
    assert (recorded["file"], recorded["sha256"]) == (archive.name, checksum)
    assert zipfile.ZipFile(archive).namelist() == [
        "alpha-1.0-cp313-cp313-win_amd64.whl",
        "beta-1.0-py3-none-any.whl",
        "hal-1.0-py3-none-any.whl",
        "requirements.txt",
    ]


def test_pip_installs_from_an_archive_alone_and_checks_every_hash(pack, archive_of, tmp_path):
    content = tmp_path / "content"
    shutil.unpack_archive(archive_of(pack()), content)
    install = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", "--platform=win_amd64", "--python-version=3.13", "--find-links=."),
        *("--requirement=requirements.txt", f"--target={tmp_path / 'installed'}"),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    subprocess.run(install, cwd=content, env=environment, check=True)
    assert {path.name for path in (tmp_path / "installed").glob("*.py")} == {"alpha.py", "beta.py", "hal.py"}
    with zipfile.ZipFile(content / "hal-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("evil.py", "")
    done = subprocess.run(
        [*install, "--force-reinstall"], cwd=content, env=environment, capture_output=True, check=False
    )
    assert done.returncode != 0 and b"HASH" in done.stderr


def test_the_same_input_makes_the_same_bytes_at_another_time_and_place(pack, own, tmp_path):
    first = pack()
    os.utime(own, (0, 0))
    assert pack(path=str(tmp_path / "elsewhere"))["archives"] == first["archives"]


@pytest.mark.parametrize("what", ["lock", "package", "python"])
def test_other_input_makes_another_archive_and_removes_the_former(
    pack, archive_of, lock, own, make_wheel, what
):
    former = archive_of(pack())
    if what == "lock":
        lock.write_text(lock.read_text() + make_wheel("gamma", "w = 1\n"))
    elif what == "package":
        with zipfile.ZipFile(own, "a") as wheel:
            wheel.writestr("more.py", "")
    else:
        lock.write_text(make_wheel("alpha", "x = 1\n", "cp314-cp314-win_amd64"))
    result = pack(python_version="3.14" if what == "python" else "3.13")
    assert result["packed"] == ["gateway-windows.txt"] and archive_of(result) != former
    assert [path.name for path in former.parent.glob("*.zip")] == [archive_of(result).name]


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"cut off")])
def test_an_archive_that_is_lost_or_damaged_is_made_again(pack, archive_of, harm):
    first = pack()
    harm(archive_of(first))
    again = pack()
    assert again["changed"] and again["archives"] == first["archives"]
    assert zipfile.is_zipfile(archive_of(again))


def test_a_check_predicts_and_writes_nothing(pack, own, tmp_path):
    wheel = own.read_bytes()
    own.unlink()  # a check of a first run has built none
    predicted = pack(check=True)
    assert predicted == {**predicted, "changed": True, "packed": ["gateway-windows.txt"], "archives": {}}
    assert not (tmp_path / "windows").exists()
    own.write_bytes(wheel)
    done = pack()
    unchanged = pack(check=True)
    assert unchanged["changed"] is False and unchanged["archives"] == done["archives"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"locks": ["nothing.txt"]}, r"No such lock: nothing\.txt\. Compile it"),
        ({"packages": ["/nowhere/hal-1.0-py3-none-any.whl"]}, r"No such wheel: /nowhere/hal-.*wheelhouse"),
        ({"platform": "win_arm64"}, r"(?s)Could not fetch the wheels of gateway-windows\.txt.*alpha"),
    ],
)
def test_what_is_missing_is_named(pack, parameters, message):
    with pytest.raises(Exception, match=message):
        pack(**parameters)


def test_a_package_that_is_no_wheel_is_named(pack, own):
    misnamed = own.rename(own.with_name("hal.whl"))
    with pytest.raises(Exception, match=r"hal\.whl is not named as a wheel is"):
        pack(packages=[str(misnamed)])
