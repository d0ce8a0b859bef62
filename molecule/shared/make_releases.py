"""Make two more releases of HAL: an older one that works, and a newer one that does not start.

Usage: make_releases.py WHEELS FILE OUTPUT

OUTPUT becomes a directory with every wheel of the directory WHEELS and the two that are made of the wheel
FILE, whose names and SHA-256 are printed as JSON.
"""

import base64
import hashlib
import json
import sys
import zipfile
from pathlib import Path

OLDER, NEWER = "0.0.1", "99.0.0"
BROKEN = b'raise SystemExit("this release cannot start")\n'


def release(wheel: Path, version: str, output: Path, changes: dict[str, bytes]) -> dict[str, str]:
    """Write a wheel under another version, with some files changed, and return its name and SHA-256."""
    name, old, rest = wheel.name.split("-", 2)
    information, record = f"{name}-{version}.dist-info", []
    target = output / f"{name}-{version}-{rest}"
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w") as made:
        for path in source.namelist():
            content = changes.get(path, source.read(path))
            if path.endswith(".dist-info/RECORD"):
                continue
            if path.endswith(".dist-info/METADATA"):
                content = content.replace(f"\nVersion: {old}\n".encode(), f"\nVersion: {version}\n".encode())
            renamed = path.replace(f"{name}-{old}.dist-info", information)
            made.writestr(zipfile.ZipInfo(renamed), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{renamed},sha256={digest},{len(content)}\n")
        record.append(f"{information}/RECORD,,\n")
        made.writestr(zipfile.ZipInfo(f"{information}/RECORD"), "".join(record))
    return {"file": target.name, "sha256": hashlib.sha256(target.read_bytes()).hexdigest()}


wheels, file, output = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
output.mkdir(exist_ok=True)
for path in wheels.glob("*.whl"):
    if not (output / path.name).exists():
        (output / path.name).symlink_to(path)
made = {
    "previous": release(wheels / file, OLDER, output, {}),
    "broken": release(wheels / file, NEWER, output, {"hal/__init__.py": BROKEN}),
}
print(json.dumps(made))
