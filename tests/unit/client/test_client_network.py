"""`hal status` and the report of the whole network, as the playbook writes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.unit.network.health.conftest import check, diagram, drill, report, write  # noqa: F401

from hal.client.network import spark
from hal.client.report import ReportError, parse_report

DOWN = {"ok": False, "message": "refused the connection: start hal-speech", "remedy": "start hal-speech"}


@pytest.fixture
def checkout(tmp_path, write):  # noqa: F811
    """The current directory of `hal` as a checkout, in which reports are written with `checkout(...)`."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/verify.yml").touch()
    return write


async def test_the_report_of_the_checkout_is_shown_beside_what_is_checked_from_here(gateway, hal, checkout):
    fake = await gateway()
    checkout(report(at=datetime.now(UTC).isoformat()))
    done = await hal("status", "--url", fake.url)
    assert done.code == 0
    for text in ("connected and greeted", "The network lab: all 4 checks passed, just now, in 8.2 s."):
        assert text in done.out
    assert "That is old" not in done.out


async def test_without_a_gateway_the_report_alone_is_shown_and_what_failed_first(hal, checkout, tmp_path):
    for seconds in (5, 11.94):
        checkout(report(seconds=seconds))
    drill("ubuai", rto_s=88.4, faults=["It lost data."]).write(tmp_path / "reports")
    checkout(report(check("speech", "ubuai", "mac", **DOWN), seconds=6))
    done = await hal("status")
    lines = done.out.splitlines()
    assert done.code == 1 and not done.err
    assert lines[0].startswith("The network lab: 1 of 5 checks failed, ") and lines[1].startswith(
        "That is old"
    )
    assert lines[2:5] == [
        "FAILED speech on ubuai, seen from mac",
        "  refused the connection",
        "  What to do: start hal-speech",
    ]
    rows = [line.split() for line in lines]
    assert ["mac", "3", "ok", "1", "failed"] in rows and ["qm1", "-", "1", "ok"] in rows
    assert ["mac", "gateway", "on", "qm1", "1400", "███"] in rows
    assert "Runs, the newest last: ▄█✕  5.0 to 11.9 s, 1 of 3 with failures." in lines
    assert ["healthy", "(RTO)", "88.4", "s"] in rows and lines[-1] == "drill of ubuai: It lost data."
    assert "listener" not in done.out


async def test_every_check_is_listed_on_demand(hal, checkout):
    checkout(report())
    done = await hal("status", "--all")
    assert [line.split()[:5] for line in done.out.splitlines() if "listener" in line] == [
        ["qm1", "listener", "mac", "ok", "2003.0"]
    ]


async def test_the_report_can_be_named_by_file_directory_variable_and_pipe(hal, write, tmp_path):  # noqa: F811
    write(report(network="production"))
    file = tmp_path / "reports/health.json"
    ways = [
        hal("status", "--report", file),
        hal("status", "--report", file.parent),
        hal("status", HAL_HEALTH_REPORT=str(file)),
        hal("status", "--report", "-", stdin=file.read_text()),
    ]
    for way in ways:
        assert (await way).out.startswith("The network production: all 4 checks passed")


async def test_json_holds_the_whole_report(gateway, hal, checkout, tmp_path):
    fake = await gateway()
    alone = json.loads((await hal("status", "--json", "--url", fake.url)).out)
    assert alone["ok"] and alone["network"] is None
    checkout(report(check("speech", "ubuai", "mac", **DOWN)))
    done = await hal("status", "--json", "--url", fake.url)
    both = json.loads(done.out)
    assert done.code == 1 and not both["ok"] and all(each["ok"] in (True, None) for each in both["checks"])
    assert both["network"] == json.loads((tmp_path / "reports/health.json").read_text())


async def test_a_gateway_out_of_reach_weighs_more_than_a_failed_check(hal, checkout):
    checkout(report(check("speech", "ubuai", "mac", **DOWN)))
    done = await hal("status", "--url", "ws://127.0.0.1:1")
    assert done.code == 3 and "FAILED speech on ubuai" in done.out


async def test_a_report_elsewhere_than_in_a_checkout_is_not_taken(hal, write):  # noqa: F811
    write(report())
    done = await hal("status")
    assert done.code == 2 and "No gateway is set" in done.err


async def test_a_report_that_cannot_be_read_is_a_sentence(gateway, hal, checkout, tmp_path):
    missing = await hal("status", "--report", "none.json")
    assert missing.code == 2 and "Cannot read the report none.json: No such file" in missing.err
    checkout(report())
    (tmp_path / "reports/health.json").write_text("{}")
    named = await hal("status", "--report", "reports")
    assert named.code == 2 and "reports/health.json is no report of the checks: run" in named.err
    found = await hal("status", "--url", (await gateway()).url)
    assert found.code == 0 and "is no report of the checks" in found.err


@pytest.mark.parametrize(
    "change",
    [
        {"at": "yesterday"},
        {"at": None},
        {"ok": "yes"},
        {"seconds": True},
        {"checks": {}},
        {"checks": [1]},
        {"checks": [{"name": "x"}]},
        {"runs": [{"at": "x", "ok": True, "seconds": "8", "failed": 0}]},
        {"drills": None},
    ],
)
def test_what_is_no_report_is_refused(write, tmp_path, change):  # noqa: F811
    write(report())
    good = json.loads((tmp_path / "reports/health.json").read_text())
    assert parse_report(json.dumps(good).encode(), "x").ok
    with pytest.raises(ReportError, match="x is no report"):
        parse_report(json.dumps(good | change).encode(), "x")


async def test_a_terminal_is_not_made_to_obey_what_a_service_said(hal, checkout, tmp_path):
    said = "\x1b]0;owned\x07[red]red[/red]"
    checkout(report(check("speech", "ubuai", "mac", **DOWN | {"message": said, "remedy": said + "2"})))
    drill("ubuai", faults=[said], at=said).write(tmp_path / "reports")
    checkout(report(check("speech", said, said, **DOWN | {"message": said, "version": said})))
    done = await hal("status", "--all")
    assert "\x1b" not in done.out and "\x07" not in done.out
    assert "]0;owned[red]red[/red]" in done.out


async def test_a_terminal_without_unicode_shows_no_bars(hal, checkout):
    checkout(report())
    done = await hal("status", PYTHONIOENCODING="ascii")
    assert done.code == 0 and done.out.isascii() and "Runs, the newest last: 8.2 to 8.2 s" in done.out


@pytest.mark.parametrize(
    ("past", "drawn"),
    [
        ([], ""),
        ([0], "▁"),
        ([5.0], "█"),
        ([0, 5, 10], "▁▅█"),
        ([None, 1], "✕█"),
        (["x"], "✕"),
        ([1] * 50, "█" * 20),
    ],
)
def test_timings_are_bars_from_zero_on(past, drawn):
    assert spark(past) == drawn
