"""Recordings: what differs between runs is masked, what matters is not, secrets are found however written."""

import base64
import json

import pytest
from simulator import recording

SECRET = "correct-horse/battery+staple"


def test_what_differs_from_run_to_run_is_masked():
    calls = [
        {
            "call": "ansible.windows.win_copy",
            "arguments": {
                "src": r"C:\Temp\ansible-tmp-1700000000.12-345-678901\source",
                "files": [{"src": "/tmp/x/ansible-local-12ab/tmpabc/settings.j2", "checksum": "a" * 40}],
                "dest": r"C:\ProgramData\HAL\gateway\releases\0123456789abcdef\Python-3.13.15",
                "address": "127.0.0.20",
                "port": 8768,
                "stdin": '{"checks": [{"audio": "AAAA' + "A" * 400 + '=="}]}',
            },
        }
    ]
    assert recording.normalise(calls, {"8768": "never a number"}) == [
        {
            "call": "ansible.windows.win_copy",
            "arguments": {
                "src": r"C:\Temp\<temporary>\source",
                "files": [{"src": "<temporary>/settings.j2", "checksum": "<sha1>"}],
                "dest": r"C:\ProgramData\HAL\gateway\releases\<digest>\Python-<version>",
                "address": "127.0.0.20",
                "port": 8768,
                "stdin": {"checks": [{"audio": "<base64>"}]},
            },
        }
    ]


def test_a_recording_that_differs_is_shown(tmp_path):
    golden = tmp_path / "fresh.json"
    golden.write_text(recording.text([{"call": "a", "arguments": {"state": "started"}}]))
    assert recording.difference(golden, [{"call": "a", "arguments": {"state": "started"}}]) == ""
    shown = recording.difference(golden, [{"call": "a", "arguments": {"state": "stopped"}}])
    assert '-   "state": "started"' in shown
    assert '+   "state": "stopped"' in shown
    assert recording.difference(tmp_path / "none.json", [{"call": "a"}])


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        f'{{"password": "{SECRET}"}}',
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"$p = '{SECRET}'".encode("utf-16-le")).decode(),
        json.dumps({"environment": SECRET}),
    ],
)
def test_a_secret_is_found_however_it_is_written(written):
    calls = [{"call": "ansible.windows.win_command", "arguments": {"cmd": f"x {written} y"}}]
    assert list(recording.leaks({"the token": SECRET}, calls, {})) == [
        "the token is in a call of ansible.windows.win_command"
    ]


def test_a_secret_where_it_belongs_is_no_leak():
    calls = [{"call": "psrp_put_file.ps1", "arguments": {}, "text": [SECRET]}]
    assert list(recording.leaks({"the token": SECRET}, calls, {"the token": "psrp_put_file"})) == []
    assert list(recording.leaks({"the token": "something-else-entirely"}, calls, {})) == []
