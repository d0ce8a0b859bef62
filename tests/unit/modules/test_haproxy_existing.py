"""haproxy_existing: whose a configuration is, and that a copy of the household's stays."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hal.network.authority import Authority

HOUSEHOLD = """\
# Ansible managed
frontend web
    bind *:80
    bind 192.0.2.1:443 ssl crt /etc/ssl/home
    acl cloud hdr(host) -i cloud.example.org files.example.org
    use_backend cloud if cloud
    use_backend chat if { req.hdr(host) -i chat.example.org }
    use_backend %[req.hdr(host),lower,map(MAP,chat)]

listen stats
    bind :8404
"""


@pytest.fixture
def look(tmp_path: Path, run_module: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs the module on haproxy.cfg and default in the test's directory."""

    def run(*, check: bool = False, **arguments: Any) -> Any:
        places = {"path": str(tmp_path / "haproxy.cfg"), "defaults_path": str(tmp_path / "default")}
        return run_module("haproxy_existing", places | arguments, check=check)

    return run


@pytest.fixture
def household(tmp_path: Path) -> Path:
    """Write a household's configuration with a map and a directory that the service's options name."""
    (tmp_path / "hosts.map").write_text("wiki.example.org wiki\n")
    main = tmp_path / "haproxy.cfg"
    main.write_text(HOUSEHOLD.replace("MAP", str(tmp_path / "hosts.map")))
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/more.cfg").write_text("backend more\n")
    (tmp_path / "conf.d/more.txt").write_text("not read\n")
    (tmp_path / "default").write_text(f'#CONFIG="/x"\nEXTRAOPTS="-S /run/a.sock -f {tmp_path}/conf.d"\n')
    return main


def test_there_is_nothing_on_a_new_host(look: Callable[..., Any]) -> None:
    told = look()
    assert (told["owner"], told["configuration"], told["unknown"]) == ("nobody", [], [])


@pytest.mark.parametrize(
    "mark", ["HAL network writes this file.", "A reload keeps old sessions, but not for ever."]
)
def test_the_projects_own_file_is_known_by_its_mark(
    look: Callable[..., Any], tmp_path: Path, mark: str
) -> None:
    (tmp_path / "haproxy.cfg").write_text(f"# Ansible managed\n# {mark}\n")
    assert look()["owner"] == "hal"


