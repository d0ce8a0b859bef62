"""Clients of every dialect run on the client with its own Python, through the proxy and directly."""

import base64
import io
import json
import shlex
import tarfile
from pathlib import Path

import pytest
from tests.conformance.clients import every_client

PROJECT = Path(__file__).resolve().parents[2]
RECORDING = PROJECT / "playbooks/files/spoken_question.wav.b64"
QUESTION = "What medications am I taking?"
PYTHON = "/opt/hal/client/current/bin/python"
AI_SERVER = "qm1:8745"


@pytest.fixture(scope="module")
def directory(on):
    """Put the clients and the recording on the host `mac`, and return where."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for source in sorted(Path(every_client.__file__).parent.glob("*.py")):
            archive.add(source, f"clients/{source.name}")
    where = on("mac", "mktemp --directory", user="lawr").stdout.strip()
    # Each alone is as much as a command line takes.
    for text, unpack in (
        (base64.b64encode(packed.getvalue()).decode(), f"tar -xzC {where}"),
        (RECORDING.read_text().strip(), f"cat > {where}/question.wav"),
    ):
        done = on("mac", f"echo {text} | base64 -d | {unpack}", user="lawr")
        assert done.returncode == 0, done.stderr
    yield where
    on("mac", f"rm -rf {where}", user="lawr")


@pytest.mark.parametrize(
    ("url", "address"),
    [("ws://haproxy:8768", ""), ("wss://haproxy", ""), ("ws://qm1:8768", AI_SERVER)],
)
def test_every_client_is_served(on, directory, url, address):
    arguments = ["-m", "clients.every_client", url, "question.wav", QUESTION, *filter(None, [address])]
    command = f"cd {directory} && SSL_CERT_FILE=/etc/hal/ca.crt {PYTHON} {shlex.join(arguments)}"
    done = on("mac", command, user="lawr", timeout=600)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert every_client.faults(report, QUESTION, ["metformin"], has_ai_server=bool(address)) == []


def test_another_host_is_kept_from_the_port_of_ai_server(on):
    done = on("ubuai", f"timeout 5 bash -c 'exec 3<>/dev/tcp/{AI_SERVER.replace(':', '/')}'")
    assert done.returncode != 0
