"""managed_files on the host: what is written, refused, foreseen, shown, and put back."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from .conftest import Manage, mode, needs_root

NOBODY = pwd.getpwnam("nobody").pw_uid


def listing(folder: Path) -> dict[str, Any]:
    """Return everything below a directory with what a call could change of it."""
    return {
        str(path.relative_to(folder)): (
            mode(path),
            path.lstat().st_uid,
            str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def everything(tmp_path: Path) -> list[dict[str, Any]]:
    """Entries of every kind, none of which is as demanded, and the host as it is before."""
    (tmp_path / "old").write_text("a\n")
    (tmp_path / "open").write_text("b\n")
    (tmp_path / "open").chmod(0o666)
    (tmp_path / "gone").write_text("c\n")
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_text("d\n")
    (tmp_path / "points").symlink_to("nowhere")
    return [
        {"path": tmp_path / "new" / "directory", "state": "directory", "mode": "0750"},
        {"path": tmp_path / "new" / "directory" / "file", "content": "x\n", "mode": "0600"},
        {"path": tmp_path / "old", "content": "z\n"},
        {"path": tmp_path / "open", "content": "b\n"},
        {"path": tmp_path / "points", "state": "link", "target": "new"},
        {"path": tmp_path / "also", "state": "link", "target": "new"},
        {"path": tmp_path / "gone", "state": "absent"},
        {"path": tmp_path / "tree", "state": "absent", "recurse": True},
        {"path": tmp_path / "never", "state": "absent"},
    ]


def test_everything_is_as_demanded_after_one_call_and_a_second_changes_nothing(
    manage: Manage, tmp_path: Path, everything: list[dict[str, Any]]
) -> None:
    result = manage(*everything)
    demanded = [str(entry["path"]) for entry in everything]
    assert result["changed"] and result["changed_paths"] == demanded[:-1]
    own = os.geteuid()
    assert listing(tmp_path) == {
        "new": (0o755, own, None),
        "new/directory": (0o750, own, None),
        "new/directory/file": (0o600, own, b"x\n"),
        "old": (0o644, own, b"z\n"),
        "open": (0o644, own, b"b\n"),
        "points": (0o777, own, "new"),
        "also": (0o777, own, "new"),
    }
    again = manage(*everything)
    assert (again["changed"], again["changed_paths"]) == (False, [])


OURS = "# HAL network writes this file.\nx\n"


@pytest.mark.parametrize("link", [False, True])
def test_what_somebody_else_wrote_is_kept_once_beside_our_file(
    manage: Manage, tmp_path: Path, link: bool
) -> None:
    path, kept = tmp_path / "settings", tmp_path / "settings.before-hal"
    theirs = "# Ansible managed, by a play of the household's own\n"
    if link:
        (tmp_path / "theirs").write_text(theirs)
        path.symlink_to("theirs")
    else:
        path.write_text(theirs)
        path.chmod(0o640)
    entry = {"path": path, "content": OURS, "mode": "0644"}
    foreseen = manage(entry, check=True, diff=True)
    assert not kept.exists()
    assert f"what {path} was" in str(foreseen["diff"])
    assert manage(entry)["changed_paths"] == foreseen["changed_paths"] == [str(kept), str(path)]
    assert (path.read_text(), kept.read_text()) == (OURS, theirs)
    assert kept.is_symlink() if link else mode(kept) == 0o640

    path.write_text("b\n")  # by hand, after ours
    assert manage(entry)["changed_paths"] == [str(path)]
    assert kept.read_text() == theirs
    assert not manage(entry)["changed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("// HAL network writes this file. See docs\na\n", OURS, id="ours, of another release"),
        pytest.param("UTC\n", "Europe/Berlin\n", id="a file that has no mark"),
    ],
)
def test_nothing_is_kept_of_a_file_that_is_ours_or_cannot_be_told(
    manage: Manage, tmp_path: Path, before: str, after: str
) -> None:
    (tmp_path / "settings").write_text(before)
    manage({"path": tmp_path / "settings", "content": after})
    assert [path.name for path in tmp_path.iterdir()] == ["settings"]


def test_what_is_kept_goes_again_when_our_file_is_refused(manage: Manage, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("a\n")
    with pytest.raises(Exception, match="failed to validate"):
        manage({"path": tmp_path / "settings", "content": OURS, "validate": "grep -q nothing %s"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"settings": "a\n"}


def test_a_check_foresees_exactly_what_a_run_does_and_does_nothing(
    manage: Manage, tmp_path: Path, everything: list[dict[str, Any]]
) -> None:
    before = listing(tmp_path)
    foreseen = manage(*everything, check=True)
    assert listing(tmp_path) == before
    assert foreseen["changed_paths"] == manage(*everything)["changed_paths"]
    assert manage(*everything, check=True)["changed_paths"] == []


def test_a_check_foresees_a_file_whose_directory_and_owner_are_still_to_come(
    manage: Manage, tmp_path: Path
) -> None:
    entry = {
        "path": tmp_path / "package" / "settings",
        "content": "x",
        "owner": "hal-nobody",
        "group": "hal-nobody",
    }
    assert manage(entry, check=True)["changed_paths"] == [str(entry["path"])]
    present = {"path": tmp_path / "present", "content": "x", "owner": "hal-nobody"}
    present["path"].write_text("x")
    assert manage(present, check=True, diff=True)["changed"]


def test_a_file_that_is_as_demanded_is_not_touched(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(0o644)
    before = path.stat()
    manage({"path": path, "content": "x"})
    assert path.stat() == before


def test_a_file_of_which_only_the_mode_differs_stays_the_same_file(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    inode = path.stat().st_ino
    assert manage({"path": path, "content": "x", "mode": "0600"})["changed"]
    assert (mode(path), path.stat().st_ino) == (0o600, inode)


def test_defaults_serve_entries_without_their_own(manage: Manage, tmp_path: Path) -> None:
    manage(
        {"path": tmp_path / "d", "state": "directory"},
        {"path": tmp_path / "d" / "f", "content": ""},
        {"path": tmp_path / "d" / "g", "content": "", "mode": "0640"},
        mode="0600",
        directory_mode="0700",
    )
    assert [mode(tmp_path / name) for name in ("d", "d/f", "d/g")] == [0o700, 0o600, 0o640]


@needs_root
def test_owner_and_group_are_set_by_name_or_number(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "file"
    group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    entry = {"path": path, "content": "x", "owner": "nobody", "group": group}
    assert manage(entry)["changed"]
    assert (path.stat().st_uid, path.group()) == (NOBODY, group)
    assert not manage(entry | {"owner": str(NOBODY)})["changed"]


@needs_root
def test_a_file_without_a_demanded_owner_keeps_its_own(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    os.chown(path, NOBODY, -1)
    assert manage({"path": path, "content": "y"})["changed"]
    assert path.stat().st_uid == NOBODY


@needs_root
def test_all_in_a_directory_gets_its_owner_where_that_is_demanded_and_links_are_not_followed(
    manage: Manage, tmp_path: Path
) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.write_text("x")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("restored")
    (folder / "deep" / "link").symlink_to(outside)
    entry = {"path": folder, "state": "directory", "owner": "nobody", "recurse": True}
    result = manage(entry)
    assert len(result["changed_paths"]) == 4
    assert {path.lstat().st_uid for path in [folder, *folder.rglob("*")]} == {NOBODY}
    assert (outside.stat().st_uid, mode(folder / "deep" / "file")) == (0, 0o644)
    assert not manage(entry)["changed"]


def test_an_unknown_owner_is_named(manage: Manage, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"There is no user hal-nobody on this host. Create it"):
        manage({"path": tmp_path / "file", "content": "x", "owner": "hal-nobody"})
    with pytest.raises(Exception, match="There is no group hal-nobody"):
        manage({"path": tmp_path / "file", "content": "x", "group": "hal-nobody"})


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"path": "relative", "content": "x"}, "relative is no absolute path"),
        ({"path": "/tmp/../etc/x", "content": "x"}, r"/tmp/\.\./etc/x is no absolute path"),
        (
            {"path": "/nowhere/file", "content": "x"},
            "There is no directory /nowhere for file. List it before",
        ),
        (
            {"path": "/nowhere/link", "state": "link", "target": "x"},
            "There is no directory /nowhere for link",
        ),
        ({"path": "/dev/null", "content": "x"}, "/dev/null is no file. Remove it"),
        ({"path": "/dev/null", "state": "directory"}, "/dev/null is no directory. Remove it"),
        ({"path": "/dev/null", "state": "link", "target": "x"}, "/dev/null is no link. Remove it"),
        ({"path": "/dev/null/file", "content": "x"}, "/dev/null/file cannot be managed: .*Not a directory"),
        ({"path": "/tmp", "state": "absent"}, "/tmp is a directory: with `recurse: true` it is removed"),
        ({"path": "/tmp/x", "state": "link"}, "/tmp/x is to be a link and has no target"),
        ({"path": "/tmp/x", "content": "x", "mode": "420"}, "mode of /tmp/x is 420; write it in octal"),
        ({"path": "/tmp/x", "content": "x", "mode": "u=rw"}, "mode of /tmp/x is u=rw; write it in octal"),
        (
            {"path": "/tmp/x", "content": "x", "validate": "true"},
            "`true` does not say with %s where /tmp/x stands",
        ),
        ({"path": "/tmp/x"}, "/tmp/x comes without content: this module needs its action plugin"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    manage: Manage, entry: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Exception, match=sentence):
        manage(entry)


def test_a_path_that_is_listed_twice_is_refused(manage: Manage, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"file is listed twice\. Correct the list of files"):
        manage({"path": tmp_path / "file", "content": "x"}, {"path": f"{tmp_path}//file", "content": "y"})


def test_what_is_refused_is_refused_before_anything_is_written(manage: Manage, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="There is no directory"):
        manage({"path": tmp_path / "a", "content": "x"}, {"path": tmp_path / "nowhere" / "b", "content": "x"})
    assert listing(tmp_path) == {}


CHECKER = """#!/bin/sh
# Accepts a file of which every included one is there and all are free of mistakes.
included=$(sed -n 's/^include //p' "$1")
for file in "$1" $included; do
    if grep -n mistake "$file"; then echo "$file is wrong: $(cat "$file")" >&2; exit 3; fi
    test -e "$file" || exit 4