def test_the_packages_file_is_nobodys_work(
    look: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = tmp_path / "haproxy.cfg"
    main.write_text("global\n    daemon\n")
    brought = hashlib.md5(main.read_bytes()).hexdigest()
    command = tmp_path / "dpkg-query"
    command.write_text(f"#!/bin/sh\necho ' {main} {brought}'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert look()["owner"] == "package"
    main.write_text("global\n    daemon\n    maxconn 9\n")
    assert look()["owner"] == "household"


def test_a_persons_file_is_named_with_what_it_serves(look: Callable[..., Any], household: Path) -> None:
    told = look()
    assert told["owner"] == "household"
    assert told["unknown"] == [str(household), str(household.parent / "conf.d/more.cfg")]
    assert told["summary"] == (
        "web on *:80 and 192.0.2.1:443, stats on :8404; "
        "the names cloud.example.org, files.example.org, chat.example.org"
    )
    assert told["maps"] == {str(household.parent / "hosts.map"): "wiki.example.org wiki\n"}


def test_what_was_adopted_is_known_until_somebody_changes_it(
    look: Callable[..., Any], household: Path
) -> None:
    sums = [file["sha256"] for file in look()["configuration"]]
    assert look(adopted=sums)["unknown"] == []
    household.write_text(household.read_text() + "\nbackend new\n")
    assert look(adopted=sums)["unknown"] == [str(household)]


def test_the_copy_is_made_once_and_never_overwritten(look: Callable[..., Any], household: Path) -> None:
    household.chmod(0o640)
    before = household.read_text()
    assert look(state="kept", check=True)["changed"] is True
    copy = household.with_name("haproxy.cfg.before-hal")
    assert not copy.exists()
    assert look(state="kept")["changed"] is True
    assert copy.read_text() == before and copy.stat().st_mode & 0o777 == 0o640
    household.write_text("global\n")
    assert look(state="kept")["changed"] is False
    assert copy.read_text() == before


def test_a_link_is_kept_as_one_and_the_file_that_it_leads_to_as_it_was(
    look: Callable[..., Any], household: Path
) -> None:
    theirs = household.parent / "more.cfg"
    theirs.write_text("backend theirs\n")
    link = household.parent / "conf.d/more.cfg"
    link.unlink()
    link.symlink_to(theirs)
    assert look(state="merged")["changed"] is True
    assert "backend" not in link.read_text() and theirs.read_text() == "backend theirs\n"
    assert link.with_name("more.cfg.before-hal").readlink() == theirs


def test_what_is_read_beside_the_main_file_is_emptied_once_that_has_its_sections(
    look: Callable[..., Any], household: Path
) -> None:
    main, more = household.read_text(), household.parent / "conf.d/more.cfg"
    assert look(state="merged")["changed"] is True
    assert household.read_text() == main
    assert "backend" not in more.read_text()
    assert more.with_name("more.cfg.before-hal").read_text() == "backend more\n"
    household.write_text("# HAL network writes this file.\n")
    told = look(state="merged")
    assert (told["changed"], told["owner"]) == (False, "hal")


def test_the_ports_of_every_bind_are_told(look: Callable[..., Any], tmp_path: Path) -> None:
    binds = ["bind :80,:::8080 v4v6", "bind 192.0.2.1:443 ssl crt /etc/ssl/home", "bind *:6000-6002"]
    binds += ["bind /run/haproxy.sock", "bind abns@inner accept-proxy", "# bind :81"]
    (tmp_path / "haproxy.cfg").write_text("frontend web\n" + "".join(f"    {one}\n" for one in binds))
    assert look()["ports"] == [80, 443, 6000, 6001, 6002, 8080]


MINIMAL = "defaults\n  mode http\n  timeout client 1s\n  timeout connect 1s\n  timeout server 1s\n"


@pytest.mark.parametrize(
    ("configuration", "defaults", "said"),
    [
        ("frontend a\n  bind 127.0.0.1:9\n", "", ""),
        ("frontend a\n  bind 127.0.0.1:${PORT}\n", "export PORT='9' # the household's\n", ""),
        ("frontend a\n  bind 127.0.0.1:9 ssl crt KEYLESS\n", "", "No Private Key found"),
        (
            "frontend a\n  bind 127.0.0.1:9\n  default_backend b\n",
            "",
            "unable to find required default_backend",
        ),
        ("frontnd a\n", "", "unknown keyword 'frontnd'"),
    ],
    ids=["right", "with variables", "no key", "no back end", "a slip"],
)
@pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)")
def test_haproxy_itself_says_what_it_does_not_accept(
    look: Callable[..., Any], tmp_path: Path, configuration: str, defaults: str, said: str
) -> None:
    keyless = tmp_path / "keyless.pem"
    keyless.write_bytes(Authority.create("Household").pem)
    text = MINIMAL + configuration.replace("KEYLESS", str(keyless))
    (tmp_path / "haproxy.cfg").write_text(text)
    (tmp_path / "default").write_text(defaults)
    fault = look()["fault"]
    assert said in fault and bool(said) == bool(fault)
    assert look(program="no-haproxy")["fault"] == ""


def refused(look: Callable[..., Any]) -> str:
    """Return why the module fails."""
    with pytest.raises(Exception) as failure:
        look()
    message: str = failure.value.result["msg"]
    return message


def test_a_file_that_the_options_name_and_nobody_has_is_told(
    look: Callable[..., Any], household: Path
) -> None:
    default = household.with_name("default")
    default.write_text(f'EXTRAOPTS="-f {household.parent}/gone.cfg"\n')
    message = refused(look)
    assert f"has HAProxy read {household.parent}/gone.cfg, which is not there" in message
    assert message.endswith("Nothing was changed.")


def test_a_configuration_that_is_read_instead_of_this_one_is_told(
    look: Callable[..., Any], household: Path
) -> None:
    other = household.with_name("other.cfg")
    other.write_text("frontend web\n    bind :80\n")
    household.with_name("default").write_text(f"CONFIG={other}\n")
    assert f"has HAProxy read {other} instead of {household}" in refused(look)
    household.with_name("default").write_text(f'CONFIG="{household} -f {other}"\n')
    assert look()["unknown"] == [str(household), str(other)]


def test_of_a_directory_what_haproxy_reads_is_read_and_of_an_option_the_last(
    look: Callable[..., Any], household: Path
) -> None:
    (household.parent / "conf.d/.hidden.cfg").write_text("backend hidden\n")
    (household.parent / "old.cfg").write_text("backend old\n")
    default = household.with_name("default")
    default.write_text(f"EXTRAOPTS='-f {household.parent}/old.cfg'\n{default.read_text()}")
    assert look()["unknown"] == [str(household), str(household.parent / "conf.d/more.cfg")]
    default.write_text(f"CONFIG={household.parent}\n")
    assert look()["unknown"] == [str(household), str(household.parent / "old.cfg")]


@pytest.mark.parametrize(
    "line",
    [
        "ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -f {extra} -p $PIDFILE $EXTRAOPTS",
        "ExecStart=/usr/sbin/haproxy -Ws \\\n  -f $CONFIG -- {extra}",
        'Environment="CONFIG={extra}" "PIDFILE=/run/haproxy.pid"',
        'Environment="EXTRAOPTS=-S /run/haproxy-master.sock -f {extra}"',
    ],
)
def test_a_unit_that_has_haproxy_read_something_else_is_told(
    look: Callable[..., Any], household: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr("haproxy_existing.UNIT", tmp_path / "haproxy.service")
    (tmp_path / "haproxy.service.d").mkdir()
    override = tmp_path / "haproxy.service.d/override.conf"
    extra = tmp_path / "extra.cfg"
    extra.write_text("backend extra\n")
    override.write_text("[Service]\nExecStart=\n" + line.format(extra=extra) + "\n")
    said = refused(look)
    assert said.startswith(f"{override} has HAProxy read {extra}, ") and said.endswith("Nothing was changed.")
    override.write_text(
        "[Service]\nExecStart=\nExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -L me $EXTRAOPTS\n"
    )
    assert look()["owner"] == "household"


def test_what_stands_after_two_dashes_is_read(
    look: Callable[..., Any], household: Path, tmp_path: Path
) -> None:
    (tmp_path / "default").write_text(f'EXTRAOPTS="-S /run/a.sock -- {tmp_path}/conf.d"\n')
    assert [Path(file["path"]).name for file in look()["configuration"]] == ["haproxy.cfg", "more.cfg"]


def test_a_page_of_errors_is_told_if_a_person_changed_it(look: Callable[..., Any], household: Path) -> None:
    page, elsewhere = household.parent / "errors/503.http", household.with_name("503.http")
    page.parent.mkdir()
    for path in (page, elsewhere):
        path.write_text("HTTP/1.0 503 Away\n\n")
    household.write_text(f"defaults\nerrorfile 503 {page}\nerrorfile 504 {elsewhere}\n")
    assert look()["maps"] == {str(page): page.read_text()}


def test_lines_are_read_whatever_space_stands_before_them(look: Callable[..., Any], household: Path) -> None:
    household.write_text("  frontend web\nbind\t:81\n  backend b\n\tlisten stats\n bind :82\n")
    told = look()
    assert (told["ports"], told["summary"]) == ([81, 82], "web on :81, stats on :82")
