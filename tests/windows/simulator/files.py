"""How the modules about files answer."""

from __future__ import annotations

import base64
import fnmatch
import io
import ntpath
import zipfile
from dataclasses import replace
from typing import Any

from simulator.calls import Call
from simulator.machine import Failure, File, Machine


def truth(value: Any) -> bool:
    """Return what PowerShell modules make of a boolean option."""
    return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1", "on")


def slurp(machine: Machine, call: Call) -> dict[str, Any]:
    file = machine.get(call.arguments["src"])
    if file is None or file.directory:
        raise Failure(f"Path {call.arguments['src']} is not found")
    return {"encoding": "base64", "content": base64.b64encode(file.content or b"").decode()}


def stat(machine: Machine, call: Call) -> dict[str, Any]:
    path = machine.expand(call.arguments["path"])
    own = machine.files.get(path.lower())
    file = own if own and own.target and not truth(call.arguments.get("follow", False)) else machine.get(path)
    if file is None:
        return {"stat": {"exists": False}}
    result = {
        "exists": True,
        "path": path,
        "filename": ntpath.basename(path),
        "isdir": file.directory or bool(file.target),
        "isreg": not file.directory and not file.target,
        "islnk": bool(file.target),
        "isjunction": bool(file.target),
        "lnk_source": file.target,
        "lnk_target": file.target,
        "attributes": "Directory" if file.directory else "Archive",
        "size": len(file.content or b""),
    }
    if result["isreg"] and truth(call.arguments.get("get_checksum", True)):
        result["checksum"] = file.digest(call.arguments.get("checksum_algorithm", "sha1"))
    return {"stat": result}


def file(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    path = next(arguments[name] for name in ("path", "dest", "name") if name in arguments)
    state, found = arguments.get("state", "file"), machine.get(path)
    if "_diff_peek" in arguments:
        return {"path": path, "appears_binary": False, "state": "file" if found else "absent"}
    changed = {
        "absent": found is not None,
        "directory": found is None,
        "touch": True,
        "file": False,
    }[state]
    if state == "file" and found is None:
        raise Failure(f"path {path} will not be created")
    if state == "directory" and found and not found.directory and not found.target:
        raise Failure(f"path {path} is not a directory")
    if changed and not call.check_mode:
        if state == "absent":
            machine.remove(path)
        elif found is None:
            machine.put(path, File(directory=state == "directory", content=b""))
    return {"changed": changed}


def copy(machine: Machine, call: Call) -> dict[str, Any]:
    """Answer the modes in which the action plugin of win_copy and win_template calls its module."""
    arguments, mode = call.arguments, call.arguments.get("_copy_mode", "single")
    dest = machine.expand(arguments["dest"])
    if mode == "query":
        return _copy_query(machine, arguments, dest)
    source = machine.get(arguments["src"])
    if source is None:
        raise Failure(f"Cannot copy src file: {arguments['src']} as it does not exist")
    if mode == "explode":
        _explode(machine, source.content or b"", dest)
        return {"changed": True, "dest": dest}
    if (
        dest.endswith("\\")
        or arguments["dest"].endswith(("\\", "/"))
        or ((found := machine.get(dest)) and found.directory)
    ):
        name = arguments.get("_original_basename") or ntpath.basename(arguments["src"])
        dest = ntpath.join(dest, name)
    present = machine.get(dest)
    changed = (
        present is None or present.digest("sha1") != source.digest("sha1") or present.directory
    ) and not (present and not truth(arguments.get("force", True)))
    if changed and not call.check_mode:
        machine.put(dest, replace(source, digests=dict(source.digests)))
    return {"changed": changed, "dest": dest, "checksum": source.digest("sha1")}


def _explode(machine: Machine, archive: bytes, dest: str) -> None:
    """Unpack the archive of a directory's copy, in which names are base64."""
    machine.make_directory(dest)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist():
            path = ntpath.join(dest, base64.b64decode(entry.filename.removesuffix("/")).decode())
            machine.put(path, File(directory=entry.is_dir(), content=opened.read(entry)))


def _copy_query(machine: Machine, arguments: dict[str, Any], dest: str) -> dict[str, Any]:
    def differs(entry: dict[str, Any]) -> bool:
        present = machine.get(ntpath.join(dest, entry["dest"]))
        if present is None:
            return True
        return truth(arguments.get("force", True)) and present.digest("sha1") != entry["checksum"]

    return {
        "files": [entry for entry in arguments["files"] if differs(entry)],
        "directories": [
            entry
            for entry in arguments["directories"]
            if not machine.exists(ntpath.join(dest, entry["dest"]))
        ],
        "symlinks": [],
    }


def get_url(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    dest = machine.expand(arguments["dest"])
    if (present := machine.get(dest)) and present.directory:
        dest = ntpath.join(dest, arguments["url"].rsplit("/", 1)[-1])
        present = machine.get(dest)
    algorithm = arguments.get("checksum_algorithm", "sha1")
    wanted = arguments.get("checksum", "").lower()
    changed = present is None or (
        truth(arguments.get("force", True)) and (not wanted or present.digest(algorithm) != wanted)
    )
    if changed and not call.check_mode:
        machine.put(dest, File(digests={algorithm: wanted} if wanted else {}))
    return {"changed": changed, "dest": dest, "url": arguments["url"], "status_code": 200}


def unzip(machine: Machine, call: Call) -> dict[str, Any]:
    arguments = call.arguments
    creates = arguments.get("creates")
    if creates and machine.exists(creates):
        return {"skipped": True, "msg": f"The 'creates' file or directory '{creates}' already exists."}
    if not call.check_mode:
        if not machine.exists(arguments["src"]):
            raise Failure(f"File '{arguments['src']}' does not exist.")
        machine.make_directory(arguments["dest"])
        if creates:
            machine.put(creates, File())
        if truth(arguments.get("delete_archive", False)):
            machine.remove(arguments["src"])
    return {"changed": True}


def find(machine: Machine, call: Call) -> dict[str, Any]:
    patterns = [pattern.lower() for pattern in call.arguments.get("patterns", ["*"])]
    recurse = truth(call.arguments.get("recurse", False))
    kind = call.arguments.get("file_type", "file")
    found = []
    for base in (machine.resolve(path) for path in call.arguments["paths"]):
        for key, file in sorted(machine.files.items()):
            below = key.startswith(base + "\\") and (recurse or "\\" not in key[len(base) + 1 :])
            right = kind == "any" or (kind == "directory") == (file.directory or bool(file.target))
            name = ntpath.basename(key)
            if below and right and any(fnmatch.fnmatch(name, p) for p in patterns):
                found.append({"path": machine.names[key], "filename": ntpath.basename(machine.names[key])})
    return {"files": found, "matched": len(found), "examined": len(machine.files)}
