"""python_release with real environments and small wheels made here."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import python_release

pytestmark = pytest.mark.slow

NO_HASH = "0" * 64
A = f"a==1 --hash=sha256:{NO_HASH}"


class Site:
    """A directory of releases and a directory of wheels."""

    def __init__(self, root: Path, run_module: Callable[..., Any]) -> None:
        self.root = root / "app"
        self.wheels = root / "wheels"
        self.wheels.mkdir()
        self.run_module = run_module

    def wheel(self, name: str, version: str) -> dict[str, str]:
        """Make a wheel of one module that knows its version, and return its file name and hash."""
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}

    def lock(self, name: str, version: str) -> str:
        """Make a wheel and return the lock that names it."""
        return (
            f"{name}=={version} \\\n    --hash=sha256:{self.wheel(name, version)['sha256']}\n    # via app\n"
        )

    def ensure(self, lock: str = "", *, check: bool = False, **params: Any) -> Any:
        base = {"path": str(self.root), "find_links": str(self.wheels), "python": sys.executable}
        return self.run_module("python_release", base | {"requirements": lock} | params, check=check)

    @property
    def releases(self) -> set[str]:
        return {path.name for path in (self.root / "releases").glob("*")}

    def current(self, module: str) -> str:
        """Return the source of a module in the current release."""
        (path,) = (self.root / "current").glob(f"lib/python*/site-packages/{module}.py")
        return path.read_text()


@pytest.fixture
def site(tmp_path: Path, run_module: Callable[..., Any]) -> Site:
    return Site(tmp_path, run_module)


def pretend(site: Site, *names: str) -> None:
    """Make complete but empty releases; the last is the current one, the one before it the previous one."""
    for name in names:
        (site.root / "releases" / name).mkdir(parents=True)
        (site.root / "releases" / name / ".complete").touch()
    for link, name in zip(("current", "previous"), reversed(names), strict=False):
        (site.root / link).symlink_to(Path("releases", name))


def test_life_of_a_service(site: Site) -> None:
    """Install, nothing to do, upgrade, go back."""
    lock, app = site.lock("liba", "1.0"), site.wheel("app", "0.1")
    predicted = site.ensure(lock, packages=[app], check=True)
    assert predicted["changed"]
    assert not site.root.exists()

    first = site.ensure(lock, packages=[app])
    assert (first["changed"], first["previous"]) == (True, "")
    assert first["release"] == predicted["release"]
    assert first["diff"]["after"].startswith("liba==1.0\napp==0.1 ")
    assert "VERSION = '1.0'" in site.current("liba")
    assert "VERSION = '0.1'" in site.current("app")
    assert list((site.root / "current").glob("lib/python*/site-packages/pip")) == []

    again = site.ensure(lock + "# a remark\n", packages=[app])
    assert (again["changed"], again["release"]) == (False, first["release"])

    second = site.ensure(site.lock("liba", "2.0"), packages=[app])
    assert (second["changed"], second["previous"]) == (True, first["release"])
    assert "VERSION = '2.0'" in site.current("liba")

    assert site.ensure(state="previous", check=True)["release"] == first["release"]
    assert "VERSION = '2.0'" in site.current("liba")
    back = site.ensure(state="previous")
    assert (back["changed"], back["release"], back["previous"]) == (True, first["release"], "")
    assert "VERSION = '1.0'" in site.current("liba")
    assert site.releases == {first["release"], second["release"]}
    with pytest.raises(Exception, match="no previous release"):
        site.ensure(state="previous")


def test_an_interrupted_build_is_done_again(site: Site) -> None:
    lock = site.lock("liba", "1.0")
    release = site.ensure(lock, check=True)["release"]
    rest = site.root / "releases" / release / "lib" / "rest"
    rest.parent.mkdir(parents=True)
    rest.touch()
    assert site.ensure(lock)["changed"]
    assert not rest.exists()
    assert "VERSION = '1.0'" in site.current("liba")


def lead_nowhere(site: Site) -> None:
    (site.root / "current").unlink()
    (site.root / "current").symlink_to("/nowhere")


def delete_a_module(site: Site) -> None:
    next((site.root / "current").glob("lib/python*/site-packages/liba.py")).unlink()


def truncate_a_module(site: Site) -> None:
    os.truncate(next((site.root / "current").glob("lib/python*/site-packages/liba.py")), 3)


def delete_python(site: Site) -> None:
    (site.root / "current/bin/python").unlink()


@pytest.mark.parametrize("damage", [lead_nowhere, delete_a_module, truncate_a_module, delete_python])
def test_a_damaged_release_is_made_whole_again(site: Site, damage: Callable[[Site], None]) -> None:
    lock = site.lock("liba", "1.0")
    site.ensure(lock)
    assert not site.ensure(lock)["changed"]
    damage(site)
    assert site.ensure(lock)["changed"]
    assert "VERSION = '1.0'" in site.current("liba")
    assert (site.root / "current/bin/python").exists()
    assert not site.ensure(lock)["changed"]


def test_a_wrong_hash_leaves_everything_as_it_is(site: Site) -> None:
    pretend(site, "old", "present")
    app = site.wheel("app", "0.1")
    with pytest.raises(
        Exception, match=f"app==0.1 .*SHA-256 {app['sha256']}, but the lock demands {NO_HASH}"
    ):
        site.ensure(packages=[app | {"sha256": NO_HASH}])
    assert (site.root / "current").readlink().name == "present"
    assert site.releases == {"old", "present"}


def test_the_index_of_the_host_is_asked_only_on_demand(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Mac finds the project's wheel in the network, and the lock's for its own system in the index."""
    lock, app = site.lock("liba", "1.0"), site.wheel("app", "0.1")
    page = tmp_path / "simple/liba"
    page.mkdir(parents=True)
    wheel = (site.wheels / "liba-1.0-py3-none-any.whl").rename(page / "liba-1.0-py3-none-any.whl")
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    with pytest.raises(Exception, match=r"has no wheel of liba==1\.0"):
        site.ensure(lock, packages=[app])
    site.ensure(lock, packages=[app], index=True)
    assert "VERSION = '1.0'" in site.current("liba")
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(Exception, match="but the lock demands"):
        site.ensure(lock + site.lock("libb", "1.0"), packages=[app], index=True)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"requirements": f"none==1 --hash=sha256:{NO_HASH}"}, "has no wheel of none==1"),
        ({"requirements": "none==1"}, "no hash for none==1"),
        ({"requirements": f"a==1 --hash=sha256:{NO_HASH}\n# via a\n-e ."}, "no hash for -e"),
        ({"requirements": "# nothing\n"}, "give requirements or packages"),
        ({"packages": [{"file": "app.tar.gz", "sha256": NO_HASH}]}, "is not a wheel's file name"),
        ({"packages": [{"file": "a-1-py3-none-any.whl", "sha256": "1"}]}, "is not a wheel's file name"),
        ({"requirements": A, "find_links": "/nonexistent"}, "no directory /nonexistent"),
        ({"requirements": A, "python": "/nonexistent"}, "no Python at /nonexistent"),
    ],
)
def test_faults_are_named(site: Site, params: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        site.ensure(**params)
    assert site.releases == set()


def test_a_check_may_come_before_the_package_that_makes_environments(site: Site, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport sys\nsys.modules['ensurepip'] = None\nexec(sys.argv[-1])\n"
    )
    python.chmod(0o755)
    lock = site.lock("a", "1")
    assert site.ensure(lock, python=str(python), check=True)["changed"]
    with pytest.raises(Exception, match="install python3-venv"):
        site.ensure(lock, python=str(python))


def test_an_index_out_of_reach_is_named(site: Site) -> None:
    with pytest.raises(Exception, match=r"http://127\.0\.0\.1:1/ cannot be read.*refused"):
        site.ensure(A, find_links="http://127.0.0.1:1/")


def switch_to(site: Site, monkeypatch: pytest.MonkeyPatch, **params: Any) -> Any:
    """Install a release whose build takes no time."""

    def build(releases: Any, release: str, *_: Any) -> None:
        releases.directory(release).mkdir(parents=True)
        (releases.directory(release) / ".complete").touch()

    monkeypatch.setattr(python_release.Releases, "build", build)
    return site.ensure(A, **params)


def test_old_and_incomplete_releases_are_removed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(site, "older", "old", "present")
    (site.root / "releases" / "incomplete").mkdir()
    result = switch_to(site, monkeypatch)
    assert result["previous"] == "present"
    assert set(result["pruned"]) == {"older", "old", "incomplete"}
    assert site.releases == {"present", result["release"]}


def test_the_current_and_the_previous_one_always_stay(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(site, "old", "present")
    result = switch_to(site, monkeypatch, keep=0)
    assert site.releases == {"present", result["release"]}


def test_more_releases_are_kept_on_demand(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(site, "old", "present")
    result = switch_to(site, monkeypatch, keep=3)
    assert site.releases == {"old", "present", result["release"]}


def test_a_run_killed_before_the_switch_is_finished(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release is complete and the link `previous` set, but `current` still points to the old one."""
    result = switch_to(site, monkeypatch)
    pretend_old = site.root / "releases" / "old"
    pretend_old.mkdir()
    (pretend_old / ".complete").touch()
    for link in ("current", "previous"):
        (site.root / link).unlink(missing_ok=True)
        (site.root / link).symlink_to("releases/old")
    again = site.ensure(A)
    assert (again["changed"], again["release"], again["previous"]) == (True, result["release"], "old")
    assert (site.root / "current").readlink().name == result["release"]
    assert not site.ensure(A)["changed"]
