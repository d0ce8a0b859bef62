"""managed_files through real plays on this machine: what it renders, and what shows of secrets."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SECRET = "correct horse battery staple"

type Play = Callable[..., "Done"]


class Done:
    """A play that has ended."""

    def __init__(self, code: int, output: str) -> None:
        self.code, self.output = code, output
        self.flat = " ".join(output.split())

    @property
    def changed(self) -> int:
        """Return how many tasks changed something."""
        assert self.code == 0, self.output
        return int(self.output.rpartition("changed=")[2].split()[0])


@pytest.fixture
def role(tmp_path: Path) -> Path:
    """A role with templates and files, of which some include others and some are trees."""
    role = tmp_path / "roles" / "demo"
    for name in ("tasks", "templates/parts", "files/tree/deep", "files/tree/__pycache__"):
        (role / name).mkdir(parents=True)
    (role / "templates" / "page.j2").write_text(
        "# {{ ansible_managed }} for {{ template_destpath | basename }}\n"
        "{% for item in items_of_play %}\n"
        "  - {{ item }}\n"
        "{% endfor %}\n"
        "{% include 'parts/tail.j2' %}\n"
        "a\\nb {{ missing | default('none') }}\n\n"
    )
    (role / "templates" / "parts" / "tail.j2").write_text("tail of {{ inventory_hostname }}\n")
    (role / "files" / "plain").write_text("{{ not a template }}\n")
    (role / "files" / "tree" / "a.bin").write_bytes(bytes(range(256)))
    (role / "files" / "tree" / "deep" / "b").write_text("b")
    (role / "files" / "tree" / "linked").symlink_to("../plain")
    (role / "files" / "tree" / "__pycache__" / "c.pyc").write_text("c")
    return role


@pytest.fixture
def play(role: Path, tmp_path: Path) -> Play:
    """Run tasks of the role on this machine."""

    def run(*tasks: dict[str, Any], arguments: str = "", **variables: Any) -> Done:
        (role / "tasks" / "main.yml").write_text(yaml.safe_dump(list(tasks)))
        variables = {"items_of_play": ["one", "two"], "out": str(tmp_path / "out"), **variables}
        hosts = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": variables,
            "roles": ["demo"],
        }
        (tmp_path / "play.yml").write_text(yaml.safe_dump([hosts]))
        (tmp_path / "out").mkdir(exist_ok=True)
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), *arguments.split()],
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_ROLES_PATH": str(role.parent),
                "ANSIBLE_INJECT_INVOCATION": "true",
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout + done.stderr)

    return run


def managed(*entries: dict[str, Any], name: str = "Write files", **options: Any) -> dict[str, Any]:
    return {"name": name, "managed_files": {"files": list(entries), **options}, "register": "written"}


def test_a_template_is_rendered_as_ansible_renders_it(play: Play, tmp_path: Path) -> None:
    theirs = {"src": "page.j2", "dest": "{{ out }}/theirs", "mode": "0644"}
    assert play(
        {"ansible.builtin.template": theirs}, managed({"path": "{{ out }}/ours", "template": "page.j2"})
    ).changed
    rendered = (tmp_path / "out" / "ours").read_bytes()
    assert rendered == (tmp_path / "out" / "theirs").read_bytes().replace(b"theirs", b"ours")
    assert b"  - one\n  - two\ntail of localhost" in rendered and rendered.endswith(b"a\\nb none\n\n")


def test_files_trees_and_contents_are_written_and_a_second_run_changes_nothing(
    play: Play, tmp_path: Path
) -> None:
    task = managed(
        {"path": "{{ out }}/plain", "src": "plain", "mode": "0600"},
        {"path": "{{ out }}/tree", "src": "tree/", "mode": "0640"},
        {"path": "{{ out }}/text", "content": "é {{ items_of_play | join }}\n"},
        {"path": "{{ out }}/json", "content": "{{ {'a': 1} | to_nice_json }}\n"},
        {"path": "{{ out }}/left_out", "content": "x", "when": "{{ items_of_play | length > 2 }}"},
        {"path": "{{ out }}/omitted", "content": "x", "owner": "{{ omit }}", "validate": "{{ omit }}"},
        directory_mode="0750",
    )
    assert play(task).changed == 1
    out = tmp_path / "out"
    assert (out / "plain").read_text() == "{{ not a template }}\n"
    assert (out / "text").read_text() == "é onetwo\n"
    assert json.loads((out / "json").read_text()) == {"a": 1}
    found = {str(path.relative_to(out)): oct(path.lstat().st_mode & 0o777) for path in out.rglob("*")}
    assert found == {
        "plain": "0o600",
        "tree": "0o750",
        "tree/a.bin": "0o640",
        "tree/deep": "0o750",
        "tree/deep/b": "0o640",
        "tree/linked": "0o640",
        "text": "0o644",
        "json": "0o644",
        "omitted": "0o644",
    }
    assert (out / "tree" / "a.bin").read_bytes() == bytes(range(256))
    assert not (out / "tree" / "linked").is_symlink()
    assert play(task).changed == 0


def test_an_entry_serves_for_each_key_of_a_mapping(play: Play, role: Path, tmp_path: Path) -> None:
    (role / "templates" / "timer.j2").write_text("{{ item.key }} every {{ item.value.every }}\n")
    timers = {"path": "{{ out }}/{}.timer", "template": "timer.j2", "each": "{{ timers }}"}
    tokens = {"path": "{{ out }}/{}", "each": {"token-a": "a\n", "token-b": "b\n"}, "secret": True}
    assert play(managed(timers, tokens), timers={"x": {"every": 5}, "y": {"every": 6}}).changed == 1
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {
        "x.timer": "x every 5\n",
        "y.timer": "y every 6\n",
        "token-a": "a\n",
        "token-b": "b\n",
    }
    gone = {"path": "{{ out }}/{}", "state": "absent", "each": {"token-a": "", "token-b": ""}}
    assert play(managed(gone, timers | {"each": {}})).changed == 1
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".timer"}


def test_all_of_it_takes_one_call_of_a_module(play: Play) -> None:
    entries = [{"path": f"{{{{ out }}}}/{number}", "template": "page.j2"} for number in range(5)]
    os.environ["ANSIBLE_CALLBACKS_ENABLED"] = "module_calls"
    try:
        done = play(managed(*entries, {"path": "{{ out }}/tree", "src": "tree"}))
    finally:
        del os.environ["ANSIBLE_CALLBACKS_ENABLED"]
    assert done.changed == 1
    assert "1  managed_files" in done.output and "1  demo" in done.output and "1 module calls" in done.output


def test_a_check_shows_the_differences_and_writes_nothing(play: Play, tmp_path: Path) -> None:
    task = managed(
        {"path": "{{ out }}/new/page", "content": "one\ntwo\n"},
        {"path": "{{ out }}/new", "state": "directory"},
    )
    done = play(task, arguments="--check --diff")
    assert done.changed == 1
    assert f"+++ after: {tmp_path}/out/new/page" in done.output and "+one\n+two\n" in done.output
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("arguments", ["-vvvvv --diff", "-vvvvv --diff --check"])
def test_a_secret_shows_nowhere_however_much_is_shown(play: Play, tmp_path: Path, arguments: str) -> None:
    path = tmp_path / "out" / "secret"
    path.parent.mkdir()
    path.write_text("former horse battery staple\n")
    entry = {"path": "{{ out }}/secret", "content": "{{ password }}\n", "secret": True, "mode": "0600"}
    done = play(
        managed(entry), {"ansible.builtin.debug": {"var": "written"}}, arguments=arguments, password=SECRET
    )
    assert done.changed == 1
    packed = base64.b64encode(zlib.compress(f"{SECRET}\n".encode())).decode()
    assert "horse battery staple" not in done.output and packed[10:] not in done.output
    assert '"contents": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"' in done.output
    assert "secret: the content differs, and is secret" in done.flat
    assert path.read_text() == ("former horse battery staple\n" if "--check" in arguments else f"{SECRET}\n")


def test_a_secret_shows_nowhere_when_writing_it_fails(play: Play) -> None:
    failing = {
        "path": "{{ out }}/secret",
        "content": "{{ password }}\n",
        "secret": True,
        "validate": "grep x %s /nowhere",
    }
    for entry in (failing, {"path": "/nowhere/secret", "content": "{{ password }}", "secret": True}):
        done = play(managed(entry), arguments="-vvvvv --diff", password=SECRET)
        assert done.code == 2 and "horse battery staple" not in done.output


def test_what_is_wrong_is_told_and_nothing_is_written(play: Play, role: Path, tmp_path: Path) -> None:
    (role / "templates" / "undefined.j2").write_text("{{ nobody_set_this }}\n")
    x = f"{tmp_path}/out/x"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"path": x, "template": "absent.j2"}, f"What {x} is made from is not there: "),
        ({"path": x, "src": "absent"}, f"What {x} is made from is not there: "),
        ({"path": x}, f"{x} needs one of template, src and content."),
        ({"path": x, "src": "plain", "content": "x"}, f"{x} needs one of template, src and content."),
        ({"path": x, "state": "absent", "content": "x"}, f"{x} is no file, so that it can have no content."),
        ({"path": x, "content": {"a": 1}}, f"The content of {x} is no text; `| to_nice_json` makes it one."),
        ({"path": x, "content": "x", "each": ["a"]}, f"What {x} is made for each of is no mapping."),
        ({"content": "x"}, "managed_files needs `files`, a list of entries with a path each."),
        (
            {"path": x, "content": "x", "dest": x},
            "Unsupported parameters for (managed_files) module: files.dest",
        ),
        ({"path": x, "template": "undefined.j2"}, "'nobody_set_this' is undefined"),
    ]
    done = play(*(managed(entry) | {"ignore_errors": True} for entry, _ in wrong))
    results = done.flat.split("TASK [demo : Write files]")[1:]
    untold = [sentence for (_, sentence), said in zip(wrong, results, strict=True) if sentence not in said]
    assert untold == [], done.output
    assert list((tmp_path / "out").iterdir()) == []
