"""The rules of the plays: each lets what is right pass, and names what breaks it and where."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import rules
from plays import CONFIGURE, Play
from simulator.bench import Run
from simulator.machine import File
from simulator.secret import Secret
from simulator.states import windows_server

TOKEN = "correct-horse/battery+staple"
FLOW = {
    "name": "HAL tcp 8768 from 127.0.0.60",
    "group": "HAL",
    "direction": "in",
    "action": "allow",
    "protocol": "tcp",
    "localport": 8768,
    "remoteip": "127.0.0.60",
    "profiles": ["domain", "private", "public"],
    "enabled": True,
    "state": "present",
}
GATEWAY = {
    "running": True,
    "start_mode": "delayed",
    "username": "NT SERVICE\\HalGateway",
    "failure_actions": [{"type": "restart", "delay_ms": 2000}],
    "failure_actions_on_non_crash_failure": True,
}
TASK = {
    "name": "back up",
    "state": "present",
    "enabled": True,
    "triggers": [{"type": "daily"}],
    "execution_time_limit": "PT1H",
    "multiple_instances": 2,
}
DOWNLOAD = {
    "url": "http://127.0.0.70:8080/restic.zip",
    "dest": "C:\\restic.zip",
    "checksum": "a" * 64,
    "checksum_algorithm": "sha256",
}
PIP = ["python.exe", "-m", "pip", "--no-index", "--no-deps", "--require-hashes", "--only-binary=:all:"]
GUARD = {"script": "# Arm the guard: save the rules"}
DISARM = {"name": "firewall revert", "state": "absent"}
REFUSAL = {"state": "enabled", "inbound_action": "block", "profiles": ["Domain", "Private", "Public"]}
CLOSE = {"path": "C:\\ProgramData\\HAL", "state": "absent"}
VALIDATED = "TASK [openqm : Validating arguments against arg spec 'main' - Run] ***\n"
RECORD = {rules.PROGRAMS_RECORD: File(content=b"digest")}


def call(module: str, /, **arguments: Any) -> dict[str, Any]:
    """A call as a play records it."""
    own = {key: arguments.pop(key) for key in [*arguments] if key in ("no_log", "check_mode", "text")}
    collection = "community" if module.startswith(("win_fire", "win_sched")) else "ansible"
    name = module if module.startswith("psrp_") else f"{collection}.windows.{module}"
    return {"task": "Do it", "call": name, "arguments": arguments, **own}


def play(
    *calls: dict[str, Any], name: str = "fresh", check: bool = False, output: str = "", **after: Any
) -> Play:
    """A play with these calls; `after` is what the host's state has then, `known` and `there` what it had."""
    before = windows_server().state
    before.files.update(after.pop("known", {}))
    before.resources.update(after.pop("there", {}))
    state = deepcopy(before)
    for key, value in after.items():
        getattr(state, key).update(value)
    secret = Secret(
        "the token", TOKEN, ("gateway_tokens", "gateway_certificate", "openqm_tokens"), r'"text": "tablet '
    )
    return Play(name, CONFIGURE, check, Run(0, output, list(calls)), before, state, [secret])


def put(dest: str, content: str = f"tablet {TOKEN}", no_log: bool = True) -> list[dict[str, Any]]:
    return [call("psrp_put_file.ps1", Path="C:\\t", text=content), call("win_copy", dest=dest, no_log=no_log)]


def command(text: str) -> dict[str, Any]:
    return call("win_powershell", script="# Run commands of QM", parameters={"Commands": [text]})


def without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {other: value for other, value in mapping.items() if other != key}


