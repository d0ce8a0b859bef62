"""Recordings: what changes from run to run is masked, and nothing else; a difference is shown by its call."""

import pytest
from simulator import recording

RULE = "community.windows.win_firewall_rule"


def call(task, module, /, **given):
    own = {key: given.pop(key) for key in ("changed", "check_mode", "text") if key in given}
    return {"task": task, "call": module, "arguments": given, **own}


def rule(port, **more):
    return call("Open the flows", RULE, name=f"HAL {port}", localport=port, remoteip="10.0.0.1", **more)


def test_a_call_is_one_line_below_its_task_and_long_texts_follow_it():
    calls = [
        call("Write it", "win_copy", dest=r"C:\HAL\a.ps1", text="# One\nTwo\n", changed=True),
        call("Write it", "win_file", path="8768", state="directory", changed=False, check_mode=True),
        call("Check", "win_command", stdin='{"checks": [' + ", ".join(['{"kind": "gateway"}'] * 20) + "]}"),
    ]
    assert recording.text(calls, {}).splitlines()[1:-19] == [
        "Write it",
        r"  win_copy [changed] {dest: 'C:\HAL\a.ps1', text: <2 lines below>}",
        "    | # One",
        "    | Two",
        "  win_file [check_mode] {path: '8768', state: directory}",
        "Check",
        "  win_command {stdin: {checks: <20 items below>}}",
        "    - {kind: gateway}",
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (r"C:\Temp\ansible-tmp-1700000000.12-345-678901\source", r"'C:\Temp\<temporary>\source'"),
        ("/tmp/x/ansible-local-12ab/tmpabc/settings.j2", "<temporary>/settings.j2"),
        ("a" * 40, "<sha1>"),
        (r"C:\releases\0123456789abcdef\python-3.13.15.exe", r"'C:\releases\<digest>\python-<version>.exe'"),
        ('{"audio": "AAAA' + "A" * 400 + '=="}', "{audio: <base64>}"),
        ("127.0.0.20", "127.0.0.20"),
        ("8768", "'8768'"),
        (8768, "8768"),
        ("it is my secret", "it is <the token>"),
        ("one\nfile", "<a.ps1>"),
        ("ends\n", '"ends\\n"'),
    ],
)
def test_what_differs_from_run_to_run_is_masked_and_nothing_else(given, kept):
    recorded = recording.text(
        [call("Do it", "m", it=given)], {"one\nfile": "a.ps1", "my secret": "the token"}
    )
    assert recorded.splitlines()[2] == f"  m {{it: {kept}}}"


def test_a_copied_directory_is_recorded_by_its_name_as_long_as_all_of_it_is_copied(tmp_path):
    digests = {
        "a": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
        "b": "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98",
    }
    for name in digests:
        (tmp_path / name).write_text(name)

    def recorded(digests):
        files = [{"src": f"{tmp_path}/{k}", "dest": k, "checksum": v} for k, v in digests.items()]
        return recording.text([call("Copy", "win_copy", _copy_mode="query", files=files)], {})

    assert f"files: every file of {tmp_path}" in recorded(digests)
    (tmp_path / "c").touch()
    assert "every file" not in recorded(digests)
    assert "every file" not in recorded({"a": digests["a"]})


def test_a_recording_of_the_same_calls_differs_in_nothing():
    kept = recording.text([rule(1), rule(2, changed=True)], {})
    assert recording.difference(kept, recording.text([rule(1), rule(2, changed=True)], {})) == ""


def test_of_a_call_that_differs_its_task_its_name_and_the_argument_are_shown():
    kept = recording.text([rule(1), rule(2), call("Refuse", "win_firewall", state="enabled")], {})
    now = rule(2)
    now["arguments"]["remoteip"] = "any"
    differs = recording.text([rule(1), now, call("Refuse", "win_firewall", state="enabled")], {})
    assert recording.difference(kept, differs).splitlines() == [
        "Open the flows",
        f"-  {RULE} {{name: HAL 2, remoteip: 10.0.0.1}} …",
        f"+  {RULE} {{name: HAL 2, remoteip: any}} …",
    ]


def test_of_an_item_that_differs_only_that_is_shown_and_of_a_text_the_whole_line():
    def recorded(port, line):
        items = [{"name": f"service {number}", "kind": "flow", "port": 80} for number in range(20)]
        calls = [call("Check", "win_command", checks=[*items, {"name": "ssh", "kind": "flow", "port": port}])]
        return recording.text([*calls, call("Write", "win_copy", content=f"first\n{line}")], {})

    assert recording.difference(recorded(22, "if ($a) { return }"), recorded(2222, "{")).splitlines() == [
        "Check",
        "-    - {name: ssh, port: 22} …",
        "+    - {name: ssh, port: 2222} …",
        "Write",
        "-    | if ($a) { return }",
        "+    | {",
    ]


def test_calls_that_come_or_go_or_move_are_shown_below_their_tasks():
    one, other = call("One", "win_file", path="a"), call("Other", "win_file", path="b")
    kept = recording.text([one, other, rule(1)], {})
    assert recording.difference(kept, recording.text([other, rule(1), one], {})).splitlines() == [
        "One",
        "-  win_file {path: a}",
        "+  win_file {path: a}",
    ]
    assert recording.difference("", kept).count("\n+") == 3
    many = recording.text([rule(port) for port in range(100)], {})
    assert recording.difference("", many).endswith("more lines")
