"""Install the QM programs into an account of OpenQM or ScarletDME on this machine.

Usage: install.py ACCOUNT DIRECTORY [--sample [YYYY-MM-DD]] [--start PROGRAM ADDRESS PORT]

The account must exist. `QM_COMMAND` names the program qm if it is not on PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DIRECTORIES = ("HAL.BP", "HAL.RULES", "HAL.SAMPLES", "HAL.LAYOUT")
TIMEOUT_S = 300


class QmError(Exception):
    """A command of QM failed; the text is what it said."""


class Account:
    """An account of QM, spoken to by its command line.

    Args:
        name: the account's name.
        directory: where it lies.
        qm: the program qm.
    """

    def __init__(self, name: str, directory: Path, qm: str) -> None:
        self.name = name
        self.directory = directory
        self._qm = qm

    def run(self, command: str) -> str:
        """Run one command and return what it printed. The exit code of qm says nothing.

        Raises:
            QmError: it did not end in time.
        """
        try:
            done = subprocess.run(  # noqa: S603 - the program is the caller's choice
                [self._qm, "-quiet", f"-a{self.name}", command],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise QmError(f"{command} did not end within {TIMEOUT_S} seconds") from error
        return done.stdout.decode(errors="replace").strip()

    def program(self, command: str) -> str:
        """Run one of HAL's own programs and return the last line, which is its result.

        Raises:
            QmError: the program failed, or said nothing.
        """
        said = self.run(f"RUN HAL.BP {command} NO.PAGE")
        result = said.splitlines()[-1] if said else ""
        if not result or " " in result.partition(":")[0] or result.startswith("failed"):
            raise QmError(f"{command}: {said or 'it said nothing'}")
        return result

    def install(self) -> str:
        """Copy, compile and catalogue the programs; return "installed" or "unchanged".

        Raises:
            QmError: something does not compile or cannot be created; the text names it.
        """
        if not (self.directory / "HAL.BP").is_dir():
            self.run("CREATE.FILE HAL.BP DIRECTORY NO.QUERY")
        for name in DIRECTORIES:
            target = self.directory / name
            target.mkdir(exist_ok=True)
            wanted = {path.name for path in (HERE / name).iterdir()}
            for path in target.iterdir():
                if path.name not in wanted:
                    path.unlink()
            shutil.copytree(HERE / name, target, dirs_exist_ok=True)
        compiled = self.run("BASIC HAL.BP HAL.SETUP")
        if "0 error(s)" not in compiled:
            raise QmError(f"HAL.SETUP does not compile: {compiled}")
        return self.program("HAL.SETUP")


def find_qm() -> str:
    """Return the program qm.

    Raises:
        QmError: there is none.
    """
    qm = os.environ.get("QM_COMMAND") or shutil.which("qm")
    if not qm:
        raise QmError("There is no QM on this machine: install OpenQM or ScarletDME, or set QM_COMMAND.")
    return qm


def main() -> int:
    """Install what the command line asks for; print the result of each step."""
    parser = argparse.ArgumentParser(description="Install the QM programs into an account.")
    parser.add_argument("account")
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--sample", nargs="?", const="", metavar="YYYY-MM-DD", help="load the sample household"
    )
    parser.add_argument("--start", nargs=3, metavar=("PROGRAM", "ADDRESS", "PORT"), help="start a listener")
    options = parser.parse_args()
    try:
        account = Account(options.account, options.directory, find_qm())
        print("programs:", account.install())
        if options.sample is not None:
            print("sample household:", account.program(f"HAL.SAMPLE {options.sample}".strip()))
        if options.start:
            print("listener:", account.program("HAL.START " + " ".join(options.start)))
    except (QmError, OSError) as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
