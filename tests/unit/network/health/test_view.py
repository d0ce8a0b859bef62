"""The page as text: complete, the same every time, and with nothing of what a service said in its markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from tests.unit.network.health.conftest import HOSTILE, check, drill, report

from hal.network.health import view


class Elements(HTMLParser):
    """What a page is made of: its tags with attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def page(write, tmp_path):
    def make(made) -> str:
        return write(made).page.read_text()

    return make


def test_hosts_with_failures_come_first_and_closed_flows_are_apart():
    made = view.hosts(report(check("tts", "ubuai", "qm1", ok=False))["checks"])
    assert [(entry["host"], entry["failed"], entry["count"]) for entry in made] == [
        ("ubuai", 1, 2),
        ("qm1", 0, 3),
    ]
    assert [name for name, _ in made[1]["shown"]] == ["gateway"]
    assert [name for name, _ in made[1]["closed"]] == ["listener"]


def test_a_flow_that_should_be_open_and_is_closed_is_no_closed_flow():
    [entry] = view.hosts([check("speech", "ubuai", "qm1", ok=False, message="closed")])
    assert entry["shown"] and not entry["closed"]


@pytest.mark.parametrize(
    ("past", "lines", "crosses", "text"),
    [
        ([10.0], ["4,4 4,4"], 0, "1 run: 10.0 ms"),
        ([0.0], ["4,20 4,20"], 0, "1 run: 0.0 ms"),
        ([5.0, 10.0, 0.0], ["4,12 60,4 116,20"], 0, "3 runs: 0.0 to 10.0 ms"),
        ([5.0, None, 10.0], ["4,12 4,12", "116,4 116,4"], 1, "3 runs: 5.0 to 10.0 ms, 1 failed"),
        ([None, None], [], 2, "2 runs: none passed, 2 failed"),
    ],
)
def test_timings_are_drawn_from_zero_with_a_cross_for_each_failure(past, lines, crosses, text):
    made = view.spark(past)
    assert (made.lines, len(made.crosses), made.text) == (lines, crosses, text)


def test_runs_are_drawn_by_their_seconds():
    runs = [
        {"at": "2026-03-11T09:30:00", "ok": not failed, "seconds": seconds, "checks": 4, "failed": failed}
        for seconds, failed in ((5.0, 0), (10.0, 2), (0.0, 0))
    ]
    made = view.bars(runs)
    assert [bar["height"] for bar in made["bars"]] == [50, 100, 1]
    assert made["bars"][1]["text"] == "2026-03-11 09:30 UTC: 10.0 s, 2 failed"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-03-11T09:30:00", "2026-03-11 09:30 UTC"),
        ("2026-03-11T09:30:00+02:00", "2026-03-11 07:30 UTC"),
        ("yesterday", "yesterday"),
    ],
)
def test_times_are_utc(at, said):
    assert view.moment(at) == said


def test_nothing_that_was_said_becomes_markup(page, tmp_path):
    (tmp_path / "reports").mkdir()
    drill(HOSTILE.replace("/", "|"), faults=[HOSTILE], at=HOSTILE, rto_s=HOSTILE).write(tmp_path / "reports")
    fields = {"message": HOSTILE, "remedy": HOSTILE, "version": HOSTILE, "ok": False}
    made = page(report(check(HOSTILE, HOSTILE, HOSTILE, **fields), network=HOSTILE, at=HOSTILE))
    elements = Elements(made)
    tags = {tag for tag, _ in elements.tags}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "embed", "form", "base"})
    assert not [name for _, attributes in elements.tags for name in attributes if name.startswith("on")]
    assert "".join(elements.text).count("document.title='owned'") >= 8


def test_the_page_names_nothing_outside_itself(page):
    elements = Elements(page(report()))
    addresses = [
        value
        for _, attributes in elements.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data")
    ]
    assert addresses == ["data:,"]


def test_the_same_report_gives_the_same_page(page, tmp_path):
    first = page(report())
    (tmp_path / "reports/health-history.jsonl").unlink()
    assert page(report()) == first


def test_what_was_left_out_is_said(page, tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/drill-x.json").write_text("[]")
    assert "Note: drill-x.json holds no drill" in page(report())
