"""Who listens on a host's network reads no question, no answer and no recording: it passes encrypted."""

import contextlib
import json
import subprocess
import sys
import time

import pytest
from lab import machine
from lab.network import STATE, addresses

HOSTS = ["haproxy", "qm1", "ubuai"]
WATCHED = [*HOSTS, "nas"]
ENCRYPTED, IN_CLEAR = "wss://haproxy", "ws://haproxy:8768"
# What is asked, said, and with what words the hosts ask each other for it.
TELLING = [
    b"edications",
    b"etformin",
    b"POST /transcribe",
    b"/api/chat",
    b"GET /readyz",
    b"text_input",
    b"SkyIsBlue",
]
# With what Prometheus asks, and what exporters, the proxy and HAL's services answer it.
MEASURED = [b"GET /metrics", b"# HELP", b"node_cpu_seconds_total", b"haproxy_process_", b"hal_gateway_"]
ALL_ARE_READ_S = 60.0  # it asks every 15 seconds
SETTLES_S = 1.0
# In the network of the host, every frame that passes its interface, as it is.
LISTENER = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
with open(sys.argv[1], "wb") as file:
    wire.bind(("eth0", 0))
    print("listening", flush=True)
    while True:
        file.write(wire.recv(1 << 16) + b"\\n")
        file.flush()
"""


@pytest.fixture
def heard(lab, tmp_path):
    """Return a context in which the hosts' networks are listened to; after it, what was heard on each."""

    @contextlib.contextmanager
    def listen():
        said = {}
        with contextlib.ExitStack() as stack:
            for host in WATCHED:
                name = lab.container(host)
                process = machine.run("podman", "inspect", "--format", "{{.State.Pid}}", name).strip()
                command = [
                    "nsenter",
                    "-t",
                    process,
                    "-n",
                    sys.executable,
                    "-c",
                    LISTENER,
                    str(tmp_path / host),
                ]
                listener = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                stack.callback(listener.wait)
                stack.callback(listener.terminate)
                assert listener.stdout.readline() == "listening\n"
            yield said
            time.sleep(SETTLES_S)
        said |= {host: (tmp_path / host).read_bytes() for host in WATCHED}

    return listen


def told(said: bytes, words: list[bytes] = TELLING) -> set[bytes]:
    """Return which telling words are in what was heard."""
    return {word for word in words if word in said}


def test_questions_and_answers_pass_encrypted_between_all_hosts(heard, hal):
    with heard() as said:
        asked = hal("ask", "--json", "--url", ENCRYPTED, "What medications am I taking?")
        assert "metformin" in asked["text"].lower()
        spoken = hal("say", "--json", "--url", ENCRYPTED, "What medications am I taking?")
        assert "metformin" in spoken["text"].lower()
        general = hal("ask", "--json", "--url", ENCRYPTED, "Tell me a story about SkyIsBlue")
        assert general["intent"] == "GENERAL"
    for host in HOSTS:
        assert len(said[host]) > 10_000, f"nothing was heard on {host}"
        assert told(said[host]) == set(), host


def test_a_client_that_speaks_no_tls_is_heard_as_far_as_the_proxy_alone(heard, hal):
    with heard() as said:
        hal("ask", "--json", "--url", IN_CLEAR, "What medications am I taking?")
    assert b"etformin" in told(said["haproxy"])  # so that the listener is known to hear
    assert told(said["qm1"]) == set()


def test_measurements_pass_encrypted(heard):
    """While Prometheus reads every host, and an administrator its page."""
    page = f"https://{addresses('nas')['nas']}:9090"
    ask = ["curl", "--silent", "--fail", "--cacert", str(STATE / "ca.crt")]
    oldest = ["--get", "--data-urlencode", 'query=min(timestamp(up{job="metrics"})) and on() min(up) == 1']
    with heard() as said:
        begun = time.time()
        assert "prometheus_build_info" in machine.run(*ask, f"{page}/metrics")

        def all_are_read() -> bool:
            found = json.loads(machine.run(*ask, *oldest, f"{page}/api/v1/query"))["data"]["result"]
            return bool(found) and float(found[0]["value"][1]) > begun

        while not all_are_read():
            assert time.time() < begun + ALL_ARE_READ_S
            time.sleep(SETTLES_S)
    for host in WATCHED:
        assert len(said[host]) > 10_000, f"nothing was heard on {host}"
        assert told(said[host], [*MEASURED, b"prometheus_build_info"]) == set(), host
