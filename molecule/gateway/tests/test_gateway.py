"""The gateway, its listener and what guards them, on the host itself."""

import json

import pytest

pytestmark = pytest.mark.units("hal-gateway", "hal-engine")


def ask(host, question):
    """Ask through the gateway's own protocol, with the Python of its release."""
    program = (
        "import asyncio, json, sys, websockets\n"
        "async def main():\n"
        "    async with websockets.connect('ws://127.0.0.1:8768') as socket:\n"
        "        session = json.loads(await socket.recv())['session_id']\n"
        "        question = {'type': 'text_input', 'text': sys.argv[1], 'session_id': session}\n"
        "        await socket.send(json.dumps(question))\n"
        "        while (frame := json.loads(await socket.recv()))['type'] != 'response':\n"
        "            pass\n"
        "        print(json.dumps(frame))\n"
        "asyncio.run(main())\n"
    )
    done = host.run("/opt/hal/gateway/current/bin/python -c %s %s", program, question)
    assert done.rc == 0, done.stderr
    return json.loads(done.stdout)


def test_services_run_and_start_at_boot(host):
    for name in ("hal-gateway", "hal-engine"):
        service = host.service(name)
        assert service.is_running and service.is_enabled


def test_only_the_gateway_listens_to_the_network(host):
    assert host.socket("tcp://0.0.0.0:8768").is_listening
    assert host.socket("tcp://127.0.0.1:8767").is_listening
    assert not host.socket("tcp://0.0.0.0:8767").is_listening


def test_a_question_is_answered_from_the_records(host):
    answer = ask(host, "What medications am I taking?")
    assert answer["status"] == "success"
    assert answer["intent"] == "MEDICATION"
    assert "metformin" in answer["text"].lower()


def test_the_service_has_a_user_of_its_own_and_no_privileges(host):
    process = host.process.get(user="hal-gateway", comm="hal-gateway")
    assert process.args.startswith("/opt/hal/gateway/releases/") or "hal-gateway" in process.args
    security = host.check_output("systemctl show hal-gateway --property NoNewPrivileges,ProtectSystem")
    assert "NoNewPrivileges=yes" in security
    assert "ProtectSystem=strict" in security


def test_settings_and_tokens_are_private(host):
    settings, tokens = host.file("/etc/hal/gateway.env"), host.file("/etc/hal/gateway-tokens")
    assert (settings.user, settings.mode) == ("root", 0o600)
    assert (tokens.user, tokens.group, tokens.mode) == ("root", "hal-gateway", 0o640)
    assert "molecule-is-no-secret" not in host.file("/etc/hal/gateway-tokens").content_string


def test_the_certificate_and_key_that_it_has_no_use_for_are_gone_and_the_households_own_stay(host):
    assert not host.file("/etc/hal/gateway-certificate.pem").exists
    assert not host.file("/etc/hal/gateway-ca.crt").exists
    assert host.file("/etc/hal/household.pem").exists
