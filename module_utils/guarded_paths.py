"""Directories and files reached without following a link that somebody else could have laid.

Who runs as root and writes into a directory of another user must not be led elsewhere by a symbolic link
there. So every directory is opened step by step, and is acted on by its descriptor and a name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
LONGEST_CHAIN = 40  # links, as for the kernel
MODE = 0o755  # of directories that are made on the way


class UntrustedLink(Exception):
    """A link on the way may be somebody else's than root's or one's own; the text names it."""


def _trusted(link: os.stat_result, directory: os.stat_result) -> bool:
    """Return whether nobody else than root and who runs this can have made a link in this directory."""
    trusted = {0, os.geteuid()}
    writable = directory.st_mode & 0o022 and not directory.st_mode & stat.S_ISVTX
    return link.st_uid in trusted and directory.st_uid in trusted and not writable


def open_directory(path: Path, created: list[Path] | None = None) -> int:
    """Return a descriptor of a directory, given by its absolute path.

    Links on the way are followed if nobody but root, or who runs this, can have laid them.

    Args:
        path: the directory.
        created: receives the directories that are made on the way; without it none is made.

    Raises:
        FileNotFoundError: there is no such directory, and none was to be made.
        NotADirectoryError: something on the way is no directory.
        UntrustedLink: a link on the way is not to be followed.
    """
    here, descriptor = Path("/"), os.open("/", OPEN_DIRECTORY)
    names, links = list(reversed(path.parts[1:])), 0
    try:
        while names:
            name = names.pop()
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                if created is None:
                    raise
                os.mkdir(name, MODE, dir_fd=descriptor)
                created.append(here / name)
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > LONGEST_CHAIN or not _trusted(status, os.fstat(descriptor)):
                    raise UntrustedLink(f"{here / name} is a link that is not root's")
                target = Path(os.readlink(name, dir_fd=descriptor))
                names += reversed(target.parts)
                continue
            # A name "/" is the beginning of an absolute link; the descriptor has no say in it.
            further = os.open(name, OPEN_DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            here, descriptor = here / name, further
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def directory(path: Path, created: list[Path] | None = None) -> Iterator[int]:
    """Open a directory as open_directory() does, for the time of a block."""
    descriptor = open_directory(path, created)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def status_of(path: Path) -> os.stat_result | None:
    """Return what stands at a path, a link as the link that it is; None for nothing."""
    try:
        with directory(path.parent) as parent:
            return os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def read(path: Path) -> bytes:
    """Return the content of a file, which is no link."""
    with directory(path.parent) as parent:
        descriptor = os.open(path.name, OPEN_FILE, dir_fd=parent)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


class Attributes(NamedTuple):
    """Permissions, user and group as numbers. None leaves what is there."""

    mode: int | None
    uid: int | None
    gid: int | None

    @classmethod
    def of(cls, status: os.stat_result) -> Attributes:
        """Return those of what exists."""
        return cls(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)

    def completed(self, others: Attributes) -> Attributes:
        """Return these, with others in the place of None."""
        missing = {name: value for name, value in others._asdict().items() if getattr(self, name) is None}
        return self._replace(**missing)

    def differ(self, status: os.stat_result) -> bool:
        """Return whether what exists has other ones."""
        present = Attributes.of(status)
        return self.completed(present) != present

    def give(self, descriptor: int) -> None:
        """Give them to an open file or directory; the owner first, as that resets some permissions."""
        os.fchown(descriptor, *(-1 if number is None else number for number in (self.uid, self.gid)))
        if self.mode is not None:
            os.fchmod(descriptor, self.mode)


def give_attributes(path: Path, attributes: Attributes) -> None:
    """Set the attributes of something that exists; of a link its owner alone."""
    with directory(path.parent) as parent:
        owner = (-1 if number is None else number for number in (attributes.uid, attributes.gid))
        os.chown(path.name, *owner, dir_fd=parent, follow_symlinks=False)
        if attributes.mode is not None:
            descriptor = os.open(path.name, OPEN_FILE, dir_fd=parent)
            try:
                os.fchmod(descriptor, attributes.mode)
            finally:
                os.close(descriptor)


def walk(descriptor: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything below an open directory, by its path from there; links are not followed."""
    for folder, directories, files, here in os.fwalk(".", dir_fd=descriptor):
        for name in (*directories, *files):
            with contextlib.suppress(FileNotFoundError):  # a program at work there removed it
                yield str(Path(folder, name)), os.stat(name, dir_fd=here, follow_symlinks=False)


def ensure_directory(path: Path, attributes: Attributes, made: list[Path] | None = None) -> None:
    """Set the attributes of a directory; with `made`, where it is missing it is made, and added to that."""
    descriptor = open_directory(path, made)
    try:
        attributes.give(descriptor)
    finally:
        os.close(descriptor)


def remove_directories(made: list[Path]) -> None:
    """Remove directories that were made, the last first, unless something else is in them by now."""
    for path in reversed(made):
        with directory(path.parent) as parent, contextlib.suppress(OSError):
            os.rmdir(path.name, dir_fd=parent)


def _temporary(path: Path, parent: int) -> str:
    """Return a free name beside a path; it begins with a dot, so that no program takes it for a setting."""
    name = f".{path.name}.new"
    with contextlib.suppress(FileNotFoundError):  # of a run that was killed
        os.unlink(name, dir_fd=parent)
    return name


def write(
    path: Path,
    content: bytes,
    attributes: Attributes,
    check: Callable[[Path], None] = lambda _: None,
) -> None:
    """Put a file into its place by renaming, so that it is there whole, with its attributes, or not at all.

    Args:
        path: where it belongs; a link there is replaced.
        content: what is in it.
        attributes: what it gets; it is never open to others before.
        check: is called with the new file's path beside its place, and raises to keep it from there.
    """
    with directory(path.parent) as parent:
        name = _temporary(path, parent)
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                attributes.give(file.fileno())
                os.fsync(file.fileno())
            check(path.with_name(name))
            os.rename(name, path.name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            os.unlink(name, dir_fd=parent)
            raise
        os.fsync(parent)


def link(path: Path, target: str) -> None:
    """Make a symbolic link, or replace one or a file."""
    with directory(path.parent) as parent:
        name = _temporary(path, parent)
        os.symlink(target, name, dir_fd=parent)
        os.rename(name, path.name, src_dir_fd=parent, dst_dir_fd=parent)


def link_target(path: Path) -> str:
    """Return what a link leads to, as it says."""
    with directory(path.parent) as parent:
        return os.readlink(path.name, dir_fd=parent)


def remove(path: Path) -> None:
    """Remove a file, a link, or a directory with everything in it."""
    status = status_of(path)
    with directory(path.parent) as parent:
        if status is not None and stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path.name, dir_fd=parent)  # which follows no links
        else:
            os.unlink(path.name, dir_fd=parent)
