"""The proxy in front of a real gateway, on one host."""

import json

import pytest

pytestmark = pytest.mark.units("haproxy", "hal-gateway")


@pytest.fixture(scope="module", autouse=True)
def started(host):
    """Start it anew: one that was taken over has the limits of its unit from then on."""
    host.check_output("systemctl restart haproxy")
    host.check_output(
        "curl --silent --retry 10 --retry-all-errors --output /dev/null http://localhost:8768/readyz"
    )


def test_it_serves_within_the_limits_of_its_unit_and_after_a_reload_too(host, weighed):
    weighed("haproxy")
    (before,) = workers(host)
    host.check_output("systemctl reload haproxy")
    page = host.check_output("cat /proc/sys/kernel/random/uuid")
    trusting = "--cacert /etc/haproxy/certificates/hal.pem"
    for url in ("http://localhost:8768", "https://localhost"):
        assert host.run(f"curl --silent --output /dev/null {trusting} {url}/{page}").rc == 0
    assert before not in workers(host)
    for process in (host.check_output("systemctl show -P MainPID haproxy"), *workers(host)):
        assert host.file(f"/proc/{process}/status").contains("^NoNewPrivs:.1")
    journal = (
        f"timeout 10 sh -c 'until journalctl --quiet --identifier haproxy --grep {page}; do sleep 0.2; done'"
    )
    assert host.run(journal).rc == 0  # through the socket in the directory that it has locked itself up in


def workers(host):
    """Return the processes that serve new connections."""
    master = host.check_output("systemctl show -P MainPID haproxy")
    return host.check_output(f"ps --ppid {master} --format pid= --sort start_time").split()[-1:]


def test_what_the_inventory_says_it_needs_besides_it_has(host):
    assert "/srv/cloud" in host.check_output("systemctl show -P ReadWritePaths haproxy").split()


def test_configuration_is_valid_and_running(host):
    assert host.run("haproxy -c -q -f /etc/haproxy/haproxy.cfg").rc == 0
    service = host.service("haproxy")
    assert service.is_running and service.is_enabled


def test_the_gateway_is_up_behind_the_proxy(host):
    statistics = host.check_output(
        "/opt/hal/gateway/current/bin/python -c %s",
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock');"
        "s.send(b'show stat\\n'); print(b''.join(iter(lambda: s.recv(65536), b'')).decode())",
    )
    rows = [line.split(",") for line in statistics.splitlines() if line.startswith("qm_voice_gateway,qm1,")]
    assert [row[17] for row in rows] == ["UP"]


def test_a_websocket_turn_passes_plain_and_encrypted(host):
    program = (
        "import asyncio, json, ssl, sys, websockets\n"
        "async def main():\n"
        "    url = sys.argv[1]\n"
        "    context = ssl.create_default_context(cafile='/etc/haproxy/certificates/hal.pem')\n"
        "    tls = {'ssl': context} if url.startswith('wss') else {}\n"
        "    async with websockets.connect(url, **tls) as socket:\n"
        "        await socket.recv()\n"
        "        await socket.send(json.dumps({'type': 'text_input', 'text': 'What allergies do I have?'}))\n"
        "        while (frame := json.loads(await socket.recv()))['type'] != 'response':\n"
        "            pass\n"
        "        print(json.dumps(frame))\n"
        "asyncio.run(main())\n"
    )
    for url in ("ws://localhost:8768/", "wss://localhost:443/"):
        done = host.run("/opt/hal/gateway/current/bin/python -c %s %s", program, url)
        assert done.rc == 0, done.stderr
        answer = json.loads(done.stdout)
        assert (answer["status"], answer["intent"]) == ("success", "ALLERGY")


