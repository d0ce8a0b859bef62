"""What managed_files does: what is demanded of paths, what differs, how it is made good or taken back."""

from __future__ import annotations

import base64
import grp
import os
import pwd
import re
import shlex
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ansible.module_utils import guarded_paths, own_files
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.guarded_paths import Attributes, UntrustedLink

OCTAL = re.compile(r"0[0-7]{3,4}")
UNKNOWN = -2  # the number of a user or group that a check does not find
LONGEST_DIFF = 100_000  # characters
CHECKER_LINES = 10

Diff = dict[str, str]


class Refused(Exception):
    """An entry cannot be as demanded; the text says why and what to do."""


@dataclass
class Entry:
    """What is demanded of one path."""

    path: Path
    state: str
    attributes: Attributes
    content: bytes
    target: str
    validate: str
    recurse: bool
    secret: bool


@dataclass
class Change:
    """What differs at a path: how it is made good, and how that is taken back; a removal cannot be."""

    path: Path
    make: Callable[[], None]
    undo: Callable[[], None] | None
    diffs: list[Diff]


def number_of(name: str | None, kind: str, lookup: Callable[[str], int], check: bool) -> int | None:
    """Return the number of a user or group that is given by name or number."""
    if name is None or name.isdecimal():
        return None if name is None else int(name)
    try:
        return lookup(name)
    except KeyError:
        if check:
            return UNKNOWN
        raise Refused(f"There is no {kind} {name} on this host. Create it before this task.") from None


def mode_of(text: str, path: Path) -> int:
    """Return the permissions that an octal text stands for."""
    if not OCTAL.fullmatch(text):
        raise Refused(f'The mode of {path} is {text}; write it in octal and in quotes, such as "0644".')
    return int(text, 8)


def entries(params: dict[str, Any], check: bool) -> Iterator[Entry]:
    """Yield what is demanded of each path."""
    contents, begin = zlib.decompress(base64.b64decode(params["contents"])), 0
    seen: set[Path] = set()
    for given in params["files"]:
        path, is_directory = Path(given["path"]), given["state"] == "directory"
        if not path.is_absolute() or ".." in path.parts or path in seen:
            wrong = "is listed twice" if path in seen else "is no absolute path"
            raise Refused(f"{path} {wrong}. Correct the list of files.")
        if given["state"] == "file" and given["size"] is None:
            raise Refused(
                f"{path} comes without content: this module needs its action plugin, managed_files."
            )
        if given["state"] == "link" and not given["target"]:
            raise Refused(f"{path} is to be a link and has no target.")
        if given["validate"] and "%s" not in given["validate"]:
            raise Refused(f"`{given['validate']}` does not say with %s where {path} stands.")
        seen.add(path)
        size = given["size"] or 0
        owner, group = (given[name] or params[name] for name in ("owner", "group"))
        yield Entry(
            path,
            given["state"],
            Attributes(
                mode_of(given["mode"] or params["directory_mode" if is_directory else "mode"], path),
                number_of(owner, "user", lambda name: pwd.getpwnam(name).pw_uid, check),
                number_of(group, "group", lambda name: grp.getgrnam(name).gr_gid, check),
            ),
            contents[begin : begin + size],
            given["target"] or "",
            given["validate"] or "",
            given["recurse"],
            given["secret"],
        )
        begin += size


def difference(path: Path, before: str, after: str) -> Diff:
    """Return a difference as Ansible shows it."""
    return {"before_header": str(path), "after_header": str(path), "before": before, "after": after}


def attributes_diff(path: Path, status: os.stat_result, wanted: Attributes) -> list[Diff]:
    """Return how the attributes of something that exists differ from those demanded."""
    before = Attributes.of(status)
    after = wanted.completed(before)
    texts = [f"mode {mode:04o}, owner {uid}, group {gid}\n" for mode, uid, gid in (before, after)]
    return [difference(path, *texts)] if before != after else []


