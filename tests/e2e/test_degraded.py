"""With a host gone, all that does not need it goes on, and what needs it is named."""

import json
import time
from pathlib import Path

import pytest
from lab import containers, loss, network, verbs

PROJECT = Path(__file__).resolve().parents[2]
REPORT = PROJECT / "reports/health.json"
RECORDING = PROJECT / "playbooks/files/spoken_question.wav.b64"
MEDICATIONS = "What medications am I taking?"
NO_LANGUAGE_MODEL = "The language model cannot be reached right now, so I can only answer from your records."
NO_SPEECH = "Speech recognition is not available right now. Please type your question."
PROXY, DIRECT = "ws://haproxy:8768", "ws://qm1:8768"
DEADLINE_S = 20
PATIENCE_S = 120


def until(condition, what):
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def is_running(lab):
    """Tell whether a host of the lab runs."""
    return lambda name: any(host.name == name and host.running for host in containers.list_all(lab))


@pytest.fixture(scope="module")
def readiness(on):
    """What the gateway says of itself and its back ends."""
    return lambda: json.loads(on("mac", "curl --silent --max-time 10 http://qm1:8768/readyz").stdout or "{}")


@pytest.fixture(scope="module")
def talk(on):
    """Ask the recorded question from the client, as `hal` fixture's `ask` does by text."""
    sound = RECORDING.read_text().strip()

    def run(url):
        command = f"hal talk --json --timeout {DEADLINE_S} --url {url} /tmp/question.wav"
        done = on("mac", f"echo {sound} | base64 -d > /tmp/question.wav; {command}", user="lawr")
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def failed_checks(playbook):
    """Run the checks and return those that failed."""

    def check():
        REPORT.unlink(missing_ok=True)
        playbook("playbooks/verify.yml")
        return [check for check in json.loads(REPORT.read_text())["checks"] if not check["ok"]]

    return check


@pytest.fixture(scope="class")
def without_ubuai(lab, is_running, readiness):
    """Switch the AI server off at the hypervisor, and on again after the tests."""
    machine = loss.machines()["ubuai"]
    guest = loss.connect().nodes(machine["node"]).qemu(machine["vmid"])
    guest.status.stop.post()
    try:
        until(lambda: not is_running("ubuai"), "ubuai is switched off")
        yield
    finally:
        guest.status.start.post()
        until(lambda: is_running("ubuai"), "ubuai is switched on")
        containers.wait_booted(lab, "ubuai", PATIENCE_S)
        until(lambda: readiness().get("status") == "ready", "the gateway has all its back ends again")


@pytest.fixture(scope="class")
def without_nas(lab):
    """Stop the backup server, and start it after the tests."""
    containers.stop(lab, "nas")
    try:
        yield
    finally:
        verbs.ensure_standing_hosts()


@pytest.mark.usefixtures("without_ubuai")
class TestWithoutTheAIServer:
    """Records are answered; what speaks, hears or thinks is not, and says so."""

    @pytest.mark.parametrize("url", [PROXY, DIRECT])
    def test_a_typed_question_is_answered_from_the_records(self, hal, url):
        answer = hal("ask", "--json", "--url", url, MEDICATIONS)
        assert answer["intent"] == "MEDICATION"
        assert "metformin" in answer["text"].lower()

    @pytest.mark.parametrize("url", [PROXY, DIRECT])
    def test_a_general_question_is_answered_with_what_cannot_be_done(self, hal, url):
        arguments = ["--json", "--timeout", str(DEADLINE_S), "--url", url, "Why is the sky blue?"]
        answer = hal("ask", *arguments, succeeds=False)
        assert (answer["status"], answer["text"]) == ("error", NO_LANGUAGE_MODEL)

    @pytest.mark.parametrize("url", [PROXY, DIRECT])
    def test_a_spoken_question_is_answered_with_what_cannot_be_done(self, talk, url):
        answer = talk(url)
        assert (answer["status"], answer["text"]) == ("error", NO_SPEECH)

    def test_the_gateway_says_which_part_is_missing(self, readiness):
        told = readiness()
        assert told["status"] == "degraded"
        assert set(told["backends"]["listener"].values()) == {"up"}
        assert (
            set(told["backends"]["speech"].values()) == set(told["backends"]["ollama"].values()) == {"down"}
        )

    def test_the_checks_name_the_host_and_nothing_that_goes_on(self, failed_checks):
        failed = failed_checks()
        assert {"speech", "ollama"} <= {check["name"] for check in failed if check["host"] == "ubuai"}
        elsewhere = [check["message"] for check in failed if "ubuai" not in (check["host"], check["from"])]
        # A spoken question fails at the gateway, which is not to blame and says so.
        blamed = ("ubuai", network.addresses()["ubuai"], NO_SPEECH)
        assert [text for text in elsewhere if not any(word in text for word in blamed)] == []


@pytest.mark.usefixtures("without_nas")
class TestWithoutTheBackupServer:
    """Nothing stops but the backups and the downloads for a host that is made anew."""

    @pytest.mark.parametrize("url", [PROXY, DIRECT])
    def test_questions_are_answered(self, hal, talk, url):
        assert "metformin" in hal("ask", "--json", "--url", url, MEDICATIONS)["text"].lower()
        assert "metformin" in talk(url)["text"].lower()
        assert hal("ask", "--json", "--url", url, "Why is the sky blue?")["status"] == "success"

    def test_the_checks_name_that_host_alone(self, failed_checks):
        failed = failed_checks()
        assert {"artifacts", "backups"} <= {check["name"] for check in failed}
        assert {check["host"] for check in failed} == {"nas"}

    def test_a_backup_says_in_a_sentence_why_it_failed(self, on):
        done = on("qm1", "hal-backup backup")
        assert done.returncode == 1
        assert "backup server" in done.stderr and "does not answer" in done.stderr
        assert "Traceback" not in done.stderr
