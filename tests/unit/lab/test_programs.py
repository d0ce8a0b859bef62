"""What is started as a program finds all that it imports without the paths that pytest adds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAB = Path(__file__).resolve().parents[3] / "lab"


@pytest.mark.parametrize("program", ["lab", "drill", "hypervisor"])
def test_it_starts_on_its_own(program, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[0] = {str(LAB)!r}; import {program}; print('there')"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "there\n", done.stderr