done
"""


@pytest.fixture
def checker(tmp_path: Path) -> str:
    program = tmp_path / "checker"
    program.write_text(CHECKER)
    program.chmod(0o755)
    return f"{program} %s"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with files that are as demanded."""
    path = tmp_path / "etc"
    path.mkdir()
    (path / "first").write_text("first\n")
    (path / "main").write_text("main\n")
    return path


def test_a_file_that_its_check_refuses_is_not_written_and_the_message_says_why(
    manage: Manage, folder: Path, checker: str
) -> None:
    with pytest.raises(Exception, match="failed to validate") as failure:
        manage({"path": folder / "main", "content": "ok\nmistake\n", "validate": checker})
    message = str(failure.value)
    assert f"{folder}/main failed to validate: `{checker}` ended with 3. It said:\n2:mistake\n" in message
    assert f"{folder}/main is wrong: ok\nmistake" in message, (
        "the path is the file's own, not a temporary one"
    )
    assert message.endswith("Nothing was changed.")
    assert (folder / "main").read_text() == "main\n"
    assert sorted(path.name for path in folder.iterdir()) == ["first", "main"]


def test_a_check_sees_the_new_files_before_it_in_the_list(manage: Manage, folder: Path, checker: str) -> None:
    rules = {"path": folder / "rules", "content": "rules\n", "validate": checker}
    main = {"path": folder / "main", "content": f"include {folder}/rules\n", "validate": checker}
    assert manage(rules, main)["changed_paths"] == [str(folder / "rules"), str(folder / "main")]


