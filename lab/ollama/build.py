"""Make the archive of the stand-in for Ollama: bin/ollama and lib/ollama, as Ollama's own has them.

Usage: build.py OUTPUT.tar.zst

The same input gives the same bytes: the packages are pinned by hash (requirements/lab-ollama.txt),
and the archive holds no times, owners or traces of this machine.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import zstandard

HERE = Path(__file__).parent
LOCK = HERE.parent.parent / "requirements" / "lab-ollama.txt"
# The lab's hosts run Debian 13: Python 3.13, glibc 2.41.
PLATFORM = (
    "--python-version=3.13",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_17_x86_64",
)
LIBRARY = "lib/ollama"
PROGRAM = "bin/ollama"
# What xllamacpp computes with. No cloud image has it; lab/bootstrap.sh installs it on this machine.
OPENMP = Path("/usr/lib/x86_64-linux-gnu/libgomp.so.1")
COMPRESSION = 1  # most of it is machine code that barely shrinks, and time is dearer than the lab's disk

type Files = dict[str, bytes]


def main() -> None:
    """Make the archive that the command line names, whole or not at all."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    output = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        files = own_files() | packages(Path(directory))
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.write_bytes(archive(files))
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def own_files() -> Files:
    """Return the stand-in's own files by their names in the archive."""
    modules = {f"{LIBRARY}/stand_in/{path.name}": path.read_bytes() for path in HERE.glob("stand_in/*.py")}
    return modules | {
        PROGRAM: (HERE / PROGRAM).read_bytes(),
        f"{LIBRARY}/{OPENMP.name}": OPENMP.read_bytes(),
    }


def packages(directory: Path) -> Files:
    """Download the packages of the lock into `directory` and return the files in them."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", *PLATFORM]
    done = subprocess.run(
        [*command, f"--dest={directory}", f"--requirement={LOCK}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"The packages of {LOCK.name} cannot be downloaded:\n{done.stderr.strip()}")
    files: Files = {}
    for wheel in sorted(directory.glob("*.whl")):
        with zipfile.ZipFile(wheel) as members:
            files |= {
                f"{LIBRARY}/{name}": members.read(name)
                for name in members.namelist()
                if not name.endswith("/") and not PurePosixPath(name).parts[0].endswith(".data")
            }
    return files


def archive(files: Files) -> bytes:
    """Return a tar archive, compressed, in which nothing depends on when and where it was made."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            member.mode = 0o755 if name == PROGRAM else 0o644
            tar.addfile(member, io.BytesIO(files[name]))
    return zstandard.compress(packed.getvalue(), COMPRESSION)


if __name__ == "__main__":
    main()