def content_diff(entry: Entry, old: bytes) -> list[Diff]:
    """Return how the content of a file differs from the one demanded, unless that must not be shown."""
    texts = [content.decode(errors="replace") for content in (old, entry.content)]
    if entry.secret:
        return [{"prepared": f"{entry.path}: the content differs, and is secret\n"}]
    if any("\0" in text or "\ufffd" in text or len(text) > LONGEST_DIFF for text in texts):
        return [{"prepared": f"{entry.path}: the content differs, and is too long or no text\n"}]
    return [difference(entry.path, *texts)]


class Files:
    """The files of this host, as entries demand them."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.coming: set[Path] = set()  # directories that earlier entries make

    def plan(self, entry: Entry) -> list[Change]:
        """Return what differs at a path. Raises Refused if it cannot be as demanded."""
        plans: dict[str, Callable[[Entry, os.stat_result | None], Iterator[Change]]] = {
            "file": self._plan_file,
            "directory": self._plan_directory,
            "link": self._plan_link,
            "absent": self._plan_removal,
        }
        try:
            return list(plans[entry.state](entry, guarded_paths.status_of(entry.path)))
        except (UntrustedLink, OSError) as error:
            raise Refused(f"{entry.path} cannot be managed: {error}.") from error

    def _plan_file(self, entry: Entry, status: os.stat_result | None) -> Iterator[Change]:
        path, wanted = entry.path, entry.attributes
        put = partial(guarded_paths.write, path, entry.content, check=partial(self._validate, entry))
        if status is None:
            self._expect_parent(path)
            yield Change(
                path, partial(put, wanted), partial(guarded_paths.remove, path), content_diff(entry, b"")
            )
        elif stat.S_ISLNK(status.st_mode):
            yield from self._plan_keeping(entry, status)
            undo = partial(guarded_paths.link, path, guarded_paths.link_target(path))
            yield Change(path, partial(put, wanted), undo, content_diff(entry, b""))
        elif not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path} is no file. Remove it, or write elsewhere.")
        elif (old := guarded_paths.read(path)) != entry.content:
            before = Attributes.of(status)
            undo = partial(guarded_paths.write, path, old, before)
            diffs = content_diff(entry, old) + attributes_diff(path, status, wanted)
            yield from self._plan_keeping(entry, status, old)
            yield Change(path, partial(put, wanted.completed(before)), undo, diffs)
        elif diffs := attributes_diff(path, status, wanted):
            give = partial(guarded_paths.give_attributes, path)
            yield Change(path, partial(give, wanted), partial(give, Attributes.of(status)), diffs)

    def _plan_keeping(
        self, entry: Entry, status: os.stat_result, old: bytes | None = None
    ) -> Iterator[Change]:
        """Keep once beside our file what somebody else put in its place: a file, or without `old` a link."""
        kept = own_files.copy_of(entry.path)
        ours = not own_files.is_ours(entry.content) or own_files.is_ours(old or b"")
        if ours or guarded_paths.status_of(kept):
            return
        keep = partial(own_files.keep, entry.path, status)
        diffs = [difference(kept, "absent\n", f"what {entry.path} was\n")]
        yield Change(kept, keep, partial(guarded_paths.remove, kept), diffs)

    def _plan_directory(self, entry: Entry, _: os.stat_result | None) -> Iterator[Change]:
        path, wanted = entry.path, entry.attributes
        self.coming |= {path, *path.parents}
        try:
            with guarded_paths.directory(path) as here:
                status = os.fstat(here)
                below = list(guarded_paths.walk(here)) if entry.recurse else []
        except NotADirectoryError:
            raise Refused(f"{path} is no directory. Remove it, or write elsewhere.") from None
        except FileNotFoundError:
            made: list[Path] = []
            make = partial(guarded_paths.ensure_directory, path, wanted, made)
            diffs = [difference(path, "absent\n", "a directory\n")]
            yield Change(path, make, partial(guarded_paths.remove_directories, made), diffs)
            return
        if diffs := attributes_diff(path, status, wanted):
            give = partial(guarded_paths.ensure_directory, path)
            yield Change(path, partial(give, wanted), partial(give, Attributes.of(status)), diffs)
        owner = wanted._replace(mode=None)
        for name, status in below:
            if diffs := attributes_diff(path / name, status, owner):
                give = partial(guarded_paths.give_attributes, path / name)
                before = Attributes.of(status)._replace(mode=None)
                yield Change(path / name, partial(give, owner), partial(give, before), diffs)

    def _plan_link(self, entry: Entry, status: os.stat_result | None) -> Iterator[Change]:
        path = entry.path
        make = partial(guarded_paths.link, path, entry.target)
        after = f"a link to {entry.target}\n"
        if status is None:
            self._expect_parent(path)
            diffs = [difference(path, "absent\n", after)]
            yield Change(path, make, partial(guarded_paths.remove, path), diffs)
        elif not stat.S_ISLNK(status.st_mode):
            raise Refused(f"{path} is no link. Remove it, or put the link elsewhere.")
        elif (old := guarded_paths.link_target(path)) != entry.target:
            diffs = [difference(path, f"a link to {old}\n", after)]
            yield Change(path, make, partial(guarded_paths.link, path, old), diffs)

    def _plan_removal(self, entry: Entry, status: os.stat_result | None) -> Iterator[Change]:
        path = entry.path
        if status is None:
            return
        if stat.S_ISDIR(status.st_mode) and not entry.recurse:
            raise Refused(
                f"{path} is a directory: with `recurse: true` it is removed, and all that is in it."
            )
        yield Change(
            path, partial(guarded_paths.remove, path), None, [difference(path, "present\n", "absent\n")]
        )

    def _expect_parent(self, path: Path) -> None:
        """Raise Refused if there is no directory for a file, and none is coming."""
        if self.module.check_mode or path.parent in self.coming:
            return
        try:
            os.close(guarded_paths.open_directory(path.parent))
        except FileNotFoundError:
            raise Refused(
                f"There is no directory {path.parent} for {path.name}. List it before the file with "
                "`state: directory`, or install the package that brings it."
            ) from None

    def _validate(self, entry: Entry, new: Path) -> None:
        """Run the check of a file that is to be put into its place. Raises Refused if it does not succeed."""
        if not entry.validate:
            return
        command = [part.replace("%s", str(new)) for part in shlex.split(entry.validate)]
        try:
            code, output, error = self.module.run_command(command, handle_exceptions=False)
        except OSError as fault:
            raise Refused(f"`{entry.validate}` cannot be run: {fault}.") from fault
        if code:
            said = "What it said is not shown, as the file is secret."
            if not entry.secret:
                lines = f"{output}\n{error}".replace(str(new), str(entry.path)).strip().splitlines()
                said = "\n".join(["It said:", *lines[-CHECKER_LINES:]])
            raise Refused(f"{entry.path} failed to validate: `{entry.validate}` ended with {code}. {said}")


def put_back(undos: list[Callable[[], None]]) -> str:
    """Undo changes, the last first, and return a sentence about it."""
    faults = []
    for undo in reversed(undos):
        try:
            undo()
        except (UntrustedLink, OSError) as error:
            faults.append(str(error))
    return f"Not everything could be put back: {'; '.join(faults)}." if faults else "Nothing was changed."


def apply(changes: list[Change]) -> None:
    """Make all changes, removals last. Raises Refused for one that fails, when those before are undone."""
    made: list[Callable[[], None]] = []
    for change in sorted(changes, key=lambda change: change.undo is None):
        try:
            change.make()
        except (Refused, UntrustedLink, OSError) as error:
            reason = str(error) if isinstance(error, Refused) else f"{change.path}: {error}."
            raise Refused(f"{reason}\n{put_back(made) if change.undo else 'All else was done.'}") from error
        if change.undo:
            made.append(change.undo)
