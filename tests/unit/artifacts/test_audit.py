"""requirements/audit.py: what is known of the locks' packages, and when nothing is known.

pip-audit is stood in for by a program that answers in its words, as version 2.10.1 was seen to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT, load_module

KNOWN = {"id": "PYSEC-2018-28", "fix_versions": ["2.20.0"], "aliases": ["CVE-2018-18074"]}
UNMENDED = {"id": "PYSEC-2026-1", "fix_versions": [], "aliases": []}
STAND_IN = """#!{python}
import json, pathlib, sys
place = pathlib.Path(__file__).parent
source = sys.argv[sys.argv.index("--vulnerability-service") + 1]
pins = pathlib.Path(sys.argv[sys.argv.index("--requirement") + 1]).read_text().split()
with (place / "asked").open("a") as file:
    file.write(json.dumps([source, pins]) + "\\n")
known = json.loads((place / "known").read_text()).get(source)
if isinstance(known, str) or known is None:
    print("ERROR:pip_audit._cli:" + (known or "Could not connect to the feed"), file=sys.stderr)
    print("ERROR:pip_audit._cli:Tip: your network may be blocking this service.", file=sys.stderr)
    sys.exit(1)
told = []
for name, version in (pin.split("==") for pin in pins):
    if known.get(name, []) == "skipped":
        told.append({{"name": name, "skip_reason": "Dependency not found"}})
    else:
        vulnerabilities = known.get(name + "==" + version, [])
        told.append({{"name": name, "version": version, "vulns": vulnerabilities}})
print(json.dumps({{"dependencies": told, "fixes": []}}))
sys.exit(any(one.get("vulns") for one in told))
"""

type Audit = Callable[..., int]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Audit two locks, with sources that know what is given: nothing of a source is one out of reach."""
    module = load_module("audit", "requirements")
    program = tmp_path / "pip-audit"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    locks = [tmp_path / "gateway.txt", tmp_path / "speech.txt"]
    locks[0].write_text(
        "httpx==0.28.1 --hash=sha256:00\nwinloop==0.8.2 ; sys_platform == 'win32' --hash=sha256:00\n"
    )
    locks[1].write_text("httpx==0.28.1 --hash=sha256:00\nwinloop==0.9.0 --hash=sha256:00\n")

    def run(**known: Any) -> int:
        (tmp_path / "known").write_text(json.dumps(known))
        (tmp_path / "asked").write_text("")
        code: int = module.main(locks, program, tmp_path / "cache")
        return code

    return run


def asked(tmp_path: Path) -> list[Any]:
    """Return source and packages of each question."""
    return [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]


def knowing(**of: Any) -> dict[str, Any]:
    """Return what a source knows that has advisories."""
    return {"requests==2.19.1": [KNOWN]} | of


def test_each_package_of_the_locks_is_asked_about_in_each_version_and_none_is_vulnerable(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(pypi=knowing()) == 0
    assert asked(tmp_path) == [
        ["pypi", ["requests==2.19.1"]],
        ["pypi", ["httpx==0.28.1", "winloop==0.8.2"]],
        ["pypi", ["winloop==0.9.0"]],
    ]
    said = "3 packages of the locks, asked of pypi: vulnerabilities are known of 0, nothing is known about 0."
    assert said in capsys.readouterr().out


def test_a_vulnerability_is_told_with_the_locks_and_the_version_that_mends_it(
    audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(pypi=knowing(**{"httpx==0.28.1": [KNOWN], "winloop==0.9.0": [UNMENDED]})) == 1
    assert capsys.readouterr().out.splitlines()[:2] == [
        "httpx 0.28.1 (gateway, speech): PYSEC-2018-28, CVE-2018-18074; mended in 2.20.0",
        "winloop 0.9.0 (speech): PYSEC-2026-1; no version is known that mends it",
    ]


def test_where_nobody_can_be_asked_nothing_is_known_which_is_no_vulnerability(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit() == 3
    assert capsys.readouterr().err == (
        "The sources of vulnerabilities could not be asked: pypi: Could not connect to the feed; "
        "osv: Could not connect to the feed; nothing is known about vulnerabilities of the 3 packages.\n"
    )
    assert not (tmp_path / "cache/answer.json").exists()


@pytest.mark.parametrize("answer", [{}, {"requests": "skipped"}], ids=["none known", "package not found"])
def test_a_mirror_without_advisories_is_not_believed(
    audit: Audit, capsys: pytest.CaptureFixture[str], answer: dict[str, Any]
) -> None:
    assert audit(pypi=answer) == 3
    assert "pypi does not know the vulnerability of requests 2.19.1" in capsys.readouterr().err


def test_another_source_is_asked_where_the_first_is_out_of_reach(audit: Audit, tmp_path: Path) -> None:
    assert audit(osv=knowing(**{"httpx==0.28.1": [KNOWN]})) == 1
    assert [source for source, _ in asked(tmp_path)] == ["pypi", "osv", "osv", "osv"]


def test_a_package_that_the_source_does_not_know_is_named_and_the_answer_is_not_kept(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(pypi=knowing(httpx="skipped")) == 3
    assert "pypi has no answer about: httpx 0.28.1" in capsys.readouterr().out
    assert audit(pypi=knowing()) == 0 and asked(tmp_path)


def test_an_answer_is_kept_for_a_day_for_the_same_packages(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_module("audit", "requirements")
    assert audit(pypi=knowing(**{"httpx==0.28.1": [KNOWN]})) == 1
    assert audit() == 1 and not asked(tmp_path)
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 25 * 3600)
    assert audit(pypi=knowing()) == 0 and asked(tmp_path)
    with (tmp_path / "speech.txt").open("a") as lock:
        lock.write("idna==3.20 --hash=sha256:00\n")
    assert audit() == 3


def test_a_kept_answer_that_cannot_be_read_is_asked_for_again(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/answer.json").write_text("{")
    assert audit(pypi=knowing()) == 0


def test_without_pip_audit_nothing_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = tmp_path / "gateway.txt"
    lock.write_text("httpx==0.28.1\n")
    assert load_module("audit", "requirements").main([lock], tmp_path / "none", tmp_path / "cache") == 3
    assert "No such file" in capsys.readouterr().err


def test_the_reason_of_a_program_that_broke_off_is_the_end_of_its_traceback() -> None:
    error = (
        "Traceback (most recent call last):\n  File x\nrequests.exceptions.ConnectionError: "
        'HTTPSConnectionPool(): Retries exceeded (Caused by NameResolutionError("HTTPSConnection(): Failed '
        'to resolve the name"))\n'
    )
    assert load_module("audit", "requirements")._reason(error) == "Failed to resolve the name"


def test_every_lock_of_the_project_is_read() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    packages = load_module("audit", "requirements").read_packages(locks)
    assert {name for names in packages.values() for name in names} == {lock.stem for lock in locks}
