"""The server of language models, with the lab's stand-in and its small model."""

import json

import pytest

pytestmark = pytest.mark.units("ollama")

SERVER = "http://127.0.0.1:11434"
MODEL = "smollm2:135m"
DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def ask(host, path, body=None):
    """Return what the server answers."""
    data = ["--data", json.dumps(body)] if body else []
    command = "curl --silent --show-error --fail --max-time 120" + " %s" * (len(data) + 1)
    return json.loads(host.check_output(command, *data, SERVER + path))


def test_the_server_runs_and_starts_at_boot(host):
    service = host.service("ollama")
    assert service.is_running and service.is_enabled


def test_it_listens_where_it_is_told_alone(host):
    assert host.socket("tcp://127.0.0.1:11434").is_listening
    assert not host.socket("tcp://0.0.0.0:11434").is_listening


def test_the_model_is_the_one_that_is_declared(host):
    models = ask(host, "/api/tags")["models"]
    assert [(model["name"], model["digest"]) for model in models] == [(MODEL, DIGEST)]


def test_the_model_answers(host):
    question = {"model": MODEL, "prompt": "Say hello.", "stream": False, "options": {"num_predict": 8}}
    answer = ask(host, "/api/generate", question)
    assert answer["done"] and answer["response"].strip()


def test_the_release_is_the_one_that_is_named_and_runs(host):
    release = host.file("/opt/ollama/current").linked_to
    assert release.startswith("/opt/ollama/releases/lab-")
    assert host.file("/usr/local/bin/ollama").linked_to == f"{release}/bin/ollama"
    switched = host.check_output("stat --format %Y /opt/ollama/current")
    started = 'date --date "$(systemctl show --property ExecMainStartTimestamp --value ollama)" +%s'
    assert int(host.check_output(started)) >= int(switched)


def test_the_server_has_a_user_of_its_own_and_no_privileges(host):
    security = host.check_output("systemctl show ollama --property User,NoNewPrivileges,ProtectSystem")
    assert set(security.split()) == {"User=ollama", "NoNewPrivileges=yes", "ProtectSystem=strict"}
    models = host.file("/var/lib/ollama")
    assert (models.user, models.mode) == ("ollama", 0o750)


def test_the_model_is_in_memory_and_stays_there(host):
    loaded = ask(host, "/api/ps")["models"]
    assert [model["name"] for model in loaded] == [MODEL]
    assert loaded[0]["expires_at"] > "2100"


def test_what_an_amd_gpu_needs_besides_is_part_of_the_release(host):
    assert host.file("/opt/ollama/current/lib/ollama/rocm_v7_2/libggml-hip.so").exists
    assert host.file("/opt/ollama/current/lib/ollama/stand_in/cli.py").exists


def test_the_server_waits_for_the_driver_and_is_restarted_when_it_came_later(host):
    assert "[ -e /dev/kfd ]" in host.check_output("systemctl show ollama --property ExecStartPre")
    came = host.check_output("stat --format %Z /dev/kfd")
    started = 'date --date "$(systemctl show --property ExecMainStartTimestamp --value ollama)" +%s'
    assert int(host.check_output(started)) >= int(came)
