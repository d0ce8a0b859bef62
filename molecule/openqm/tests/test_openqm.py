"""The listener and its records, as a gateway asks it."""

import json

import pytest

pytestmark = pytest.mark.units("hal-engine")

DATABASE = "/var/lib/hal-engine/household.sqlite"


@pytest.fixture
def ask(host):
    """Ask the listener: one object there, one back."""
    program = (
        "import socket, sys\n"
        "with socket.create_connection(('127.0.0.1', 8767), timeout=10) as listener:\n"
        "    listener.sendall(sys.argv[1].encode())\n"
        "    listener.shutdown(socket.SHUT_WR)\n"
        "    print(b''.join(iter(lambda: listener.recv(65536), b'')).decode())\n"
    )

    def send(text):
        return json.loads(host.check_output("python3 -c %s %s", program, text))

    return send


def request(question):
    return json.dumps({"transcription": question, "session_id": "molecule"})


def test_the_listener_runs_and_starts_at_boot(host):
    service = host.service("hal-engine")
    assert service.is_running and service.is_enabled


def test_it_listens_to_this_host_alone(host):
    assert host.socket("tcp://127.0.0.1:8767").is_listening
    assert not host.socket("tcp://0.0.0.0:8767").is_listening


def test_the_sample_household_answers(ask):
    answer = ask(request("What medications am I taking?"))
    assert (answer["status"], answer["intent"]) == ("success", "MEDICATION")
    assert "metformin" in answer["response_text"].lower()


def test_what_is_no_request_is_refused_and_the_listener_goes_on(ask):
    assert ask("this is no JSON")["status"] == "error"
    assert ask(request("What are my allergies?"))["status"] == "success"


def test_the_records_are_the_services_alone(host):
    records = host.file(DATABASE)
    assert (records.user, records.mode & 0o007) == ("hal-engine", 0)
    assert host.file("/var/lib/hal-engine").mode == 0o750


def test_the_settings_are_those_of_a_gateways_listener(host):
    settings = host.file("/etc/hal/engine.env")
    assert (settings.user, settings.mode) == ("root", 0o600)
    assert "MODE" not in settings.content_string


def test_it_runs_on_the_python_of_ubuntu(host):
    assert host.check_output("/opt/hal/engine/current/bin/python --version").startswith("Python 3.12.")


def test_today_is_the_households_day(host, ask):
    day = "TZ=Pacific/Kiritimati date '+%A, %B %-d, %Y'"
    before, said = host.check_output(day), ask(request("What day is it today?"))["response_text"]
    assert said in {f"It is {before}.", f"It is {host.check_output(day)}."}  # should it be midnight there
