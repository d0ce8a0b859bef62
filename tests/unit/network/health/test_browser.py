"""The page in a browser: on a phone and on a computer, with nothing from outside, whatever a service said."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from tests.unit.network.health.browser import BROWSERS, DRIVER, Browser, browser
from tests.unit.network.health.conftest import HOSTILE, check, drill, report

pytestmark = pytest.mark.slow

PHONE, COMPUTER = (390, 844), (1200, 900)
TIME_OF_A_CLOSED_FLOW = "2\N{NARROW NO-BREAK SPACE}003"


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    if not shutil.which(DRIVER) or not any(map(shutil.which, BROWSERS)):
        reason = f"{DRIVER} and one of {BROWSERS} are needed: run `lab/bootstrap.sh --for-tests`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(params=[PHONE, COMPUTER], ids=["phone", "computer"])
def window(request, tmp_path):
    with browser(tmp_path / "profile", *request.param) as made:
        yield made


@pytest.fixture
def phone(tmp_path):
    with browser(tmp_path / "profile", *PHONE) as made:
        yield made


def assert_fits(window: Browser) -> None:
    width = window.ask("width")
    assert width["page"] <= width["screen"], width["beyond"]
    assert width["beyond"] == []


def opened(window: Browser, page: str) -> None:
    """Load a page and see that it asked for nothing else and that nothing was wrong."""
    window.open(Path(page))
    assert window.requests() == [Path(page).resolve().as_uri()]
    assert window.console() == []


def test_a_page_with_everything_fits_and_needs_nothing_but_itself(window, write, tmp_path):
    for number in range(12):
        write(report(seconds=5 + number % 3))
    for each in (
        drill("ubuai"),
        drill("haproxy", faults=["Recovery took 200 s; less than 180 s is demanded."]),
    ):
        each.write(tmp_path / "reports")
    down = check(
        "speech", "ubuai", "qm1", ok=False, message="refused the connection", remedy="start hal-speech"
    )
    opened(window, write(report(down)).page)
    assert_fits(window)
    for text in ("1 of 5 checks failed", "speech on ubuai", "start hal-speech", "Recovery took 200 s"):
        assert window.ask("seen", text), text
    for selector in (
        "figure.drawing > svg",
        "svg.bars",
        "svg.bars rect",
        ".failed svg.spark",
        ".failed .cross",
    ):
        boxes = window.ask("boxes", selector)
        assert boxes and all(min(box) > 0 for box in boxes), selector


def test_a_host_that_is_well_opens_with_a_click_and_with_it_its_closed_flows(phone, write):
    opened(phone, write(report()).page)
    assert phone.ask("seen", "All is well")
    assert not phone.ask("seen", "gateway answered")
    phone.click("#checks > details:first-of-type > summary")
    assert phone.ask("seen", "gateway answered") and not phone.ask("seen", TIME_OF_A_CLOSED_FLOW)
    phone.click("#checks details details > summary")
    assert phone.ask("seen", TIME_OF_A_CLOSED_FLOW)
    assert_fits(phone)


def test_a_host_with_a_failure_is_open_from_the_start(phone, write):
    opened(phone, write(report(check("tts", "ubuai", "qm1", ok=False, message="spoke nothing"))).page)
    assert phone.ask("unfolded") == [
        True,
        False,
    ]
    assert phone.ask("seen", "speech answered")


def test_what_a_hostile_service_says_is_only_shown(phone, write, tmp_path):
    (tmp_path / "reports").mkdir()
    drill("ubuai", faults=[HOSTILE]).write(tmp_path / "reports")
    said = {"message": HOSTILE + "x" * 5000, "remedy": HOSTILE, "version": HOSTILE, "ok": False}
    opened(phone, write(report(check(HOSTILE, HOSTILE, HOSTILE, **said))).page)
    assert phone.ask("title").startswith("✕ HAL network")
    assert phone.ask("seen", HOSTILE)
    assert phone.ask("active") == 0
    assert_fits(phone)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_can_be_read_in_both_colours(write, tmp_path, dark):
    drill("ubuai").write(tmp_path / "reports")
    page = write(report(check("tts", "ubuai", "qm1", ok=False, message="spoke nothing"))).page
    with browser(tmp_path / "profile", *PHONE, dark=dark) as window:
        opened(window, page)
        assert window.ask("dark") is dark
        window.ask("unfold")
        assert window.ask("faint") == []


def test_the_browser_would_tell_of_a_page_that_is_wrong(phone, write, tmp_path):
    """The tests above look for what is not there: here is all of it."""
    page = tmp_path / "wrong.html"
    good = write(report()).page.read_text()
    bad = re.sub("<meta http-equiv[^>]*>", "", good).replace(
        "<main>", "<main><div style=width:900px>wide</div>"
    )
    page.write_text(
        bad.replace("</main>", "<img src=http://198.18.0.1/x><script>undefined_name</script></main>")
    )
    phone.open(page)
    assert "http://198.18.0.1/x" in phone.requests()
    assert any("undefined_name" in message for message in phone.console())
    assert phone.ask("width")["page"] > PHONE[0]
