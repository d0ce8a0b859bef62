"""The recovery kit: what a computer needs to be the controller, as one archive."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from hal.network.files import write_private, write_whole

FORMAT = 1
FACTS = "kit.json"
# In the local directory: where the last kit is, and digests of what it holds. Of no use to another computer.
RECORD = "recovery-kit.json"
PASSPHRASE_LENGTH = 16  # characters; whoever finds the kit can try as long as he likes
LARGEST_MIB = 20
KITS = ("*.kit", "*.kit.html")  # no kit holds another one
VAULT_PASSWORD = "home/.config/hal/vault-password"  # noqa: S105 - a name: where vars_plugins/vault_file.py looks

type Contents = dict[str, bytes]


class KitError(Exception):
    """The kit cannot be made or used; the text says why and what to do."""


def passphrase(ask: Callable[[], str]) -> str:
    """Return the kit's passphrase: HAL_KIT_PASSPHRASE, what HAL_KIT_PASSPHRASE_FILE holds, or what is typed.

    Args:
        ask: asks for it at the keyboard; raises EOFError where there is none.

    Raises:
        KitError: there is none, or its file cannot be read.
    """
    file = os.environ.get("HAL_KIT_PASSPHRASE_FILE")
    given = os.environ.get("HAL_KIT_PASSPHRASE", "")
    try:
        given = given or (Path(file).expanduser().read_text() if file else "")
        given = given or ask()
    except EOFError:
        raise KitError("No passphrase was given: type it, or set HAL_KIT_PASSPHRASE_FILE.") from None
    except (OSError, ValueError) as error:
        raise KitError(f"The passphrase cannot be read: {error}") from None
    return given.strip()


@dataclass(frozen=True)
class Places:
    """Where a computer has the project and the user's files, which another one may have elsewhere.

    Attributes:
        project: the checkout.
        home: the user's home directory.
    """

    project: Path
    home: Path

    def name(self, path: Path) -> str:
        """Return a file's name in a kit, such as `home/.config/hal/ca.crt`."""
        for root, directory in (("project", self.project), ("home", self.home)):
            if path.is_relative_to(directory):
                return f"{root}/{path.relative_to(directory).as_posix()}"
        return f"root{path.as_posix()}"

    def path(self, name: str) -> Path:
        """Return where a file of a kit belongs on this computer.

        Raises:
            KitError: no kit of ours has such a name.
        """
        root, *parts = PurePosixPath(name).parts
        directory = {"project": self.project, "home": self.home, "root": Path("/")}.get(root)
        if directory is None or not parts or ".." in parts:
            raise KitError(f"The kit has a file {name!r}, which belongs nowhere.")
        return directory.joinpath(*parts)


@dataclass(frozen=True)
class Controller:
    """What a computer has as the controller, as `network_controller` in playbooks/group_vars says.

    Attributes:
        places: where it has its files.
        inventory: the inventory's directory.
        local: the directory of what the plays need and the repository may not hold.
        leaves_out: patterns of names directly in `local` that are no business of a controller.
        administrator_key: the public SSH key by which the hosts know it.
        key_files: private SSH keys that the inventory names; without any, the key is looked for in ~/.ssh.
        vault_password: the password that opens the inventory's vault; None: no vault, or unknown.
        vault_fault: why it is unknown.
    """

    places: Places
    inventory: Path
    local: Path
    leaves_out: tuple[str, ...] = ()
    administrator_key: str = ""
    key_files: tuple[Path, ...] = ()
    vault_password: bytes | None = None
    vault_fault: str = ""

    def files(self) -> dict[str, Path]:
        """Return every file that another controller needs and that is here, by its name in a kit."""
        found = [*self._below(self.inventory), *self._below(self.local), *self._keys()]
        return dict(sorted((self.places.name(path), path) for path in found))

    def contents(self) -> Contents:
        """Return the content of every file that another controller needs, by its name in a kit.

        Raises:
            KitError: they are too large to be what is meant.
            OSError: one cannot be read.
        """
        files = self.files()
        size = sum(path.stat().st_size for path in files.values())
        if size > LARGEST_MIB * 2**20:
            largest = max(files.values(), key=lambda path: path.stat().st_size)
            raise KitError(
                f"{self.inventory} and {self.local} hold {size / 2**20:.0f} MiB; a kit holds {LARGEST_MIB} "
                f"at most. Move what is no business of the plays elsewhere, such as {largest}."
            )
        contents = {name: path.read_bytes() for name, path in files.items()}
        # A file that holds it is taken as it is: with a newline more it would count as changed.
        if self.vault_password and contents.get(VAULT_PASSWORD, b"").strip() != self.vault_password:
            contents[VAULT_PASSWORD] = self.vault_password + b"\n"
        return contents

    def public(self) -> set[str]:
        """Return the names of the files that everybody may read, which stand in the checkout alone."""
        return {
            name
            for name, path in self.files().items()
            if name.startswith("project/") and path.stat().st_mode & 0o004
        }

    def lacks(self) -> list[str]:
        """Return a sentence for everything that a kit of this controller would lack."""
        found = []
        if not self._keys():
            found.append(
                "the private SSH key of network_administrator_key, which is not in ~/.ssh: keep a copy of it "
                "yourself, for without it no host lets a new controller in"
            )
        if self.vault_fault:
            vault = self.inventory / "vault.yml"
            found.append(f"the vault's password: {vault} {self.vault_fault}. Then make the kit again")
        return found

    def _keys(self) -> list[Path]:
        if self.key_files:
            return [path for path in self.key_files if path.is_file()]
        key = self.administrator_key.encode().split()[:2]
        for public in sorted((self.places.home / ".ssh").glob("*.pub")):
            private = public.with_suffix("")
            with suppress(OSError):  # a link to nothing, or what is not ours to read, is another key
                if public.read_bytes().split()[:2] == key and private.is_file():
                    return [private, public]
        return []

    def _below(self, directory: Path) -> Iterator[Path]:
        without = (RECORD, *self.leaves_out) if directory == self.local else ()
        record = Record.read(self.local)
        last = (record.path, f"{record.path}.html") if record else ()
        for top in sorted(directory.glob("*")):
            if any(fnmatch(top.name, pattern) for pattern in without):
                continue
            for path in (top, *sorted(top.rglob("*"))):
                if str(path) in last or any(fnmatch(path.name, pattern) for pattern in KITS):
                    continue
                # What links into the checkout is there in every checkout.
                linked = path.is_symlink() and path.resolve().is_relative_to(self.places.project)
                if path.is_file() and not linked:
                    yield path