SECRETS = "C:\\ProgramData\\HAL\\gateway\\secrets\\tokens"
STOPPED = {"qmsvc": {"running": False, "start_mode": "auto", "path": r"C:\QMSYS\bin\qmsvc.exe"}}
BY_QM = {("community.windows.win_lineinfile", "c:\\qmsys\\qmconfig/startup=run"): {}}
BY_WINDOWS = {("community.windows.win_scheduled_task", "\\hal/start the listener"): {}}
TAKEN = {("listening process", "8768"): {}}
LOOK = {"script": "# Name the processes that listen on these ports"}
# By the rule: plays that keep it; plays that break it, each with what is then said.
CASES: dict[rules.Rule, tuple[list[Play], list[tuple[Play, str]]]] = {
    rules.a_host_where_another_process_has_a_port_is_asked_nothing_more: (
        [play(call("win_powershell", **LOOK), there=TAKEN)],
        [
            (
                play(call("win_powershell", **LOOK), call("win_firewall_rule", **FLOW), there=TAKEN),
                "2 calls, the last",
            )
        ],
    ),
    rules.every_firewall_rule_states_all_that_windows_would_otherwise_choose: (
        [play(call("win_firewall_rule", **FLOW))],
        [
            (play(call("win_firewall_rule", **without(FLOW, option))), f"does not state {option}")
            for option in FLOW
        ],
    ),
    rules.every_firewall_rule_opens_a_port_of_the_catalogue_to_named_addresses: (
        [play(call("win_firewall_rule", **FLOW))],
        [
            (play(call("win_firewall_rule", **FLOW | {"localport": 4243})), "opens 4243"),
            (play(call("win_firewall_rule", **FLOW | {"remoteip": "any"})), "to any"),
            (play(call("win_firewall_rule", **FLOW | {"enabled": False})), "{'enabled': False}"),
        ],
    ),
    rules.the_firewall_refuses_what_no_rule_opens: (
        [play(call("win_firewall", **REFUSAL))],
        [
            (play(), "no call of win_firewall"),
            (play(call("win_firewall", **REFUSAL | {"profiles": ["Public"]})), "no call of win_firewall"),
        ],
    ),
    rules.the_firewall_changes_only_under_its_guard: (
        [
            play(
                call("win_powershell", **GUARD),
                call("win_firewall_rule", **FLOW),
                call("win_scheduled_task", **DISARM),
            )
        ],
        [
            (play(call("win_firewall_rule", **FLOW)), "without it"),
            (play(call("win_powershell", script="# Close other rules")), "without it"),
            (play(call("win_powershell", **GUARD)), "stands when the play ends"),
        ],
    ),
    rules.no_service_ends_stopped: (
        [play(services={"halgateway": GATEWAY})],
        [
            (play(services=STOPPED), "qmsvc does not run"),
            (play(services={"halgateway": GATEWAY | {"running": False}}), "halgateway does not run"),
        ],
    ),
    rules.a_service_of_hal_starts_by_itself_and_has_an_account_of_its_own: (
        [play(services={"halgateway": GATEWAY})],
        [
            (play(services={"halgateway": GATEWAY | {"start_mode": "manual"}}), "manual"),
            (play(services={"halgateway": without(GATEWAY, "username")}), "runs as LocalSystem"),
            (play(services={"halgateway": without(GATEWAY, "failure_actions")}), "not started again"),
            (
                play(services={"halgateway": without(GATEWAY, "failure_actions_on_non_crash_failure")}),
                "after an exit",
            ),
        ],
    ),
    rules.qm_is_never_stopped_restarted_or_set_up_as_a_service: (
        [play(call("win_service", name="HalGateway", state="restarted"))],
        [
            (play(call("win_service", name="QMSvc", state="started")), "sets"),
            (play(call("win_command", cmd="net stop QMSvc")), "'net stop'"),
            (play(call("win_command", argv=["C:\\qmsys\\bin\\qm.exe -stop"])), "'qm.exe -stop'"),
            (play(call("win_powershell", script="Restart-Service QMSvc")), "'Restart-Service'"),
            (play(call("win_reboot")), "restarts Windows"),
            (play(services=STOPPED), "not as it was"),
        ],
    ),
    rules.qm_is_asked_for_hals_own_programs_alone: (
        [play(command("RUN HAL.BP HAL.SETUP NO.PAGE"))],
        [(play(command("LOGOUT ALL")), "runs LOGOUT ALL")],
    ),
    rules.qms_listener_is_stopped_only_where_its_programs_have_changed: (
        [play(command("RUN HAL.BP HAL.START"), known=RECORD)],
        [(play(command("RUN HAL.BP HAL.STOP"), known=RECORD), "stops it")],
    ),
    rules.qms_listener_is_started_by_qm_or_by_windows_and_never_by_both: (
        [play(resources=BY_QM), play(resources=BY_WINDOWS)],
        [
            (play(), "by QM: False, by Windows: False"),
            (play(resources=BY_QM | BY_WINDOWS), "True, by Windows: True"),
        ],
    ),
    rules.every_task_of_windows_is_enabled_has_a_trigger_and_an_end_and_runs_once_at_a_time: (
        [play(call("win_scheduled_task", **TASK))],
        [
            (play(call("win_scheduled_task", **without(TASK, option))), said)
            for option, said in [
                ("enabled", "not enabled"),
                ("triggers", "no trigger"),
                ("execution_time_limit", "for ever"),
                ("multiple_instances", "twice at once"),
            ]
        ],
    ),
    rules.no_secret_is_in_the_output: (
        [play(output="ok: [qm1]\n")],
        [(play(output=f"ok: [qm1] => (item=tablet {TOKEN})\n"), "the token is in the output")],
    ),
    rules.a_secret_goes_to_the_host_only_where_it_belongs: (
        [play(*put(SECRETS))],
        [(play(call("win_command", cmd=f"qm {TOKEN}")), "holds the token")],
    ),
    rules.a_task_that_carries_a_secret_says_no_log: (
        [play(*put(SECRETS))],
        [(play(*put(SECRETS, no_log=False)), "holds the token")],
    ),
    rules.a_file_with_a_secret_goes_into_a_directory_closed_to_users: (
        [play(call("win_acl_inheritance", **CLOSE), *put(SECRETS), *put("C:\\readme", "nothing secret"))],
        [
            (play(*put(SECRETS)), f"put into {SECRETS}"),
            (play(call("win_acl_inheritance", **CLOSE), *put("C:\\tokens")), "put into C:\\tokens"),
        ],
    ),
    rules.every_secret_is_used_where_a_play_configures_a_host: (
        [play(*put(SECRETS))],
        [(play(), "no call holds the token")],
    ),
    rules.every_option_that_a_role_calls_secret_has_a_value_in_plays_py: (
        [play(output=VALIDATED.replace("openqm", "gateway"))],
        [(play(output=VALIDATED), "openqm_windows_login of openqm has none")],
    ),
    rules.every_download_comes_from_the_households_cache_and_is_checked: (
        [play(call("win_get_url", **DOWNLOAD))],
        [
            (play(call("win_get_url", **without(DOWNLOAD, "checksum"))), "not checked"),
            (play(call("win_get_url", **DOWNLOAD | {"checksum_algorithm": "md5"})), "not checked"),
            (play(call("win_get_url", **DOWNLOAD | {"url": "https://github.com/x"})), "comes from https"),
        ],
    ),
    rules.python_packages_are_installed_from_those_wheels_alone: (
        [play(call("win_command", argv=PIP))],
        [(play(call("win_command", argv=PIP[:-2])), "--only-binary=:all:")],
    ),
    rules.nothing_is_removed_but_what_hal_has_made: (
        [play(call("win_file", path="C:\\ProgramData\\HAL\\gateway\\old", state="absent"))],
        [
            (play(call("win_file", path="C:\\qmsys\\hal", state="absent")), "removes C:\\qmsys\\hal"),
            (play(call("win_file", path="C:\\ProgramData\\HAL\\", state="absent")), "removes"),
        ],
    ),
    rules.a_second_run_changes_nothing: (
        [play(name="converged", output="TASK [Do it] **\nok: [qm1]\n")],
        [(play(name="converged", output="TASK [Do it] **\nchanged: [qm1]\n"), "changed again: Do it")],
    ),
    rules.a_check_changes_nothing_on_the_host: (
        [play(check=True)],
        [(play(check=True, files={"c:\\new": File()}), "not as it was")],
    ),
}


def test_every_rule_is_tested() -> None:
    assert CASES.keys() == set(rules.RULES)


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.__name__)
def test_a_rule_lets_pass_what_is_right(rule: rules.Rule) -> None:
    for right in CASES[rule][0]:
        results = list(rule(right))
        assert results, "it looks at nothing"
        assert not any(results)


@pytest.mark.parametrize(
    ("rule", "number"), [(rule, number) for rule, (_, wrong) in CASES.items() for number in range(len(wrong))]
)
def test_a_rule_names_what_breaks_it(rule: rules.Rule, number: int) -> None:
    wrong, said = CASES[rule][1][number]
    assert said in "\n".join(filter(None, rule(wrong)))


def test_a_rule_that_looks_at_nothing_is_itself_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        rules, "RULES", [rules.no_secret_is_in_the_output, rules.a_check_changes_nothing_on_the_host]
    )
    assert list(rules.check([play(output="ok: [qm1]")])) == [
        "rule broken: a check changes nothing on the host\n"
        "  fresh: no play has anything that this rule speaks of"
    ]
