"""The checks packed as a program, run by a bare Python against the project's own gateway and engine."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACK = [sys.executable, "-m", "hal.network.packing"]


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "new/hal_checks.pyz"
    subprocess.run([*PACK, ROOT / "module_utils", path], check=True)
    return path


@pytest.fixture
def run(program):
    """Run the program with an order, as bytes, from a Python that knows nothing of the project."""

    async def run_(order: bytes) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(program)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, error = await asyncio.wait_for(process.communicate(order), 60)
        return process.returncode, output.decode(), error.decode()

    return run_


def checks(ports, **options):
    common = {"host": "there", "address": "127.0.0.1", "question": "What medications am I taking?"}
    return [{**common, "name": kind, "kind": kind, "port": port, **options} for kind, port in ports.items()]


async def test_the_program_gives_what_the_module_gives(run, services, run_module):
    order = {"origin": "qm1", "checks": checks(services, expect_words=["metformin"])}
    code, output, error = await run(json.dumps(order).encode())
    said = json.loads(output)
    module = await asyncio.to_thread(run_module, "service_checks", order)
    for result in [*said["results"], *module["results"]]:
        assert result.pop("ms") > 0 and result.pop("latency_ms") > 0
    assert (code, error) == (0, "")
    assert said["ok"] and said["results"] == module["results"]
    assert [result["from"] for result in said["results"]] == ["qm1", "qm1"]


async def test_a_check_that_fails_is_a_result_and_advises_for_windows(run, services):
    ordered = checks(services, expect_words=["unobtainium"], windows=True)
    units = {"gateway": "HalGateway", "listener": "QMSvc"}
    order = {"origin": "qm1", "checks": [check | {"unit": units[check["kind"]]} for check in ordered]}
    code, output, _ = await run(b"\xef\xbb\xbf" + json.dumps(order).encode() + b"\r\n")
    said = json.loads(output)
    assert code == 0 and said["ok"] is False
    messages = [result["message"] for result in said["results"]]
    assert all("lacks unobtainium" in message for message in messages)
    assert "On there: `Get-Service HalGateway`" in messages[0]
    assert "On there: `Get-Service QMSvc`" in messages[1]


@pytest.mark.parametrize(("windows", "advice"), [(True, "`Get-NetFirewallRule"), (False, "`ufw status`")])
async def test_a_flow_that_should_be_closed_is_looked_for_in_the_hosts_own_firewall(
    run, services, windows, advice
):
    flow = {"kind": "flow", "expect": "closed", "windows": windows}
    _, output, _ = await run(json.dumps({"origin": "mac", "checks": checks(services, **flow)}).encode())
    assert all(advice in result["message"] for result in json.loads(output)["results"])


async def test_an_order_for_what_there_is_not_is_refused_with_a_sentence(run):
    order = {"origin": "qm1", "checks": checks({"telepathy": 1})}
    code, output, error = await run(json.dumps(order).encode())
    assert (code, output) == (1, "")
    assert error.strip() == "The check telepathy is of the unknown kind telepathy."


def test_the_same_sources_make_the_same_bytes(program, tmp_path):
    project = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "module_utils", project / "module_utils", copy_function=shutil.copyfile)
    for source in project.rglob("*.py"):
        os.utime(source, (0, 0))
    again = tmp_path / "again.pyz"
    subprocess.run([*PACK, project / "module_utils", again], check=True)
    assert again.read_bytes() == program.read_bytes()
