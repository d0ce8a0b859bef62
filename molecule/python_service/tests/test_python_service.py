"""One of HAL's services as the role sets it up: release, settings, secrets, data and unit."""

import json

import pytest

pytestmark = pytest.mark.units("hal-example")

ROOT = "/opt/hal/example"


def test_the_service_runs_and_starts_at_boot(host):
    service = host.service("hal-example")
    assert service.is_running and service.is_enabled


def test_it_is_ready(host):
    assert host.run("curl --silent --fail http://127.0.0.1:8767/readyz").rc == 0


def test_it_runs_from_the_present_release_and_the_release_is_complete(host):
    release = host.check_output(f"readlink {ROOT}/current")
    assert release.startswith("releases/")
    assert host.file(f"{ROOT}/{release}/.complete").exists
    version = f"{ROOT}/current/bin/python -c \"import importlib.metadata as m; print(m.version('hal'))\""
    manifest = json.loads(host.file("/srv/artifacts/wheels/manifest.json").content_string)
    assert host.check_output(version) == manifest["wheel"]["file"].split("-")[1]
    process = host.process.get(user="hal-example")
    assert f"{ROOT}/" in host.check_output(f"tr '\\0' ' ' < /proc/{process.pid}/cmdline")


def test_the_unit_is_hardened_and_has_its_own_settings(host):
    wanted = {"User": "hal-example", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "Nice": "5"}
    said = host.check_output(f"systemctl show hal-example --property {','.join(wanted)}")
    assert dict(line.split("=", 1) for line in said.splitlines()) == wanted


def test_settings_and_secrets_are_private(host):
    settings, tokens = host.file("/etc/hal/example.env"), host.file("/etc/hal/example-tokens")
    assert (settings.user, settings.mode) == ("root", 0o600)
    assert (tokens.user, tokens.group, tokens.mode) == ("root", "hal-example", 0o640)


def test_the_data_were_prepared_as_the_services_user(host):
    records = host.file("/var/lib/hal-example/household.sqlite")
    assert (records.user, records.mode & 0o007) == ("hal-example", 0)
    assert records.size > 0


def test_a_caller_needs_the_token_that_is_a_secret(host):
    command = (
        "curl --silent --output /dev/null --max-time 2 --write-out '%%{http_code}' --http1.1"
        " -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'"
        " -H 'Sec-WebSocket-Key: bW9sZWN1bGUgdGVzdHMhIQ==' %s http://127.0.0.1:8767/"
    )
    # The host's own programs need none, unless they ask for somebody else.
    assert host.run(command, "-HX-Forwarded-For: 192.0.2.1").stdout == "401"
    assert host.run(command, "-HAuthorization: Bearer another").stdout == "401"
    assert host.run(command, "-HAuthorization: Bearer molecule-is-no-secret").stdout == "101"
