# SPDX-License-Identifier: Apache-2.0
"""Whose a file on a host is, and the copy that stays beside one that is replaced and is somebody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ansible.module_utils import guarded_paths
from ansible.module_utils.guarded_paths import Attributes

MARK = "HAL network writes this file."  # `ansible_managed` of the templates, in playbooks/group_vars/all.yml
OLD_MARK = "# A reload keeps old sessions, but not for ever."  # in the haproxy.cfg of releases without MARK
SUFFIX = ".before-hal"


def is_ours(content: bytes) -> bool:
    """Return whether this project wrote a file with this content."""
    return any(mark.encode() in content for mark in (MARK, OLD_MARK))


def copy_of(path: Path) -> Path:
    """Return where the copy of a file or link is, or would be."""
    return path.with_name(path.name + SUFFIX)


def keep(path: Path, status: os.stat_result) -> None:
    """Copy a file or link beside itself.

    Args:
        path: the file or link.
        status: its status, as os.lstat has it; the copy gets the same owner and permissions.
    """
    if stat.S_ISLNK(status.st_mode):
        guarded_paths.link(copy_of(path), guarded_paths.link_target(path))
    else:
        guarded_paths.write(copy_of(path), guarded_paths.read(path), Attributes.of(status))
