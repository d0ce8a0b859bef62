"""Virtual machines are deleted while clients ask, one alone and two at once, and come back with their data.

Meanwhile no host has a way out: what a lost one needs is kept inside.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.drills import way_out

PROJECT = Path(__file__).resolve().parents[2]
REPORTS = PROJECT / "reports"
KEYS = {
    *("host", "detected_s", "provisioned_s", "configured_s", "restored_s", "rto_s", "rpo_s"),
    *("turns_failed", "turns_lost", "digests_equal", "ok"),
}
RTO_S, RPO_S = {"ubuai": 180, "qm1,haproxy": 300}, 60


# What is lost at a time, and what asks on all the same.
SPARED = {"ubuai": {"records direct", "records proxy"}, "qm1,haproxy": set()}
LOST = [host for hosts in SPARED for host in hosts.split(",")]
KEEPER = "nas"
# What a host does every day, so that the keeper has what the lists name.
DAILY = "apt-get update --error-on=any && apt-get --yes --download-only dist-upgrade"


@pytest.fixture(scope="module")
def leaves(on):
    """Return whether a host gets an answer from the archive of its packages, without the keeper."""
    archive = on(KEEPER, "apt-get indextargets --format '$(REPO_URI)' | head -1").stdout.strip()
    assert archive.startswith("http")

    def ask(host: str) -> bool:
        probe = f"curl --silent --noproxy '*' --max-time 10 --output /dev/null {archive}"
        return bool(on(host, probe).returncode == 0)

    return ask


@pytest.fixture(scope="module")
def served(on):
    """Return how often the keeper has given out the package that only one of the lost hosts has."""
    counted = "grep -c 'GET .*/haproxy_.*[.]deb .* 200 ' /var/log/nginx/packages.log"
    return lambda: int(on(KEEPER, counted).stdout)


@pytest.fixture(scope="module")
def closed(on, leaves):
    """Close every way out, after the hosts' daily work, and open it when the drills are over."""
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda host: on(host, DAILY, timeout=300), LOST):
            assert done.returncode == 0, done.stdout + done.stderr
    assert leaves(KEEPER)
    way_out.close()
    try:
        before = way_out.refused()
        assert not leaves(KEEPER) and way_out.refused() > before
        yield
    finally:
        way_out.reopen()


@pytest.fixture(scope="module")
def output(closed, served):
    """Drill one loss after the other, and return what was printed."""
    for path in REPORTS.glob("drill-*.json"):
        path.unlink()
    served_before = served()
    printed = ""
    for hosts in SPARED:
        printed += subprocess.run(
            [sys.executable, "-m", "lab", "drill", hosts],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        ).stdout
    assert served() > served_before, printed[-4000:]
    return printed


@pytest.fixture(params=SPARED)
def drilled(request, output):
    """Return the report of a drill."""
    path = REPORTS / f"drill-{request.param}.json"
    assert path.exists(), output[-4000:]
    report = json.loads(path.read_text())
    assert report["ok"], report["faults"]
    return report


def test_the_host_comes_back_in_time_with_what_it_held(drilled):
    assert drilled.keys() >= KEYS
    assert 0 < drilled["detected_s"] < drilled["provisioned_s"] < drilled["configured_s"] < drilled["rto_s"]
    assert drilled["rto_s"] < RTO_S[drilled["host"]]
    assert drilled["rpo_s"] <= RPO_S
    assert drilled["digests_equal"]


def test_it_came_back_without_the_internet(drilled, on, leaves):
    for host in drilled["host"].split(","):
        assert not leaves(host) and not leaves(KEEPER)
        updated = on(host, "apt-get update --error-on=any", timeout=300)
        assert updated.returncode == 0, updated.stdout + updated.stderr


def test_clients_lose_what_they_must_and_nothing_else(drilled):
    """The way and the back ends that did not go are of use all the time."""
    failed = drilled["failed"]
    assert drilled["turns_failed"] == sum(failed.values()) > 0
    assert drilled["turns_failed"] >= drilled["turns_failed_since"] > 0, "it has no twin"
    assert {name for name, count in failed.items() if count == 0} == SPARED[drilled["host"]]
    if drilled["host"] == "ubuai":
        told = drilled["said"]["general proxy"] + drilled["said"]["spoken proxy"]
        assert all(" can" in sentence or "not available" in sentence for sentence in told), told


def test_the_page_of_the_checks_has_the_drill(drilled):
    page = json.loads((REPORTS / "health.json").read_text())
    assert drilled in [{key: drill[key] for key in drilled} for drill in page["drills"]]