def test_what_asks_for_no_token_itself_is_behind_one(host):
    asked = "curl --silent --insecure --output /dev/null --write-out %%{http_code} %s https://localhost/v1/audio/speech"
    known, wrong = ("--oauth2-bearer molecule-is-no-secret", "--oauth2-bearer wrong")
    assert [host.check_output(asked % sent) for sent in ("", wrong)] == ["401", "401"]
    assert host.check_output(asked % known) != "401"
    tokens = host.file("/etc/haproxy/hal.tokens")
    assert (tokens.user, tokens.mode) == ("root", 0o600)
    assert "molecule-is-no-secret" not in tokens.content_string


def test_plain_http_is_sent_to_https(host):
    said = host.check_output("curl --silent --head http://localhost/")
    assert said.splitlines()[0].split()[1] == "301"
    assert "location: https://localhost/" in said.lower()


def test_hal_is_encrypted_with_what_is_modern_and_says_so(host):
    asked = "curl --silent --head --cacert /etc/haproxy/certificates/hal.pem %s https://localhost/readyz"
    assert "strict-transport-security: max-age=" in host.check_output(asked % "").lower()
    old = "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256"
    assert host.run(asked % old).rc == 35  # the handshake fails


def test_the_certificate_is_private(host):
    assert host.file("/etc/haproxy/certificates/hal.pem").mode == 0o600


def test_metrics_of_what_is_behind_the_proxy_are_not_for_clients(host):
    trusting = "--cacert /etc/haproxy/certificates/hal.pem"
    status = f"curl --silent --output /dev/null --write-out '%%{{http_code}}' {trusting} %s"
    assert host.check_output(status, "http://127.0.0.1:8769/metrics") == "200"
    for url in (
        "http://localhost:8768/metrics",
        "https://localhost/metrics?x=1",
        "https://localhost/metrics",
    ):
        assert host.check_output(status, url) == "404", url
    assert host.check_output(status, "http://localhost:8768/readyz") == "200"


def test_the_proxys_own_metrics_have_a_port_of_their_own(host):
    ask = "curl --silent --cacert /etc/haproxy/certificates/hal.pem"
    told = host.check_output(f"{ask} --fail https://localhost:8405/metrics")
    assert 'haproxy_backend_current_queue{proxy="qm_voice_gateway"} 0' in told
    assert "haproxy_backend" not in host.check_output(f"{ask} https://localhost:8405/")
    assert "haproxy_" not in host.run("curl --silent http://localhost:8405/metrics").stdout


def test_the_proxy_tells_at_a_path_of_its_own_that_it_serves(host):
    """Whatever is behind it: this is asked to see whether the proxy itself lives."""
    told = host.check_output("curl --silent --fail http://localhost:8768/proxy-serves")
    assert "200" in told
    assert host.run("curl --silent --fail http://127.0.0.1:8769/proxy-serves").rc != 0


HOUSEHOLD = "--resolve cloud.example.org:80:127.0.0.1 --resolve cloud.example.org:443:127.0.0.1"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_the_household_had_is_answered_as_before(host, scheme):
    asked = f"curl --silent --insecure --include {HOUSEHOLD} %s"
    said = host.check_output(asked, f"{scheme}://cloud.example.org/")
    assert said.endswith("the cloud") and "x-site: cloud" in said.lower()


def test_a_front_end_that_has_no_description_serves_behind_the_proxys_own(host):
    said = host.check_output(f"curl --silent --insecure {HOUSEHOLD} %s", "https://cloud.example.org/ping")
    assert said == "pong"


def test_the_page_of_statistics_keeps_its_password(host):
    status = (
        "curl --silent --output /dev/null --write-out '%%{http_code}' --user %s http://127.0.0.1:8404/stats"
    )
    assert host.check_output(status, "admin:old-secret") == "200"
    assert host.check_output(status, "admin:other") == "401"
    assert host.file("/etc/haproxy/haproxy.cfg").mode == 0o600


def test_the_households_configuration_is_kept_beside_the_new_one(host):
    kept = host.file("/etc/haproxy/haproxy.cfg.before-hal").content_string
    assert kept.startswith("# What the household had before")
    assert host.file("/etc/haproxy/haproxy.cfg").contains("HAL network writes this file")
