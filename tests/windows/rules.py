"""What must be so in every play, whatever its recording says: `--update` accepts no broken rule.

A rule's name is its sentence. It yields a result for each thing that it looks at: None if that is right, else
what is wrong. A rule that finds nothing to look at in any play is a fault as well.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from plays import CONFIGURE, INVENTORY, Play, lasting
from simulator.bench import PROJECT

Rule = Callable[[Play], Iterator[str | None]]
RULES: list[Rule] = []

HAL = "C:\\ProgramData\\HAL\\"
PROGRAMS = tuple(f"C:\\qmsys\\hal\\HAL.{name}\\" for name in ("BP", "RULES", "SAMPLES", "LAYOUT"))
PROGRAMS_RECORD = "c:\\programdata\\hal\\openqm.digest"
STATED = (
    "name",
    "group",
    "direction",
    "action",
    "protocol",
    "localport",
    "remoteip",
    "profiles",
    "enabled",
    "state",
)
ENDS_A_SERVICE = re.compile(
    r"(?:stop|restart|suspend|set|remove)-service|stop-process|(?:stop|restart)-computer|taskkill"
    r"|\bnet1?(?:\.exe)? +stop|\bsc(?:\.exe)? +(?:stop|delete|config)|shutdown(?:\.exe)? +[/-]"
    r"|qm(?:\.exe)?[\"']? +-(?:stop|restart|k)\b",
    re.IGNORECASE,
)
OF_HALS_PROGRAMS = re.compile(r"(?:BASIC|RUN|CREATE\.FILE) HAL\.")
VALIDATED = re.compile(r"^TASK \[(\w+) : Validating arguments against arg spec '(\w+)'", re.MULTILINE)


def rule(function: Rule) -> Rule:
    """Add a rule to those that every play is held to."""
    RULES.append(function)
    return function


def check(plays: list[Play]) -> Iterator[str]:
    """Yield each rule that is broken, with what breaks it in which plays."""
    for function in RULES:
        broken = defaultdict(list)
        looked = False
        for play in plays:
            for result in function(play):
                looked = True
                if result and play.name not in broken[result]:
                    broken[result].append(play.name)
        if not looked and not any(play.faults for play in plays):
            broken["no play has anything that this rule speaks of"] = [play.name for play in plays]
        lines = [f"  {', '.join(names)}: {result}" for result, names in broken.items() if names]
        if lines:
            yield "\n".join([f"rule broken: {function.__name__.replace('_', ' ')}", *lines])


def unless(right: Any, fault: str) -> str | None:
    """Return the fault unless it is right."""
    return None if right else fault


# The household


def is_left_alone(play: Play) -> bool:
    """Return whether a process of the household has a port of HAL's, so that nothing is done."""
    return any(kind == "listening process" for kind, _ in play.before.resources)


@rule
def a_host_where_another_process_has_a_port_is_asked_nothing_more(play: Play) -> Iterator[str | None]:
    if is_left_alone(play):
        asked = [call["arguments"].get("script", "") for call in play.run.calls]
        wrong = f"{len(asked)} calls, the last {told(play.run.calls[-1])}"
        yield unless(asked[-1].startswith("# Name the processes that listen"), wrong)


# The firewall


@rule
def every_firewall_rule_states_all_that_windows_would_otherwise_choose(play: Play) -> Iterator[str | None]:
    for call in play.asked("win_firewall_rule"):
        lacking = [option for option in STATED if call["arguments"].get(option) in (None, "", [])]
        yield unless(not lacking, f"{told(call)} does not state {', '.join(lacking)}")


@rule
def every_firewall_rule_opens_a_port_of_the_catalogue_to_named_addresses(play: Play) -> Iterator[str | None]:
    services = yaml.safe_load((INVENTORY / "group_vars/all/services.yml").read_text())["network_services"]
    ports = {service["port"] for service in services.values()}
    for call in play.asked("win_firewall_rule"):
        arguments = call["arguments"]
        yield unless(arguments.get("localport") in ports, f"{told(call)} opens {arguments.get('localport')}")
        yield unless(arguments.get("remoteip") != "any", f"{told(call)} opens to any")
        fixed = {"group": "HAL", "direction": "in", "action": "allow", "enabled": True}
        differs = {key: arguments.get(key) for key, value in fixed.items() if arguments.get(key) != value}
        yield unless(not differs, f"{told(call)} has {differs}")


@rule
def the_firewall_refuses_what_no_rule_opens(play: Play) -> Iterator[str | None]:
    if play.playbook == CONFIGURE and not is_left_alone(play):
        wanted = {"state": "enabled", "inbound_action": "block", "profiles": ["Domain", "Private", "Public"]}
        refusals = [call for call in play.asked("win_firewall") if call["arguments"] == wanted]
        yield unless(refusals, f"no call of win_firewall with {wanted}")