def digests(contents: Contents) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def pack(contents: Contents, facts: Mapping[str, Any], public: Collection[str]) -> bytes:
    """Return a kit, not encrypted: a tar archive, compressed.

    Args:
        contents: its files.
        facts: what it says of itself: `made_at`, `commit`, `inventory` and `local`
            by the names that they have in a kit.
        public: names of the files that everybody may read.
    """
    about = json.dumps({"format": FORMAT, **facts}, indent=2).encode()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in {FACTS: about, **contents}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = 0o644 if name in public else 0o600
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


@dataclass(frozen=True)
class Kit:
    """A kit that was opened.

    Attributes:
        facts: what it says of itself.
        contents: its files, by their names.
        public: the names of those that everybody may read.
    """

    facts: dict[str, Any]
    contents: Contents
    public: frozenset[str]

    @classmethod
    def unpack(cls, data: bytes) -> Kit:
        """Return what a kit that was decrypted holds.

        Raises:
            KitError: it is damaged, or of another version of this program.
        """
        contents: Contents = {}
        public = set()
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
                for member in archive:
                    file = archive.extractfile(member)
                    contents[member.name] = file.read() if file else b""
                    if member.mode & 0o004:
                        public.add(member.name)
            facts = json.loads(contents.pop(FACTS))
        except (tarfile.TarError, EOFError, OSError, KeyError, ValueError) as error:
            raise KitError(f"The kit is damaged ({error}). Take another copy of it.") from None
        if facts.get("format") != FORMAT:
            raise KitError(
                f"The kit is of another version of this project: use the commit that it was made at, "
                f"{facts.get('commit', 'unknown')}."
            )
        return cls(facts, contents, frozenset(public))

    def differing(self, places: Places) -> list[Path]:
        """Return the files of this computer that stand where a file of the kit belongs and differ from it."""
        wanted = {places.path(name): data for name, data in self.contents.items()}
        return [path for path, data in wanted.items() if path.exists() and path.read_bytes() != data]

    def put(self, places: Places, keep: bool) -> list[Path]:
        """Put the files in place and return those that were written.

        Args:
            places: where this computer has its files.
            keep: leave every file that is there as it is.

        Raises:
            OSError: one cannot be written.
        """
        written = []
        for name, data in self.contents.items():
            path = places.path(name)
            if path.exists() and (keep or path.read_bytes() == data):
                continue
            private = not name.startswith("project/")
            path.parent.mkdir(mode=0o700 if private else 0o755, parents=True, exist_ok=True)
            write_whole(path, data, 0o644 if name in self.public else 0o600)
            written.append(path)
        return written


@dataclass(frozen=True)
class Record:
    """What the controller remembers of its last kit.

    Attributes:
        path: where the kit was written.
        made_at: when, ISO 8601.
        files: the SHA-256 of each of its files.
    """

    path: str
    made_at: str
    files: dict[str, str]

    @classmethod
    def read(cls, local: Path) -> Record | None:
        """Return the record in a controller's local directory; None when there is none that can be read."""
        try:
            return cls(**json.loads((local / RECORD).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, local: Path) -> None:
        """Write the record into a controller's local directory."""
        write_private(local / RECORD, (json.dumps(vars(self), indent=2) + "\n").encode())

    def changed(self, now: Mapping[str, str]) -> list[str]:
        """Return the names of the files that are not as they were when the kit was made."""
        return sorted(name for name in self.files.keys() | now if self.files.get(name) != now.get(name))


def age(record: Record | None, now: Mapping[str, str]) -> str:
    """Return in a sentence whether the last kit holds what the controller has now."""
    remedy = "Run `make recovery-kit KIT=…`"
    if record is None:
        return f"There is no recovery kit, without which nobody replaces this computer. {remedy}."
    changed = [name.rpartition("/")[2] for name in record.changed(now)]
    if not changed:
        return f"The recovery kit of {record.made_at} holds what this computer has now."
    named = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    return (
        f"The recovery kit of {record.made_at} ({record.path}) is older than what it holds: {named} "
        f"{'has' if len(changed) == 1 else 'have'} changed. {remedy} REPLACE=yes."
    )
