"""What the hosts fetch from the cache, whole and verified, also while the internet is out of reach."""

import hashlib
import json
import time

import pytest

pytestmark = pytest.mark.units("nginx")

CACHE = "http://127.0.0.1:8080"
PROXY = "http://127.0.0.1:3142"
PACKAGE = "http://127.0.0.1/debian/pool/main/h/hello/hello_1.deb"
LISTS = "http://127.0.0.1/debian/dists/stable/InRelease"
PATIENCE_S = 30


def fetch(host, url, *options):
    """Return what an address answers."""
    done = host.run(f"curl --silent --show-error --fail {' '.join(options)} {url}")
    assert done.rc == 0, done.stderr
    return done.stdout


def through(host, url, method="GET"):
    """Ask the proxy for apt; return status, what it says of its cache, and the SHA-256 of the content."""
    said = host.check_output(
        f"curl --silent --proxy {PROXY} --request {method} --output /tmp/answer"
        " --write-out '%{http_code} %header{x-cache}' " + url
    ).split()
    return int(said[0]), "".join(said[1:]), host.check_output("sha256sum /tmp/answer").split()[0]


def until(host, url, wanted):
    """Ask until the answer is what is wanted; return it, or the last one."""
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(answer := through(host, url)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@pytest.fixture
def no_internet(host):
    """Nothing answers where everything came from, once a package and the lists have been asked for."""
    through(host, PACKAGE)
    through(host, LISTS)
    rule = "OUTPUT -o lo -p tcp --dport 80 -j REJECT"
    host.check_output(f"iptables -I {rule}")
    yield
    host.check_output(f"iptables -D {rule}")


def test_the_server_runs_and_starts_at_boot(host):
    service = host.service("nginx")
    assert service.is_running and service.is_enabled
    assert host.run("nginx -t").rc == 0


@pytest.mark.parametrize(("unit", "most"), [("nginx", 40), ("hal-archive-names", 20)])
def test_a_unit_is_little_exposed(weighed, unit, most):
    assert f"{unit}.service" in weighed(unit, most)


SLOW = """
import socket, subprocess, sys
opened = [socket.create_connection(("127.0.0.1", 8080), 5) for _ in range(int(sys.argv[1]))]
for connection in opened:
    connection.sendall(sys.argv[2].encode())
if "--answered" in sys.argv:
    for connection in opened:
        connection.recv(1, socket.MSG_PEEK)
asked = ["curl", "--silent", "--max-time", "5", "--write-out", "%{http_code} ", "--output", "/dev/null"]
for source in ("127.0.0.1", "127.0.0.5"):
    subprocess.run([*asked, "--interface", source, "http://127.0.0.1:8080/wheels/"])
if "--wait" in sys.argv:
    for connection in opened:
        connection.settimeout(20)
        try:
            assert not connection.recv(1)
        except ConnectionResetError:
            pass
    print("closed")
"""


def test_connections_without_a_request_keep_nobody_out_and_are_closed(host):
    said = host.check_output(f"ulimit -n 8192; python3 -c '{SLOW}' 2000 'GET /slow' --wait")
    assert said.split() == ["200", "200", "closed"]


def test_an_address_that_reads_nothing_of_many_files_leaves_room_for_others(host):
    host.check_output("truncate --size 64M /srv/cache/large")
    request = "GET /large HTTP/1.1\\r\\nHost: nas\\r\\n\\r\\n"
    said = host.check_output(f"python3 -c '{SLOW}' 100 \"$(printf '{request}\n.')\" --answered")
    host.check_output("rm /srv/cache/large")
    assert said.split() == ["429", "200"]


def test_a_download_is_served_with_its_checksum(host):
    content = fetch(host, f"{CACHE}/downloads/127.0.0.1/releases/archive.tgz")
    assert content == "a release\n" * 100_000


def test_the_wheels_are_a_page_of_links_that_pip_installs_from(host):
    manifest = json.loads(fetch(host, f"{CACHE}/wheels/manifest.json"))
    page = fetch(host, f"{CACHE}/wheels/")
    assert "rapidfuzz-" in page and manifest["wheel"]["file"] in page
    wheel = host.check_output(f"curl --silent {CACHE}/wheels/{manifest['wheel']['file']} | sha256sum")
    assert wheel.split()[0] == manifest["wheel"]["sha256"]


def test_a_model_is_offered_as_a_registry_does_and_its_blobs_are_whole(host):
    manifest = json.loads(fetch(host, f"{CACHE}/v2/library/tiny/manifests/1b"))
    for part in [manifest["config"], *manifest["layers"]]:
        content = fetch(host, f"{CACHE}/v2/library/tiny/blobs/{part['digest']}").encode()
        assert (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)) == (
            part["digest"],
            part["size"],
        )


