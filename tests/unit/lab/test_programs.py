"""What is started with `python -m` finds all that it imports, and importing it reads nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = [(ROOT, "lab/*.py"), (ROOT, "production/*.py"), (ROOT / "src", "hal/network/**/*.py")]
MODULES = sorted(
    ".".join(path.relative_to(base).with_suffix("").parts)
    for base, pattern in PACKAGES
    for path in base.glob(pattern)
    if not path.name.startswith("__")
)
# Names each file of the project that is opened, but for those of Python and its environment.
WATCH = f"""
import importlib, sys
def watch(event, arguments):
    if event == "open" and str(arguments[0]).startswith({str(ROOT)!r}):
        opened.add(str(arguments[0]).removeprefix({str(ROOT)!r}))
opened = set()
sys.addaudithook(watch)
for module in {MODULES!r}:
    importlib.import_module(module)
print(*sorted(name for name in opened if not name.startswith("/.venv/") and ".py" not in name))
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's directory, without the paths that pytest adds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("program", ["lab", "lab.hypervisor", "production.init"])
def test_it_starts_on_its_own(program):
    done = python("-m", program, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: "), done.stderr


def test_importing_the_lab_the_production_inventory_and_the_model_reads_no_file():
    assert len(MODULES) > 30
    done = python("-c", WATCH)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
