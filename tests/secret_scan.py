"""Find secrets in what git holds or is about to. Part of `make lint`.

Usage: secret_scan.py [--accept]
       --accept  take what is found now for none: it goes into tests/data/no_secrets.json, by its checksum

detect-secrets looks for keys, tokens, passwords and what is as random. What it has found in a file is kept in
.cache/ until that file changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.__version__ import VERSION
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

PROJECT = Path(__file__).resolve().parents[1]
KNOWN = PROJECT / "tests/data/no_secrets.json"
CACHE = PROJECT / ".cache/secret_scan.json"
# Checksums of packages, sound, and the checksums of what was accepted.
LEFT_OUT = ("requirements/*.txt", "*.b64", "tests/data/no_secrets.json")

# Those of other companies' clouds would double the time.
KINDS = (
    "Base64HighEntropyString",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "HexHighEntropyString",
    "KeywordDetector",
    "PrivateKeyDetector",
)

type Found = dict[str, list[dict[str, object]]]


def files(project: Path) -> list[str]:
    """Return the files that git has or would add, below the project's directory."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    names = (Path(name) for name in listed.splitlines())
    return [
        str(name)
        for name in names
        if (project / name).is_file() and not any(name.match(pattern) for pattern in LEFT_OUT)
    ]


def _scan(name: str) -> list[dict[str, object]]:
    with transient_settings({"plugins_used": [{"name": kind} for kind in KINDS]}):
        return [secret.json() for secret in scan_file(name)]


def scan(project: Path, cache: Path) -> Found:
    """Return what looks like a secret, by file.

    Args:
        project: a checkout.
        cache: what was found before, by the checksum of what finds it, a file's name and its content.
    """
    os.chdir(project)  # detect-secrets names files as it was told them
    known: Found = json.loads(cache.read_text()) if cache.exists() else {}
    keys = {
        name: hashlib.sha256(f"{VERSION} {KINDS}\n{name}\n".encode() + Path(name).read_bytes()).hexdigest()
        for name in files(project)
    }
    new = [name for name, key in keys.items() if key not in known]
    with ProcessPoolExecutor() as workers:
        known |= {
            keys[name]: found for name, found in zip(new, workers.map(_scan, new, chunksize=20), strict=True)
        }
    cache.parent.mkdir(exist_ok=True)
    cache.write_text(json.dumps({key: known[key] for key in keys.values()}))
    return {name: known[key] for name, key in keys.items() if known[key]}


def unknown(found: Found, accepted: Found) -> list[str]:
    """Return a line for each thing found that was not accepted."""
    new = SecretsCollection.load_from_baseline({"results": found}) - SecretsCollection.load_from_baseline(
        {"results": accepted}
    )
    return [f"{name}:{secret.line_number}: looks like a secret ({secret.type})" for name, secret in new]


def main() -> int:
    """Tell what is found; return 1 if something is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accept", action="store_true", help="take what is found now for none")
    accept = parser.parse_args().accept
    found = scan(PROJECT, CACHE)
    if accept:
        slim = {
            name: [
                {"type": one["type"], "filename": name, "hashed_secret": one["hashed_secret"]}
                for one in secrets
            ]
            for name, secrets in sorted(found.items())
        }
        KNOWN.write_text(json.dumps(slim, indent=1) + "\n")
        return 0
    lines = unknown(found, json.loads(KNOWN.read_text()))
    for line in lines:
        print(line)
    if lines:
        print("Take it out, and replace it where it is used: whoever has the repository knows it.")
        print("If it is none: python tests/secret_scan.py --accept, and commit tests/data/no_secrets.json.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
