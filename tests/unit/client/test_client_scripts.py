"""The scripts people use today, rendered as the role renders them and run for real."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .conftest import ROOT, greet, respond, send

TEMPLATES = ROOT / "roles/client/templates"
NAMES = [
    "HAL_GATEWAY_URL",
    "OLLAMA_HOST",
    "OLLAMA_PORT",
    "OLLAMA_URL",
    "WHISPER_URL",
    "HAPROXY_HOST",
    "HAPROXY_SSH_PORT",
    "HAPROXY_USER",
    "PROXMOX_HOST",
    "PROXMOX_USER",
    "QM_HOST",
    "QM_VOICE_PORT",
    "QM_GATEWAY_PORT",
]


@pytest.fixture
def installed(tmp_path):
    """Install the client below a folder as the role does: `installed(environment)` returns the folder."""

    def install(environment):
        root = tmp_path / "client"
        (root / "bin").mkdir(parents=True)
        (root / "current/bin").mkdir(parents=True)
        variables = {
            "client_environment": environment,
            "client_path": str(root),
            "client_bin_path": str(root),
            "client_settings_path": str(root / "settings"),
            "ansible_managed": "Ansible managed",
        }
        templates = Environment(
            loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, autoescape=False
        )
        templates.filters["quote"] = FilterModule().filters()["quote"]
        for name in ("network_config.sh", "hal_text_client.py", "test_connection.sh", "hal"):
            target = root / "hal" if name == "hal" else root / "bin" / name
            target.write_text(templates.get_template(f"{name}.j2").render(variables) + "\n")
            target.chmod(0o755)
        hal = root / "current/bin/hal"
        hal.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hal.client.cli "$@"\n')
        hal.chmod(0o755)
        return root

    return install


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_sourcing_the_configuration_exports_every_name(installed, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} on this machine")
    values = {name: f'it\'s {name} $HOME; `x` "y"' for name in NAMES} | {"QM_VOICE_PORT": 8767}
    config = installed(values) / "bin/network_config.sh"
    script = (
        f'. "{config}"; exec "{sys.executable}" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    )
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert {name: seen.get(name) for name in NAMES} == {name: str(value) for name, value in values.items()}
    assert done.stderr == ""


async def test_the_text_client_asks_one_query(gateway, installed, run):
    fake, other = await gateway(), await gateway()
    root = installed({"HAL_GATEWAY_URL": fake.url})
    client = root / "bin/hal_text_client.py"
    assert (await run("python3", client, "--query", "-v is it?")).out == "You asked: -v is it?\n"
    assert (await run("python3", client, "--url", other.url, "--query", "q")).code == 0
    assert (fake.connections, other.connections) == (1, 1)


async def test_the_text_client_without_a_query_is_a_conversation(gateway, installed, run):
    fake = await gateway()
    client = installed({"HAL_GATEWAY_URL": fake.url}) / "bin/hal_text_client.py"
    done = await run("python3", client, stdin="one\ntwo\n")
    assert (done.code, done.out) == (0, "You asked: one\nYou asked: two\n")


async def test_the_text_client_passes_failures_on(installed, run):
    root = installed({"HAL_GATEWAY_URL": "ws://127.0.0.1:1"})
    done = await run("python3", root / "bin/hal_text_client.py", "--query", "q")
    assert done.code == 3 and "ws://127.0.0.1:1" in done.err
    (root / "hal").unlink()
    done = await run("python3", root / "bin/hal_text_client.py", "--query", "q")
    assert done.code == 1 and "Install the HAL client" in done.err


@pytest.fixture
def ping(tmp_path):
    """A ping of one's own, whose answer is the test's to choose: returns a PATH that begins with it."""

    def make(exit_code):
        folder = tmp_path / "ping"
        folder.mkdir()
        (folder / "ping").write_text(f"#!/bin/sh\nexit {exit_code}\n")
        (folder / "ping").chmod(0o755)
        return f"{folder}:/usr/local/bin:/usr/bin:/bin"

    return make


async def test_a_whole_connection_passes(gateway, installed, run, ping):
    fake = await gateway()
    root = installed({"HAL_GATEWAY_URL": fake.url})
    done = await run("bash", root / "bin/test_connection.sh", PATH=ping(0))
    assert done.code == 0, done
    assert [line.split()[:2] for line in done.out.splitlines()[:3]] == [
        ["ok", "ping"],
        ["ok", "port"],
        ["ok", "query"],
    ]
    assert "You asked: What medications am I taking?" in done.out and done.err == ""


@pytest.mark.skipif(not shutil.which("ping"), reason="no ping on this machine")
async def test_the_real_ping_is_understood(gateway, installed, run):
    fake = await gateway()
    root = installed({"HAL_GATEWAY_URL": fake.url})
    assert (await run("bash", root / "bin/test_connection.sh")).code == 0


async def test_each_failure_is_named(gateway, installed, run, ping):
    async def failing(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(socket, *respond("The database is away.", status="error"))
        await socket.wait_closed()

    fake = await gateway(failing)
    script = installed({"HAL_GATEWAY_URL": "ws://127.0.0.1:1"}) / "bin/test_connection.sh"
    path = ping(1)
    done = await run("bash", script, PATH=path, HAL_GATEWAY_URL=fake.url)
    assert done.code == 1 and "2 of 3" in done.out
    assert "FAILED  ping" in done.out and "ok      port" in done.out
    assert "FAILED  query" in done.out and "The database is away." in done.out
    closed = await run("bash", script, PATH=path)
    assert closed.code == 1 and "3 of 3" in closed.out and "127.0.0.1 port 1 cannot be reached" in closed.out


async def test_a_url_that_is_none_is_named(installed, run):
    done = await run("bash", installed({"HAL_GATEWAY_URL": "qm1:8768"}) / "bin/test_connection.sh")
    assert done.code == 1 and "'qm1:8768'" in done.err


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck on this machine")
def test_the_shell_scripts_are_clean(installed):
    root = installed(dict.fromkeys(NAMES, "it's"))
    scripts: list[Path] = [root / "hal", root / "bin/test_connection.sh", root / "bin/network_config.sh"]
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
