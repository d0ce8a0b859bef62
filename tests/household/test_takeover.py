"""Hosts that somebody set up by hand are taken over as docs/adopt.md tells: nothing of theirs is lost."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from lab import household, network
from tests.household.prober import SITES, Prober

from hal.network.files import write_private

HAND_OVER = re.compile(r"Stands where HAL must: an Ollama .*?(-e ollama_take_over=true)")
MOVE = re.compile(r"\bmv (\S+\.proposed) ([\w.]+)")
# What a reload may cost: the requests that were in flight.
MOST_FAILED = 3

type Done = subprocess.CompletedProcess[str]


@dataclass
class Takeover:
    """What became of the household: how site.yml ended, and what was asked meanwhile."""

    converged: Done
    probed: Prober


def commit(report: str) -> None:
    """Put what adopt.yml proposes in its place, as its report says, and the passwords of its sites."""
    for proposed, name in MOVE.findall(report):
        (household.ADOPTED / proposed).rename(household.ADOPTED / name)
    secrets = yaml.safe_load(network.SECRETS.read_text()) | {"network_site_secrets": household.SITE_SECRETS}
    write_private(network.SECRETS, yaml.safe_dump(secrets).encode())


@pytest.fixture(scope="module")
def takeover(playbook: Callable[..., Done]) -> Takeover:
    """Adopt the hosts and run site.yml on them, while every site of theirs is asked without end."""
    if network.PROFILE.resolve() != network.PROFILES / f"{household.PROFILE}.yml":
        pytest.fail("The lab has no household: run `make lab-down` and `make lab PROFILE=household`.")
    print("\n==> adopt.yml", flush=True)
    adopted = playbook("playbooks/adopt.yml")
    assert adopted.returncode == 0, adopted.stdout[-4000:]
    commit(adopted.stdout)
    hand_over = HAND_OVER.search(" ".join(adopted.stdout.split()))
    print("==> site.yml, while every site is asked", flush=True)
    with Prober(network.addresses("proxies")["haproxy"]) as probed:
        converged = playbook("site.yml", *(hand_over[1].split() if hand_over else ()))
    print(probed.told(), flush=True)
    return Takeover(converged, probed)


def test_hosts_with_all_that_they_have_are_converged(takeover: Takeover) -> None:
    assert takeover.converged.returncode == 0, takeover.converged.stdout[-6000:]


def test_the_old_sites_answer_all_the_time_but_for_what_is_in_flight_at_a_reload(takeover: Takeover) -> None:
    assert takeover.probed.asked.keys() == set(SITES)
    assert len(takeover.probed.failed) <= MOST_FAILED, takeover.probed.told()


@pytest.mark.parametrize("site", SITES, ids=str)
@pytest.mark.usefixtures("takeover")
def test_an_old_site_answers_afterwards_as_before(site) -> None:
    assert site.fault(network.addresses("proxies")["haproxy"]) == ""


@pytest.mark.usefixtures("takeover")
def test_hal_answers(hal) -> None:
    answer = hal("ask", "--json", "What medications am I taking?")
    assert answer["intent"] == "MEDICATION" and "metformin" in answer["text"].lower()


@pytest.mark.usefixtures("takeover")
def test_a_rule_made_by_hand_that_nothing_names_is_kept(on) -> None:
    assert "51820/udp" in on("haproxy", "ufw status").stdout


@pytest.mark.usefixtures("takeover")
def test_the_old_configuration_is_kept_beside_the_new_one(on) -> None:
    kept = on("haproxy", "cat /etc/haproxy/haproxy.cfg.before-hal").stdout
    assert kept == (Path(household.__file__).parent / "haproxy.cfg").read_text()


@pytest.mark.usefixtures("takeover")
def test_the_models_of_an_ollama_that_somebody_installed_were_not_fetched_again(on) -> None:
    kept = on(
        "ubuai",
        "stat --format=%Y /var/lib/ollama/models/blobs/sha256-*; stat --format=%Y /root/.set-up-by-hand",
    )
    fetched, set_up = map(int, kept.stdout.split())
    assert fetched <= set_up


@pytest.mark.usefixtures("takeover")
def test_a_page_that_only_one_network_could_ask_still_is(on) -> None:
    ask = "curl --silent --max-time 5 http://198.18.10.20:3000/"
    assert on("mac", ask).stdout == "the household's page\n"
    assert on("qm1", ask).stdout == ""


@pytest.mark.parametrize("login", ["-p 2222 admin", "-p 22 lawr"], ids=["as before HAL", "as HAL does"])
@pytest.mark.usefixtures("takeover")
def test_a_host_lets_in_whom_it_let_in_and_where(login: str) -> None:
    command = f"ssh -i {network.STATE}/id_ed25519 -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no"
    there = f"-o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 {login}@{network.addresses()['nas']}"
    said = subprocess.run(
        [*command.split(), *there.split(), "sudo", "whoami"], capture_output=True, text=True, check=False
    )
    assert said.stdout == "root\n", said.stderr


@pytest.mark.usefixtures("takeover")
def test_whoever_could_ask_the_language_model_still_can(on) -> None:
    rules = on("ubuai", "ufw status").stdout
    assert re.search(r"11434/tcp +ALLOW +198\.18\.0\.0/15 +# HAL", rules), rules


@pytest.mark.usefixtures("takeover")
def test_backups_of_its_own_go_on_beside_those_of_hal(on) -> None:
    options = "--repo /srv/restic --password-file /root/restic-password"
    assert "1 snapshots" in on("haproxy", f"/usr/bin/restic snapshots {options}").stdout
    command = on("haproxy", "cut --delimiter=' ' --fields=7- /etc/cron.d/restic").stdout.strip()
    assert command.startswith("/usr/bin/restic backup ")
    for backup in (command, "hal-backup backup"):
        done = on("haproxy", backup)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "2 snapshots" in on("haproxy", f"/usr/bin/restic snapshots {options}").stdout


@pytest.mark.usefixtures("takeover")
def test_the_clock_is_set_by_what_somebody_chose_for_it_and_by_nothing_else(on) -> None:
    assert on("ubuai", "systemctl is-active chrony systemd-timesyncd").stdout.split() == [
        "active",
        "inactive",
    ]


@pytest.mark.usefixtures("takeover")
def test_an_administrator_who_was_there_keeps_the_shell(on) -> None:
    assert on("ubuai", "getent passwd lawr").stdout.strip().endswith(":/bin/dash")


@pytest.mark.usefixtures("takeover")
def test_what_cron_ran_it_still_runs(on) -> None:
    assert "*.household" in on("ubuai", "cat /etc/cron.d/household").stdout


@pytest.mark.usefixtures("takeover")
def test_the_second_run_changes_nothing(playbook, assert_unchanged) -> None:
    assert_unchanged(playbook("site.yml"))


@pytest.mark.usefixtures("takeover")
def test_nothing_is_unknown_afterwards(playbook) -> None:
    done = playbook("playbooks/adopt.yml")
    assert done.returncode == 0 and "Nothing is unknown." in done.stdout, done.stdout[-4000:]
    assert not [*household.ADOPTED.glob("*.proposed")]
