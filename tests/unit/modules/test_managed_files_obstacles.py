"""managed_files where something stands in its way: links, what a killed run has left, writes that fail."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from .conftest import Manage, mode, needs_root

NOBODY = pwd.getpwnam("nobody").pw_uid


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(manage: Manage, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("kept")
    (tmp_path / "file").symlink_to(outside)
    assert manage({"path": tmp_path / "file", "content": "x"})["changed"]
    assert (outside.read_text(), (tmp_path / "file").is_symlink()) == ("kept", False)


def test_roots_own_links_on_the_way_are_followed(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "absolute").symlink_to(tmp_path / "disk")
    (tmp_path / "relative").symlink_to("../" + tmp_path.name + "/disk")
    manage(
        {"path": tmp_path / "absolute", "state": "directory", "mode": "0700"},
        {"path": tmp_path / "absolute" / "a", "content": "x"},
        {"path": tmp_path / "relative" / "b", "content": "x"},
    )
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == ["a", "b"]
    assert (mode(tmp_path / "disk"), (tmp_path / "absolute").is_symlink()) == (0o700, True)


@needs_root
@pytest.mark.parametrize(
    "entry",
    [
        {"path": "link/file", "content": "x"},
        {"path": "link/deep", "state": "directory"},
        {"path": "link", "state": "directory"},
        {"path": "link/present", "state": "absent"},
        {"path": "link/new", "state": "link", "target": "x"},
    ],
)
@pytest.mark.parametrize("writable", [True, False], ids=["others may write", "of another user"])
def test_a_link_that_somebody_else_may_have_laid_is_not_followed(
    manage: Manage, tmp_path: Path, entry: dict[str, Any], writable: bool
) -> None:
    outside, home = tmp_path / "outside", tmp_path / "home"
    for path in (outside, home):
        path.mkdir()
    (outside / "present").write_text("kept")
    (home / "link").symlink_to(outside)
    if writable:
        home.chmod(0o777)
    else:
        os.chown(home / "link", NOBODY, -1, follow_symlinks=False)
    with pytest.raises(Exception, match="home/link is a link that is not root's"):
        manage(entry | {"path": home / entry["path"]})
    assert [path.name for path in outside.iterdir()] == ["present"]


def test_links_that_lead_to_each_other_are_an_error(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(Exception, match="cannot be managed"):
        manage({"path": tmp_path / "a" / "file", "content": "x"})


def test_what_is_not_listed_stays(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "theirs").write_text("kept")
    manage(
        {"path": tmp_path / "tree", "state": "directory"},
        {"path": tmp_path / "tree" / "ours", "content": "x"},
    )
    assert (tmp_path / "tree" / "theirs").read_text() == "kept"


def test_what_a_killed_run_has_left_is_no_obstacle_and_does_not_stay(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / ".file.new").write_text("half")
    (tmp_path / ".link.new").symlink_to("half")
    manage(
        {"path": tmp_path / "file", "content": "whole"},
        {"path": tmp_path / "link", "state": "link", "target": "whole"},
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_a_write_that_fails_leaves_the_file_and_nothing_else(
    manage: Manage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match=r"file: .*No space left on device.*\nNothing was changed"):
        manage({"path": path, "content": "new"})
    assert [*tmp_path.iterdir()] == [path] and path.read_text() == "old"


def test_a_removal_that_fails_is_told(
    manage: Manage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").write_text("x")
    unlink = os.unlink

    def refuse(name: str, **keywords: Any) -> None:
        if name == "gone":
            raise PermissionError(1, "Operation not permitted")
        unlink(name, **keywords)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(Exception, match=r"gone: .*not permitted.*\nAll else was done"):
        manage({"path": tmp_path / "gone", "state": "absent"}, {"path": tmp_path / "file", "content": "x"})
    assert (tmp_path / "file").exists()
