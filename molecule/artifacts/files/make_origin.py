"""Make what the internet has in this scenario: a release, a model, and an archive of packages."""

import hashlib
import json
import sys
from pathlib import Path

root = Path(sys.argv[1])


def write(path: str, content: bytes) -> dict:
    """Write a file and return how a manifest names it."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)
    return {"digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}


write("releases/archive.tgz", b"a release\n" * 100_000)
write("debian/pool/main/h/hello/hello_1.deb", b"a package\n" * 100_000)
write("debian/dists/stable/InRelease", b"lists of the first day\n")

parts = []
for kind, content in (("config", b"{}"), ("model", b"weights" * 100_000)):
    digest = hashlib.sha256(content).hexdigest()
    parts.append({"mediaType": kind, **write(f"v2/library/tiny/blobs/sha256:{digest}", content)})
write("v2/library/tiny/manifests/1b", json.dumps({"config": parts[0], "layers": parts[1:]}).encode())
