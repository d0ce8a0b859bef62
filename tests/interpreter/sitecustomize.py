"""Keep what Python compiles of a module in an archive, as it does of those in directories.

A module of Ansible comes as an archive, and each of its runs would compile all of it anew: a third of the
time that it takes. Python imports this file as it starts, wherever PYTHONPATH names this directory.
"""

# Every program would import pathlib.
# ruff: noqa: PTH103, PTH105, PTH123

from __future__ import annotations

import _imp
import marshal
import os
import sys
import zipimport
from types import CodeType

PLACE = f"{sys.pycache_prefix}/archives-{sys.implementation.cache_tag}"
_compile = zipimport._compile_source  # type: ignore[attr-defined]


def _kept(path: str, source: bytes) -> CodeType:
    """Return the code of a source in an archive."""
    file = f"{PLACE}/{_imp.source_hash(0, source).hex()}-{len(source)}"
    try:
        with open(file, "rb") as opened:
            code: CodeType = marshal.load(opened)
        _imp._fix_co_filename(code, path)
    except (OSError, EOFError, ValueError, TypeError):  # it is not there yet, or not whole
        code = _compile(path, source)
        _keep(code, file)
    return code


def _keep(code: CodeType, file: str) -> None:
    """Keep code for the next time, if that is possible."""
    unfinished = f"{file}.{os.getpid()}"  # several may do it at a time
    try:
        os.makedirs(PLACE, exist_ok=True)
        with open(unfinished, "wb") as opened:
            marshal.dump(code, opened)
        os.replace(unfinished, file)
    except OSError:
        return


if sys.pycache_prefix and not sys.dont_write_bytecode:
    zipimport._compile_source = _kept  # type: ignore[attr-defined]
