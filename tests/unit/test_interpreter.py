"""What Python compiles of archives is kept for programs that tests start, and is what it would compile."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

INTERPRETER = Path(__file__).parents[1] / "interpreter"
WORD = """\
def say():
    raise RuntimeError({word!r})
"""


@pytest.fixture
def archive(tmp_path):
    """Import a module of an archive that says a word; return how that ended, and which files are kept."""
    kept = tmp_path / "bytecode"

    def run(word: str, name: str = "words.zip") -> tuple[str, list[Path]]:
        with zipfile.ZipFile(tmp_path / name, "w") as written:
            written.writestr("word.py", WORD.format(word=word))
        program = f"import sys; sys.path.insert(0, {str(tmp_path / name)!r}); import word; word.say()"
        environment = {"PYTHONPATH": str(INTERPRETER), "PYTHONPYCACHEPREFIX": str(kept)}
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | environment
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )
        return done.stderr, sorted(kept.glob("archives-*/*"))

    return run


def test_a_program_has_the_path_and_inherits_it():
    assert os.environ["PYTHONPATH"].split(os.pathsep)[0] == str(INTERPRETER)


def test_what_was_compiled_is_kept_and_names_the_archive_that_it_is_read_from(archive):
    said, first = archive("one")
    assert "RuntimeError: one" in said and "words.zip/word.py" in said and len(first) == 1
    before = first[0].stat().st_mtime_ns
    said, again = archive("one", "others.zip")
    assert "RuntimeError: one" in said and "others.zip/word.py" in said
    assert again == first and again[0].stat().st_mtime_ns == before


def test_another_source_is_compiled_and_so_is_one_of_which_a_part_is_kept(archive):
    _, (first,) = archive("one")
    said, kept = archive("two")
    assert "RuntimeError: two" in said and len(kept) == 2
    for rest in (b"", first.read_bytes()[:20], b"no code"):
        first.write_bytes(rest)
        said, _ = archive("one")
        assert "RuntimeError: one" in said
        assert len(first.read_bytes()) > 20