@rule
def the_firewall_changes_only_under_its_guard(play: Play) -> Iterator[str | None]:
    armed = False
    for call in play.run.calls:
        script = call["arguments"].get("script", "")
        if script.startswith("# Arm the guard"):
            armed = True
        elif (
            call["arguments"].get("name") == "firewall revert" and call["arguments"].get("state") == "absent"
        ):
            armed = False
        elif not call.get("check_mode") and (
            call["call"].endswith(("win_firewall_rule", "win_firewall"))
            or script.startswith("# Close other rules")
        ):
            yield unless(armed, f"{told(call)} without it")
    if armed:
        yield "it stands when the play ends"


# Services and tasks


@rule
def no_service_ends_stopped(play: Play) -> Iterator[str | None]:
    for name in play.before.services | play.state.services:
        # What is new must run; what did not run before is not this play's to start.
        ran = play.before.services.get(name, {"running": True})["running"]
        runs = play.state.services.get(name, {"running": False})["running"]
        yield unless(runs or not ran, f"{name} does not run")


@rule
def a_service_of_hal_starts_by_itself_and_has_an_account_of_its_own(play: Play) -> Iterator[str | None]:
    for name, service in play.state.services.items():
        if name.startswith("hal"):
            actions = {action["type"] for action in service.get("failure_actions", [])}
            yield unless(service["start_mode"] in ("auto", "delayed"), f"{name}: {service['start_mode']}")
            yield unless(actions == {"restart"}, f"{name} is not started again after a failure")
            yield unless(
                service.get("failure_actions_on_non_crash_failure"),
                f"{name} is not started again after an exit with an error",
            )
            account = service.get("username", "LocalSystem")
            yield unless(account.lower() == f"nt service\\{name}", f"{name} runs as {account}")


@rule
def qm_is_never_stopped_restarted_or_set_up_as_a_service(play: Play) -> Iterator[str | None]:
    for call in play.asked("win_service"):
        yield unless(call["arguments"]["name"].lower() != "qmsvc", f"{told(call)} sets {call['arguments']}")
    for call in play.asked("win_reboot"):
        yield f"{told(call)} restarts Windows"
    commands = [
        (told(call), json.dumps(call["arguments"]))
        for call in play.asked("win_command", "win_scheduled_task")
    ]
    for name, text in [*play.scripts(), *commands]:
        found = ENDS_A_SERVICE.search(text)
        yield unless(not found, f"{name} holds {found and found[0]!r}")
    yield unless(play.state.services["qmsvc"] == play.before.services["qmsvc"], "it is not as it was")


@rule
def qm_is_asked_for_hals_own_programs_alone(play: Play) -> Iterator[str | None]:
    for call, command in commands_of_qm(play):
        yield unless(OF_HALS_PROGRAMS.match(command), f"{told(call)} runs {command}")


@rule
def qms_listener_is_stopped_only_where_its_programs_have_changed(play: Play) -> Iterator[str | None]:
    if play.before.files.keys() & {PROGRAMS_RECORD}:
        for call, command in commands_of_qm(play):
            yield unless("HAL.STOP" not in command, f"{told(call)} stops it")


