"""A run of site.yml that changes nothing, beside an older one: `python -m bench.converge --against COMMIT`.

Each of the two is cloned, its lab is brought up and taken down again, one after the other. Printed are:

- the modules that the run started, the processor time of the controller and the seconds that it took;
- of this checkout, how much longer the first run took than the host that took longest takes by itself.

Only committed changes count. No other lab may be up on this machine, and nothing else should run on it. It
takes about ten minutes when Debian's packages and the image are already there.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from bench.processes import PROJECT

CLONES = PROJECT / ".cache/bench"
CALLBACKS = PROJECT / "callback_plugins"
SLOWEST = "ubuai"
LOSE = f"from lab import loss, network; loss.lose(network.laboratory(), {SLOWEST!r})"
ALONE = ("playbooks/provision.yml", "playbooks/configure.yml")
FIRST_RUN = re.compile(r"^ +site\.yml: .* (\d+) s$", re.MULTILINE)
CALLS = re.compile(r"^(\d+) module calls$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What a run of site.yml came to: modules started, processor seconds of the controller, seconds."""

    calls: int
    processor_s: float
    seconds: float


class Checkout:
    """A clone of the project at a commit, with the downloads of this one; its lab is up for one `with`."""

    def __init__(self, commit: str) -> None:
        self._path = (
            CLONES
            / subprocess.check_output(
                ["git", "rev-parse", "--short", f"{commit}^{{commit}}"], cwd=PROJECT, text=True
            ).strip()
        )
        shutil.rmtree(self._path, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", "--shared", PROJECT, self._path], check=True)
        subprocess.run(["git", "checkout", "--quiet", self._path.name], cwd=self._path, check=True)
        (self._path / ".cache").mkdir()
        downloads = PROJECT / ".cache/artifacts"
        if downloads.exists():
            subprocess.run(["cp", "-al", downloads, self._path / ".cache"], check=True)

    def __enter__(self) -> Checkout:
        self.first_run_s = int(FIRST_RUN.findall(self._output("make", "lab"))[-1])
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["make", "lab-down"], cwd=self._path, check=True)
        shutil.rmtree(self._path)

    def _output(self, *command: str, **environment: str) -> str:
        """Run a command in the clone, which must succeed, and return what it prints."""
        path = f"{self._path / '.venv/bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=self._path,
            env=os.environ | {"PATH": path} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"`{' '.join(command)}` failed in {self._path}:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def unchanged_run(self) -> Run:
        """Run site.yml, which must change nothing."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.monotonic()
        said = self._output(
            *("ansible-playbook", "site.yml"),
            ANSIBLE_CALLBACKS_ENABLED="module_calls",
            ANSIBLE_CALLBACK_PLUGINS=f"{self._path / 'callback_plugins'}:{CALLBACKS}",
        )
        seconds = time.monotonic() - began
        if changed := re.findall(r"changed=[1-9]\d*", said):
            sys.exit(f"The run changed something, so that it says nothing: {', '.join(changed)}")
        processor_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        return Run(int(CALLS.findall(said)[-1]), processor_s, seconds)

    def slowest_alone_s(self) -> float:
        """Lose the host that takes longest, and return how many seconds it takes to have it again."""
        self._output("python", "-c", LOSE)
        began = time.monotonic()
        for play in ALONE:
            self._output("ansible-playbook", play, "--limit", SLOWEST)
        self._output("ansible-playbook", "playbooks/verify.yml")
        return time.monotonic() - began


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--against", metavar="COMMIT", help="an older commit; without it only this one is run"
    )
    return parser.parse_args()


def main() -> None:
    """Measure, and print a table."""
    options = parse_arguments()
    runs: dict[str, Run] = {}
    if options.against:
        with Checkout(options.against) as older:
            runs["before"] = older.unchanged_run()
    with Checkout("HEAD") as now:
        runs["now"] = now.unchanged_run()
        alone_s = now.slowest_alone_s()
    print(f"{'':<10} {'modules':>8} {'processor s':>12} {'seconds':>8}")
    for name, run in runs.items():
        print(f"{name:<10} {run.calls:>8} {run.processor_s:>12.1f} {run.seconds:>8.1f}")
    if "before" in runs:
        before, after = runs["before"], runs["now"]
        ratios = [getattr(after, key) / getattr(before, key) for key in ("calls", "processor_s", "seconds")]
        print(f"{'ratio':<10} {ratios[0]:>8.2f} {ratios[1]:>12.2f} {ratios[2]:>8.2f}")
    first = now.first_run_s
    print(f"The first run took {first} s, {SLOWEST} by itself {alone_s:.0f} s: {first / alone_s:.2f} times.")


if __name__ == "__main__":
    main()