def test_what_is_no_archives_file_does_not_pass_the_proxy(host):
    assert through(host, "http://127.0.0.1/releases/archive.tgz")[0] == 403
    assert through(host, PACKAGE, "POST")[0] == 403
    assert through(host, PACKAGE, "DELETE")[0] == 403
    assert through(host, "http://127.0.0.1/debian/pool/none.deb")[0] == 404


@pytest.mark.parametrize("archive", ["archive.test", "named.test", "own.rebound.test"])
def test_archives_that_are_listed_or_named_by_a_host_pass(host, archive):
    status, _, checksum = through(host, f"http://{archive}/debian/pool/main/h/hello/hello_1.deb")
    assert status == 200
    assert checksum == through(host, PACKAGE)[2]


@pytest.mark.parametrize("name", ["other.test", "192.0.2.80", "127.0.0.2", "localhost", "[::1]"])
@pytest.mark.parametrize("path", ["/", "/debian/pool/main/h/hello/hello_1.deb"])
def test_what_is_not_listed_is_refused_with_what_to_add(host, name, path):
    assert through(host, f"'http://{name}{path}'")[0] == 403
    answer = host.check_output("cat /tmp/answer")
    assert "artifacts_packages_archives" in answer


@pytest.mark.parametrize("name", ["a.rebound.test", "linklocal.test", "house.test"])
def test_a_listed_name_leads_to_no_private_address(host, name):
    status, cached, _ = through(host, f"http://{name}/debian/pool/main/h/hello/hello_1.deb")
    assert (status, cached) == (502, "")
    assert "artifacts_packages_private_archives" in host.check_output("cat /tmp/answer")


def test_the_answer_to_a_query_is_not_kept_as_the_package(host):
    through(host, PACKAGE)
    query = f"{PACKAGE}?{host.check_output('cat /proc/sys/kernel/random/uuid')}"
    assert through(host, query)[1] == "MISS"
    assert through(host, PACKAGE)[1] == "HIT"


def test_new_lists_arrive_although_old_ones_are_kept(host):
    through(host, LISTS)
    day = host.check_output("cat /proc/sys/kernel/random/uuid")
    host.check_output(f"echo {day} > /srv/origin/debian/dists/stable/InRelease")
    expected = hashlib.sha256(f"{day}\n".encode()).hexdigest()
    assert until(host, LISTS, lambda answer: answer[2] == expected)[2] == expected


def test_packages_and_lists_are_served_without_the_internet(host, no_internet):
    assert host.run(f"curl --silent --fail --max-time 5 {PACKAGE}").rc != 0
    status, cached, checksum = through(host, PACKAGE)
    assert (status, cached) == (200, "HIT")
    assert (
        checksum == host.check_output("sha256sum /srv/origin/debian/pool/main/h/hello/hello_1.deb").split()[0]
    )
    assert until(host, LISTS, lambda answer: answer[1] == "STALE")[:2] == (200, "STALE")
    assert through(host, "http://127.0.0.1/debian/pool/never_asked.deb")[0] == 502