def commands_of_qm(play: Play) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each command that QM is given, with the call that holds it."""
    for call in play.asked("win_powershell"):
        for command in (call["arguments"].get("parameters") or {}).get("Commands", []):
            yield call, command


@rule
def qms_listener_is_started_by_qm_or_by_windows_and_never_by_both(play: Play) -> Iterator[str | None]:
    if play.playbook == CONFIGURE and not play.check and not is_left_alone(play):
        by_qm = any(
            "startup=" in name for kind, name in play.state.resources if kind.endswith("win_lineinfile")
        )
        task = ("community.windows.win_scheduled_task", "\\hal/start the listener")
        by_windows = task in play.state.resources
        yield unless(by_qm != by_windows, f"by QM: {by_qm}, by Windows: {by_windows}")


@rule
def every_task_of_windows_is_enabled_has_a_trigger_and_an_end_and_runs_once_at_a_time(
    play: Play,
) -> Iterator[str | None]:
    for call in play.asked("win_scheduled_task"):
        arguments = call["arguments"]
        if arguments["state"] == "present":
            yield unless(arguments.get("enabled") is True, f"{told(call)} is not enabled")
            yield unless(arguments.get("triggers"), f"{told(call)} has no trigger")
            yield unless(arguments.get("execution_time_limit"), f"{told(call)} may run for ever")
            yield unless(arguments.get("multiple_instances") == 2, f"{told(call)} may run twice at once")


# Secrets


@rule
def no_secret_is_in_the_output(play: Play) -> Iterator[str | None]:
    for secret in play.secrets:
        line = next((line for line in play.run.output.splitlines() if secret.is_in(line)), "")
        yield unless(
            not line, f"{secret.name} is in the output at -vvv: {line.replace(secret.value, '…')[:200]}"
        )


@rule
def a_secret_goes_to_the_host_only_where_it_belongs(play: Play) -> Iterator[str | None]:
    for call, secret, dumped in carried(play):
        belongs = secret.belongs and re.search(secret.belongs, dumped)
        yield unless(belongs, f"{told(call)} holds {secret.name}")


@rule
def a_task_that_carries_a_secret_says_no_log(play: Play) -> Iterator[str | None]:
    # The connection sends a file and is told nothing of no_log; the module that puts the file in place is.
    secrets = {call["task"]: secret for call, secret, _ in carried(play)}
    for call in play.run.calls:
        if call["task"] in secrets and not call["call"].startswith("psrp_"):
            yield unless(call.get("no_log"), f"{told(call)} holds {secrets[call['task']].name}")


@rule
def a_file_with_a_secret_goes_into_a_directory_closed_to_users(play: Play) -> Iterator[str | None]:
    closed: list[str] = []
    secret = None
    for call in play.run.calls:
        arguments = call["arguments"]
        if call["call"].endswith("win_acl_inheritance") and arguments.get("state") == "absent":
            closed.append(arguments["path"].lower() + "\\")
        elif call["call"] == "psrp_put_file.ps1":
            secret = next((secret for secret in play.secrets if secret.is_in(json.dumps(call))), None)
        elif call["call"].endswith("win_copy") and secret:
            path = arguments["dest"]
            yield unless(path.lower().startswith(tuple(closed)), f"{secret.name} is put into {path}")
            secret = None


@rule
def every_secret_is_used_where_a_play_configures_a_host(play: Play) -> Iterator[str | None]:
    if play.name == "fresh":
        held = {secret.name for _, secret, _ in carried(play)}
        for secret in play.secrets:
            # Without the administrator's password, which no call holds, there would be none.
            for name in secret.becomes or ([secret.name] if secret.belongs else []):
                yield unless(name in held, f"no call holds {name}")


@rule
def every_option_that_a_role_calls_secret_has_a_value_in_plays_py(play: Play) -> Iterator[str | None]:
    known = {option for secret in play.secrets for option in secret.options}
    for role, entry in VALIDATED.findall(play.run.output):
        path = PROJECT / f"roles/{role}/meta/argument_specs.yml"
        options = yaml.safe_load(path.read_text())["argument_specs"][entry].get("options", {})
        for option in secret_options(options):
            yield unless(option in known, f"{option} of {role} has none")


def secret_options(options: dict[str, Any], within: str = "") -> Iterator[str]:
    """Yield the options that a role's specification marks with no_log, those within others by both names."""
    for name, option in options.items():
        if option.get("no_log"):
            yield within + name
        yield from secret_options(option.get("options", {}), f"{within}{name}.")


def carried(play: Play) -> Iterator[tuple[dict[str, Any], Any, str]]:
    """Yield each call that holds a secret, with the secret and the call as JSON."""
    for call in play.run.calls:
        dumped = json.dumps(call, ensure_ascii=False)
        for secret in play.secrets:
            if secret.is_in(dumped):
                yield call, secret, dumped


# Files and downloads


@rule
def every_download_comes_from_the_households_cache_and_is_checked(play: Play) -> Iterator[str | None]:
    for call in play.asked("win_get_url"):
        arguments = call["arguments"]
        checked = arguments.get("checksum_algorithm") == "sha256" and re.fullmatch(
            r"\w{64}", arguments.get("checksum", "")
        )
        yield unless(checked, f"{told(call)} is not checked by its SHA-256")
        yield unless(
            arguments["url"].startswith("http://127.0.0.70:8080/"),
            f"{told(call)} comes from {arguments['url']}",
        )


@rule
def python_packages_are_installed_from_those_wheels_alone(play: Play) -> Iterator[str | None]:
    for call in play.asked("win_command"):
        if "pip" in (given := call["arguments"].get("argv", [])):
            lacking = {"--no-index", "--no-deps", "--require-hashes", "--only-binary=:all:"} - set(given)
            yield unless(not lacking, f"{told(call)} lacks {', '.join(lacking)}")


@rule
def nothing_is_removed_but_what_hal_has_made(play: Play) -> Iterator[str | None]:
    for call in play.asked("win_file"):
        if call["arguments"].get("state") == "absent":
            path = call["arguments"]["path"]
            yield unless(
                path.startswith((HAL, *PROGRAMS)) and not path.endswith("\\"), f"{told(call)} removes {path}"
            )


# Runs


@rule
def a_second_run_changes_nothing(play: Play) -> Iterator[str | None]:
    if play.name in ("converged", "check_converged"):
        yield unless(not (changes := play.run.changes()), f"changed again: {', '.join(changes)}")


@rule
def a_check_changes_nothing_on_the_host(play: Play) -> Iterator[str | None]:
    if play.check:
        yield unless(lasting(play.state) == lasting(play.before), "it is not as it was")


def told(call: dict[str, Any]) -> str:
    """Return the task of a call, and which of the task's calls it is."""
    names = (call["arguments"].get(key) for key in ("name", "path", "dest"))
    return f"{call['task']} ({next((name for name in names if name), call['call'])})"
