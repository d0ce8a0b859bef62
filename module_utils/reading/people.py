# SPDX-License-Identifier: Apache-2.0
"""Who can log in to a host: users, and the fingerprints of their authorized keys."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ansible.module_utils.reading.host import Host

NO_LOGIN = ("nologin", "false", "sync", "shutdown", "halt")
KEYS = (".ssh/authorized_keys", ".ssh/authorized_keys2")


def read(host: Host) -> list[dict[str, Any]]:
    """Return the users with a login shell or keys: [{name, uid, shell, keys}].

    Of a key there are `type`, `fingerprint` and `comment`.
    """
    users = []
    for line in host.text("/etc/passwd").splitlines():
        name, _, uid, _, _, home, shell = (line.split(":") + [""] * 7)[:7]
        keys = [
            key for file in KEYS for line in host.text(f"{home}/{file}").splitlines() if (key := _key(line))
        ]
        logs_in = bool(shell) and not shell.endswith(NO_LOGIN)
        if keys or (logs_in and (int(uid) == 0 or int(uid) >= 1000)):
            users.append({"name": name, "uid": int(uid), "shell": shell, "keys": keys})
    return users


def _key(line: str) -> dict[str, str]:
    """Return a key without itself; empty: the line has none."""
    words = line.split("#", maxsplit=1)[0].split() if line.startswith("#") else line.split()
    for place, word in enumerate(words[:-1]):
        if word.startswith(("ssh-", "ecdsa-", "sk-")):
            try:
                digest = hashlib.sha256(base64.b64decode(words[place + 1], validate=True)).digest()
            except ValueError:  # no Base64, or not in ASCII
                continue
            fingerprint = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
            return {
                "type": word,
                "fingerprint": fingerprint,
                "comment": " ".join(words[place + 2 :]),
            }
    return {}
