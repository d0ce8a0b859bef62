"""The check of the tasks' arguments: each kind of fault is found and named."""

import pytest
import yaml
from inspection.arguments import check
from inspection.specifications import PARSER, literal, read_relations

SERVICE = "ansible.windows.win_service"
FAULTS = [
    ({SERVICE: {"name": "x", "stat": "started"}}, "has no option stat; did you mean state?"),
    ({SERVICE: {"name": "x", "state": "running"}}, "takes for state one of"),
    ({SERVICE: {"state": "started"}}, "needs the option name"),
    ({SERVICE: {"name": "x", "failure_actions": [{"delay_ms": 1}]}}, "needs the option failure_actions.type"),
    ({SERVICE: {"name": "x", "password": "y"}}, "needs username when password is given"),
    ({"ansible.windows.win_servic": {"name": "x"}}, "is not a module of any installed collection"),
    ({"ansible.windows.win_file": {"path": "x", "state": "directory", "mode": "0700"}}, "has no option mode"),
    (
        {"ansible.windows.win_package": {"state": "absent"}},
        "needs one of path, product_id when",
    ),
    ({"ansible.windows.win_command": {"cmd": "x", "argv": ["x"]}}, "does not take argv and cmd together"),
    ({"ansible.windows.win_powershell": {"chdir": "x"}}, "needs one of path, script"),
    ({"ansible.windows.win_wait_for": {"port": "http"}}, "takes int for port, not 'http'"),
    ({"ansible.windows.win_get_url": {"url": "x", "dest": "y", "force": "maybe"}}, "takes bool for force"),
    ({"community.windows.win_firewall_rule": {"name": "x", "localport": [1, 2]}}, "takes str for localport"),
]
CLEAN = [
    {SERVICE: {"name": "x", "failure_actions": [{"type": "restart", "delay_ms": "{{ delay }}"}]}},
    {"ansible.windows.win_command": "whoami /all"},
    {"ansible.windows.win_command": None, "args": {"cmd": "whoami"}},
    {"ansible.windows.win_powershell": {"path": "x.ps1", "parameters": {"Anything": 1}}},
    {"ansible.windows.win_package": {"state": "present", "path": "x", "creates_path": "y"}},
    {"ansible.windows.win_file": "path=x state=directory"},
    {"ansible.windows.win_file": "{{ whole }}"},
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """All faults, each task in a file of its own: ansible-doc is asked once."""
    directory = tmp_path_factory.mktemp("tasks")
    for number, (task, _) in enumerate(FAULTS):
        tasks = yaml.safe_dump([{"name": "Do it", **task}], sort_keys=False)
        (directory / f"{number}.yml").write_text("# a comment\n" + tasks)
    return [line.removeprefix(f"{directory}/") for line in check(sorted(directory.iterdir()))]


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[fault for _, fault in FAULTS])
def test_a_fault_is_named_with_its_place(found, number):
    task, fault = FAULTS[number]
    mine = [line for line in found if line.startswith(f"{number}.yml:2: Do it: {next(iter(task))} ")]
    assert any(fault in line for line in mine), mine or found


def test_right_tasks_have_no_faults(tmp_path):
    path = tmp_path / "main.yml"
    path.write_text(yaml.safe_dump(CLEAN))
    assert check([path]) == []


def test_tasks_are_found_in_blocks_plays_and_handlers(tmp_path):
    bad = {"name": "Bad", SERVICE: {"stat": "x"}}
    path = tmp_path / "play.yml"
    path.write_text(
        yaml.safe_dump([{"hosts": "all", "tasks": [{"block": [bad], "rescue": [bad]}], "handlers": [bad]}])
        + "# !vault and !unsafe values are taken as they are\n"
    )
    assert len(check([path])) == 2 * 3  # a misspelt option and a missing name, thrice


def test_relations_are_read_from_a_modules_source():
    source = b"""
    $spec = @{
        options = @{ a = @{ type = 'str'; default = (Get-Default) } }
        mutually_exclusive = @(
            , @('a', 'b')
            , @('c', 'd')
        )
        required_if = @(
            @('state', "present", @('a', 'b'), $true),
            @('state', 'absent', @('a'))
        )
        required_by = @{ a = 'b' }
        supports_check_mode = $true
    }
    """
    assert read_relations(source) == {
        "mutually_exclusive": [["a", "b"], ["c", "d"]],
        "required_if": [["state", "present", ["a", "b"], True], ["state", "absent", ["a"]]],
        "required_by": {"a": "b"},
    }


def test_a_table_that_is_computed_is_refused():
    with pytest.raises(ValueError, match="not a literal: Get-Table"):
        literal(PARSER.parse(b"Get-Table").root_node)