def test_when_a_later_file_is_refused_all_before_it_is_put_back(
    manage: Manage, folder: Path, checker: str, everything: list[dict[str, Any]]
) -> None:
    before = listing(folder.parent)
    removal = {"path": folder / "first", "state": "absent"}
    with pytest.raises(Exception, match=r"failed to validate(.|\n)*Nothing was changed"):
        manage(removal, *everything, {"path": folder / "main", "content": "mistake", "validate": checker})
    assert listing(folder.parent) == before


def test_the_check_of_a_file_that_does_not_change_is_not_run(
    manage: Manage, folder: Path, tmp_path: Path
) -> None:
    manage({"path": folder / "main", "content": "main\n", "validate": f"touch {tmp_path}/ran %s"})
    assert not (tmp_path / "ran").exists()


def test_a_check_that_is_not_installed_is_named(manage: Manage, folder: Path) -> None:
    with pytest.raises(Exception, match=r"`no-such-checker %s` cannot be run: .*\nNothing was changed"):
        manage({"path": folder / "main", "content": "x", "validate": "no-such-checker %s"})


def test_check_mode_runs_no_checks(manage: Manage, folder: Path) -> None:
    entry = {"path": folder / "main", "content": "x", "validate": "no-such-checker %s"}
    assert manage(entry, check=True)["changed"]


