"""The simulator under the stock psrp connection: whole plays, refused clients, failures."""

from pathlib import Path

import pytest
from simulator.bench import Bench
from simulator.calls import decode
from simulator.certificates import issue
from simulator.facts import gather
from simulator.machine import Machine
from simulator.modules import MODULES

pytestmark = pytest.mark.slow

PLAYS = Path(__file__).parent / "plays"
LARGE = b"0123456789abcdef" * 131072


def answer(machine, text):
    return {"stdout": "simulated\\ansible"} if text == "whoami.exe" else None


@pytest.fixture
def bench():
    with Bench("win", Machine(MODULES, [answer])) as bench:
        yield bench


def test_plays_converge_and_record_what_they_rendered(bench, tmp_path):
    everything = str(PLAYS / "everything.yml")

    check = bench.run(everything, "--check")
    assert check.code == 0, check.output
    assert all(call.get("check_mode") for call in check.calls if call["call"].endswith("win_file"))
    assert not bench.machine.exists(r"C:\ProgramData\Test")

    first = bench.run(everything, "--extra-vars", f"fetched={tmp_path}/large.bin")
    assert first.code == 0, first.output
    directories = [c["arguments"]["path"] for c in first.calls if c["call"] == "ansible.windows.win_file"]
    assert directories == [r"C:\ProgramData\Test\one", r"C:\ProgramData\Test\two"]
    settings = bench.machine.get("c:/programdata/test/SETTINGS.ini")
    assert settings.content == b"name=win family=Windows\r\n"
    assert bench.machine.get(r"C:\ProgramData\Test\large.bin").content == LARGE
    assert (tmp_path / "large.bin").read_bytes() == LARGE
    assert first.calls[-1]["arguments"] == {"name": "Test", "state": "restarted"}
    assert first.calls[-1]["task"] == "Restart the service"
    assert "Restart the service" in first.changes()

    second = bench.run(everything)
    assert second.code == 0, second.output
    assert second.changes() == []
    assert second.changed("win") == 0


def test_a_module_that_fails_says_why(bench):
    run = bench.run(str(PLAYS / "failing.yml"))
    assert run.code == 2
    assert "Service 'Nothing' is not installed" in run.output
    assert run.calls[0]["failed"]


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ansible_password", "wrong", "failed to authenticate"),
        ("ansible_psrp_ca_cert", "OTHER", "certificate verify failed"),
        ("ansible_port", 1, "Connection refused"),
    ],
)
def test_a_client_without_the_right_credentials_gets_nothing(bench, tmp_path, variable, value, reason):
    other, _ = issue(tmp_path)
    run = bench.run(str(PLAYS / "failing.yml"), **{variable: str(other) if value == "OTHER" else value})
    assert run.code == 4
    assert reason in run.output
    assert run.calls == []


def test_a_command_that_nothing_knows_says_where_to_add_it():
    machine = Machine(MODULES, [answer])
    with pytest.raises(Exception, match=r"add one to its commands\.py: dir"):
        machine.execute("dir")


def test_facts_are_those_of_the_subsets():
    assert gather(["!all", "min"])["ansible_os_family"] == "Windows"
    assert "ansible_memtotal_mb" not in gather(["!all", "min"])
    assert "ansible_memtotal_mb" in gather(["all"])
    assert gather(["!all", "!min", "memory"]).keys() == gather(["memory", "!min"]).keys()


def test_a_script_without_a_manifest_is_a_command():
    assert decode("Get-Date", []).arguments == {"script": "Get-Date"}


def test_the_file_system_follows_links_and_ignores_case():
    machine = Machine(MODULES, [])
    machine.make_directory(r"C:\App\releases\1")
    machine.put(r"C:\App\current", type(machine.get(r"C:\App"))(target=r"C:\App\releases\1"))
    machine.make_directory(r"C:\App\current\Scripts")
    assert machine.exists(r"c:\app\RELEASES\1\scripts")
    machine.remove(r"C:\App\current")
    assert machine.exists(r"C:\App\releases\1\Scripts")
    assert not machine.exists(r"C:\App\current\Scripts")
