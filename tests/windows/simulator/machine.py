"""A Windows host as far as Ansible can tell: what was set on it, and what each call answers."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import ntpath
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator import calls
from simulator.wsman import Answer

LONGEST_TEXT = 20_000
TEMPORARY = r"C:\Users\ansible\AppData\Local\Temp"
VARIABLES = {
    "%TEMP%": TEMPORARY,
    "%ProgramData%": r"C:\ProgramData",
    "%ProgramFiles%": r"C:\Program Files",
    "%SystemRoot%": r"C:\Windows",
    "%SystemDrive%": "C:",
}


class Failure(Exception):
    """What a module says when it fails.

    Args:
        message: The reason.
        more: What else its result holds.
    """

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message)
        self.more = more


@dataclass
class File:
    """A file, a directory (without content) or a link (with a target).

    A file that the host itself made or fetched has no content, only what is known of it.
    """

    directory: bool = False
    content: bytes | None = None
    target: str = ""
    digests: dict[str, str] = field(default_factory=dict)

    def digest(self, algorithm: str) -> str:
        """Return its checksum, made up where nobody knows the content."""
        return self.digests.get(algorithm) or hashlib.new(algorithm, self.content or b"").hexdigest()


@dataclass
class State:
    """All that is remembered of a host."""

    files: dict[str, File] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)


# How a module is simulated: the host and the call in, the module's result out.
Module = Callable[["Machine", calls.Call], dict[str, Any]]


class Machine:
    """The state of one host.

    Args:
        modules: What answers each module, by its full name.
        interpreters: What answers a command or a script, the first that knows it: each takes the host and the
            text and returns the module's result, or nothing.
        state: What was set on it before; without, a new host's.
    """

    def __init__(
        self,
        modules: dict[str, Module],
        interpreters: list[Callable[[Machine, str], dict[str, Any] | None]],
        state: State | None = None,
    ) -> None:
        self.modules = modules
        self.interpreters = interpreters
        self.state = state or State()
        self.files, self.names = self.state.files, self.state.names
        self.resources, self.services = self.state.resources, self.state.services
        self.calls: list[dict[str, Any]] = []
        self.task: Callable[[], str] = str  # returns the name of the task for which the host is asked
        self.jobs: dict[str, dict[str, Any]] = {}
        self.stdin = ""  # of the command that is being answered
        self.lock = threading.Lock()
        self.parameters: dict[str, Any] = {}
        self.check_mode = False
        for path in (TEMPORARY, r"C:\Windows\System32", r"C:\ProgramData", r"C:\Program Files"):
            self.make_directory(path)

    # -- the file system, which does not tell small letters from capitals --

    def expand(self, path: str) -> str:
        """Return a path with its variables replaced and its slashes turned."""
        for name, value in VARIABLES.items():
            index = path.lower().find(name.lower())
            if index >= 0:
                path = path[:index] + value + path[index + len(name) :]
        return ntpath.normpath(path)

    def _key(self, path: str) -> str:
        return self.expand(path).lower()

    def resolve(self, path: str) -> str:
        """Return a path with the links on its way followed."""
        key = self._key(path)
        for link, file in self.files.items():
            if file.target and key.startswith(link + "\\"):
                return self.resolve(file.target + key[len(link) :])
        return key

    def get(self, path: str) -> File | None:
        """Return the file at a path, or nothing."""
        return self.files.get(self.resolve(path))

    def exists(self, path: str) -> bool:
        """Tell whether a path is there; it may end in a pattern."""
        if path.upper().startswith(("HKLM:", "HKCU:", "CERT:")):
            return ("registry", path.lower()) in self.resources
        return self.get(path) is not None

    def put(self, path: str, file: File) -> None:
        """Put a file there, and the directories on its way."""
        parent = ntpath.dirname(self.expand(path))
        if parent != self.expand(path) and not self.get(parent):
            self.make_directory(parent)
        key = self.resolve(path)
        self.files[key] = file
        self.names[key] = self.expand(path)

    def make_directory(self, path: str) -> None:
        """Make a directory and those above it."""
        self.put(path, File(directory=True))

    def remove(self, path: str) -> None:
        """Remove a path and what is below it; of a link only the link."""
        key = self.resolve(path)
        for other in [o for o in self.files if o == key or o.startswith(key + "\\")]:
            del self.files[other], self.names[other]

    # -- anything that is named and has properties --

    def declare(self, kind: str, name: str, wanted: dict[str, Any] | None, *, check: bool) -> bool:
        """Bring a resource to what is wanted.

        Args:
            kind: What it is.
            name: Which one.
            wanted: Its properties; nothing removes it.
            check: Only tell.

        Returns:
            Whether that changes anything.
        """
        key = (kind, name.lower())
        present = self.resources.get(key)
        if wanted is None:
            if not check:
                self.resources.pop(key, None)
            return present is not None
        merged = {**(present or {}), **copy.deepcopy(wanted)}
        if not check:
            self.resources[key] = merged
        return merged != present

    def execute(self, text: str, stdin: str = "") -> dict[str, Any]:
        """Answer a command or a script.

        Args:
            text: The command line or the script.
            stdin: What it is given to read.

        Returns:
            What its module's result holds.

        Raises:
            Failure: If nothing knows it.
        """
        self.stdin = stdin
        for interpreter in self.interpreters:
            if (result := interpreter(self, text)) is not None:
                return result
        raise Failure(f"The simulator has no answer to this command; add one to its commands.py: {text}")

    # -- the conversation --

    def interpret(self, script: str, lines: list[str]) -> Answer:
        """Answer one pipeline.

        Args:
            script: Its script.
            lines: What was piped into it.

        Returns:
            What it writes.
        """
        call = calls.decode(script, lines)
        with self.lock:
            match call.name:
                case "powershell_mkdtemp.ps1":
                    path = ntpath.join(self.expand(call.arguments["Directory"]), call.arguments["Name"])
                    self.make_directory(path)
                    return Answer([path])
                case "powershell_expand_user.ps1":
                    return Answer([call.arguments["Path"].replace("~", r"C:\Users\ansible", 1)])
                case "psrp_put_file.ps1":
                    return self._upload(call)
                case "psrp_fetch_file.ps1":
                    return self._download(call)
                case "command":
                    return self._command(call)
            return self._module(call)

    def _upload(self, call: calls.Call) -> Answer:
        content = b"".join(base64.b64decode(line) for line in call.data)
        self.put(call.arguments["Path"], File(content=content))
        self.record(call, **_readable(content))
        return Answer([json.dumps({"sha1": hashlib.sha1(content).hexdigest()})])

    def _download(self, call: calls.Call) -> Answer:
        self.record(call)
        file = self.get(call.arguments["Path"])
        if file is None:
            return Answer([], (f"{call.arguments['Path']} does not exist",), 1)
        if file.directory:
            return Answer(["[DIR]"])
        content, size = file.content or b"", call.arguments["BufferSize"]
        pieces = [content[begin : begin + size] for begin in range(0, len(content), size)]
        return Answer(["[FILE]", *(base64.b64encode(piece).decode() for piece in pieces)])

    def _command(self, call: calls.Call) -> Answer:
        script = call.arguments["script"].removesuffix("\nexit $LASTEXITCODE")
        if script.startswith("Remove-Item ") and " -Force" in script:
            self.remove(script.removeprefix("Remove-Item ").split(" -Force")[0].strip("'"))
            return Answer([])
        self.record(call)
        try:
            result = self.execute(script)
        except Failure as failure:
            return Answer([], (str(failure),), 1)
        return Answer(result.get("stdout", "").splitlines(), exit_code=result.get("rc", 0))

    def _module(self, call: calls.Call) -> Answer:
        try:
            if call.name not in self.modules:
                raise Failure(f"The simulator does not know the module {call.name}; add it to its modules.py")
            result = {"changed": False, **self.modules[call.name](self, call)}
        except Failure as failure:
            result = {"changed": False, **failure.more, "failed": True, "msg": str(failure)}
        except Exception:
            reason = f"The simulation of {call.name} is at fault:\n{traceback.format_exc()}"
            result = {"changed": False, "failed": True, "msg": reason}
        outcome = {key: result[key] for key in ("changed", "failed", "skipped") if key in result}
        self.record(call, **outcome)
        for action in call.actions:
            if action["name"] == "async_wrapper.ps1":
                # What runs on its own has ended when it is asked about for the first time.
                job = action["params"]["AsyncJid"]
                self.jobs[job] = result
                result = {"ansible_job_id": job, "started": True, "finished": False}
        return Answer([json.dumps(result)], exit_code=1 if result.get("failed") else 0)

    def record(self, call: calls.Call, **outcome: Any) -> None:
        """Add a call and what came of it to the recording."""
        entry: dict[str, Any] = {"task": self.task(), "call": call.name, "arguments": call.arguments}
        if call.check_mode:
            entry["check_mode"] = True
        if call.options.get("no_log"):
            entry["no_log"] = True
        if call.environment:
            entry["environment"] = call.environment
        if call.actions:
            entry["through"] = [action["name"] for action in call.actions]
        self.calls.append(entry | outcome)


def _readable(content: bytes) -> dict[str, Any]:
    """Return what a recording says of a file: its content if that is a short text."""
    with contextlib.suppress(UnicodeDecodeError):
        if len(content) <= LONGEST_TEXT:
            return {"text": content.decode()}
    return {"sha256": hashlib.sha256(content).hexdigest()}