def test_the_checked_file_has_its_attributes_already(manage: Manage, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    entry = {"path": tmp_path / "file", "content": "x", "mode": "0640"}
    manage(entry | {"validate": f"""sh -c 'stat -c %%a "$0" > {seen}' %s""".replace("%%a", "%a")})
    assert seen.read_text() == "640\n"


def test_differences_are_shown_file_by_file(
    manage: Manage, tmp_path: Path, everything: list[dict[str, Any]]
) -> None:
    assert "diff" not in manage(*everything, check=True)
    diffs = manage(*everything, check=True, diff=True)["diff"]
    shown = {Path(diff["before_header"]).name: (diff["before"], diff["after"]) for diff in diffs}
    own = f"owner {os.geteuid()}, group {(tmp_path / 'open').stat().st_gid}\n"
    assert shown == {
        "directory": ("absent\n", "a directory\n"),
        "file": ("", "x\n"),
        "old": ("a\n", "z\n"),
        "open": (f"mode 0666, {own}", f"mode 0644, {own}"),
        "points": ("a link to nowhere\n", "a link to new\n"),
        "also": ("absent\n", "a link to new\n"),
        "gone": ("present\n", "absent\n"),
        "tree": ("present\n", "absent\n"),
    }


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 200_000, b"a\0b"])
def test_what_is_no_text_or_too_long_is_not_shown(manage: Manage, tmp_path: Path, content: bytes) -> None:
    result = manage({"path": tmp_path / "file", "content": content}, diff=True)
    assert result["diff"] == [
        {"prepared": f"{tmp_path}/file: the content differs, and is too long or no text\n"}
    ]
    assert (tmp_path / "file").read_bytes() == content


def test_a_secret_is_in_no_result_and_in_no_failure(
    manage: Manage, tmp_path: Path, checker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {"path": tmp_path / "secret", "secret": True, "mode": "0600", "validate": checker}
    for number, content in enumerate(("first-secret\n", "second-secret\n")):
        result = manage(secret | {"content": content}, diff=True)
        assert "-secret" not in str(result), number
        assert "the content differs, and is secret" in str(result["diff"])
    with pytest.raises(Exception, match="What it said is not shown, as the file is secret") as failure:
        manage(secret | {"content": "mistake third-secret\n"}, diff=True)
    assert "third" not in str(failure.value.result)
    assert "invocation" not in result or result["invocation"]["module_args"]["contents"].startswith(
        "VALUE_SPEC"
    )
    assert (tmp_path / "secret").read_text() == "second-secret\n"


def test_a_new_secret_is_open_to_nobody_else_at_any_time(
    manage: Manage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    fchmod = os.fchmod
    monkeypatch.setattr(
        os, "fchmod", lambda file, new: (modes.append(os.fstat(file).st_mode & 0o777), fchmod(file, new))
    )
    manage({"path": tmp_path / "secret", "content": "x", "mode": "0640", "secret": True})
    assert modes == [0o600]
