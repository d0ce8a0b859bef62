"""The command and the scripts, as the user of the machine types them."""

import json
import shlex


def as_user(host, command):
    """Run a command in a new interactive shell of the user."""
    return host.run("su -l lawr -s /bin/bash -c %s", f"bash -ic {shlex.quote(command)}")


def test_a_question_is_answered(host):
    done = as_user(host, "hal ask --json What medications am I taking?")
    assert done.rc == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["intent"] == "MEDICATION"
    assert "metformin" in answer["text"].lower()


def test_the_network_can_be_reached(host):
    done = as_user(host, "hal status --json")
    assert {check["ok"] for check in json.loads(done.stdout)["checks"]} <= {True, None}, done.stdout


def test_todays_commands_still_work(host):
    scripts = "/opt/hal/client/bin"
    query = as_user(host, f"python3 {scripts}/hal_text_client.py --query 'What are my allergies?'")
    assert query.rc == 0 and "penicillin" in query.stdout, query.stderr
    connection = as_user(host, f"bash {scripts}/test_connection.sh")
    # A container may not let its users ping.
    assert "ok      port" in connection.stdout and "ok      query" in connection.stdout, connection.stdout


def test_the_users_shells_know_the_network(host):
    assert as_user(host, "echo $QM_HOST").stdout.strip() == "127.0.0.1"
    assert "network_config.sh" in host.file("/home/lawr/.zshrc").content_string
    assert host.file("/home/lawr/.zshrc").user == "lawr"


def test_its_token_is_for_its_user_alone(host):
    token = host.file("/etc/hal/token")
    assert (token.user, token.mode) == ("lawr", 0o600)
    assert host.run("su -l nobody -s /bin/sh -c 'cat /etc/hal/token'").rc != 0
    refused = as_user(host, "HAL_TOKEN_FILE=/dev/null hal ask What medications am I taking?")
    assert refused.rc != 0  # without it the gateway answers nothing


def test_nothing_of_a_mac_is_here(host):
    assert not host.file("/home/lawr/Library").exists
