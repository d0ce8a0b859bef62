"""production/pins: what GitHub's releases tell, and which answers tell nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from production.pins.finding import State
from production.pins.web import Web
from tests.unit.artifacts.publishers import (
    GITHUB,
    NEW,
    NEW_NAME,
    PINNED,
    PINNED_NAME,
    REST,
    LookUp,
    Publishers,
    digest,
    release,
)


def test_a_newer_release_is_found_with_the_checksum_that_is_published(rest_server: LookUp) -> None:
    finding = rest_server([NEW, PINNED])
    assert (finding.state, finding.told) == (State.NEWER, "0.14.0 becomes 0.15.1")
    assert finding.changes == {
        ("version",): "0.15.1",
        ("url",): f"https://github.com/{REST}/releases/download/v0.15.1/{NEW_NAME}",
        ("checksum",): f"sha256:{digest(NEW_NAME)}",
    }


@pytest.mark.parametrize(
    "other",
    [
        {"prerelease": True},
        {"draft": True},
        {"tag_name": "v0.15.1-rc1"},
        {"tag_name": "nightly"},
        {"tag_name": "0.15.1"},
    ],
    ids=["preview", "draft", "release candidate", "no version", "another kind of tag"],
)
def test_a_release_that_is_no_stable_one_is_passed_over(rest_server: LookUp, other: dict[str, Any]) -> None:
    finding = rest_server([NEW | other, PINNED])
    assert (finding.state, finding.told) == (State.CURRENT, "0.14.0")


def test_the_newest_release_is_the_one_of_the_highest_version_not_the_latest_published(
    rest_server: LookUp,
) -> None:
    late = release(REST, "0.9.12", "rest-server_0.9.12_linux_amd64.tar.gz")
    assert rest_server([late, PINNED, NEW]).told == "0.14.0 becomes 0.15.1"


@pytest.mark.parametrize("missing", [None, ""])
def test_a_release_without_a_checksum_is_left_to_a_person(rest_server: LookUp, missing: str | None) -> None:
    new = json.loads(json.dumps(NEW))
    new["assets"][0]["digest"] = missing
    finding = rest_server([new, PINNED])
    assert (finding.state, finding.changes) == (State.UNKNOWN, {})
    assert finding.told == (
        f"0.15.1 is published without a checksum of {NEW_NAME}, and 0.14.0 is pinned; "
        f"a person looks at https://github.com/{REST}/releases."
    )


def test_a_release_without_the_file_is_left_to_a_person(rest_server: LookUp) -> None:
    finding = rest_server([release(REST, "0.15.1", "another.zip"), PINNED])
    assert finding.state == State.UNKNOWN and "without a checksum" in finding.told


def test_a_file_at_an_address_of_somebody_else_is_not_the_file(rest_server: LookUp) -> None:
    new = json.loads(json.dumps(NEW))
    new["assets"][0]["browser_download_url"] = f"https://example.com/{NEW_NAME}"
    assert rest_server([new, PINNED]).state == State.UNKNOWN


def test_a_file_that_was_replaced_under_its_version_is_told(rest_server: LookUp) -> None:
    pinned = json.loads(json.dumps(PINNED))
    pinned["assets"][0]["digest"] = f"sha256:{digest('other')}"
    finding = rest_server([pinned])
    assert finding.state == State.UNKNOWN
    assert finding.told.startswith(
        "0.14.0 is the newest version, and the checksum that is published of it is not"
    )


@pytest.mark.parametrize(
    "listed", [[], [release(REST, "0.13.0", PINNED_NAME.replace("14", "13"))]], ids=["none", "an older one"]
)
def test_where_nothing_as_new_is_listed_nothing_is_concluded(rest_server: LookUp, listed: list[Any]) -> None:
    finding = rest_server(listed)
    assert finding.state == State.UNKNOWN
    assert finding.told.startswith("The newest release listed is ")


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "Not Found"},
        [1],
        None,
        [{"tag_name": None}],
        [NEW | {"assets": "none"}],
        [NEW | {"assets": [{"browser_download_url": "x", "digest": "md5:00"}]}],
    ],
)
def test_an_answer_of_another_form_is_no_answer(
    rest_server: LookUp, publishers: Publishers, answer: Any
) -> None:
    publishers.say(GITHUB.format(REST), answer)
    finding = rest_server()
    assert (finding.state, finding.told) == (
        State.UNKNOWN,
        "api.github.com answers in another form than it documents.",
    )


def test_an_answer_that_is_no_json_is_no_answer(rest_server: LookUp, publishers: Publishers) -> None:
    for content in ("<html>log in to the hotel's network</html>", "[" * 100_000):
        publishers.say(GITHUB.format(REST), content)
        finding = rest_server()
        assert finding.told == "api.github.com answers with something that is no JSON."
        assert finding.state == State.UNKNOWN


def test_a_redirect_is_not_followed(rest_server: LookUp, publishers: Publishers) -> None:
    publishers.say("/moved", [NEW])
    publishers.say(GITHUB.format(REST), "", 301, Location=f"{publishers.url}/moved")
    finding = rest_server()
    assert finding.state == State.UNKNOWN
    assert (
        finding.told
        == "api.github.com names another address instead of an answer (301), which is not followed."
    )
    assert "/moved" not in publishers.asked


def test_when_a_source_takes_no_more_questions_it_is_said_until_when(
    rest_server: LookUp, publishers: Publishers
) -> None:
    limit = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1796007600"}
    publishers.say(GITHUB.format(REST), {"message": "API rate limit exceeded"}, 403, **limit)
    finding = rest_server()
    when = time.strftime("%H:%M", time.localtime(1796007600))
    assert finding.state == State.UNKNOWN
    assert finding.told == f"api.github.com takes no more questions from this address before {when} (403)."


@pytest.mark.parametrize(
    ("code", "told"), [(429, "takes no more questions"), (403, "answers with 403"), (500, "500")]
)
def test_a_refusal_is_no_answer(rest_server: LookUp, publishers: Publishers, code: int, told: str) -> None:
    publishers.say(GITHUB.format(REST), {"message": "no"}, code, x_ratelimit_reset="soon")
    finding = rest_server()
    assert finding.state == State.UNKNOWN and told in finding.told


def test_a_slow_source_is_given_up_in_time(rest_server: LookUp, publishers: Publishers) -> None:
    publishers.pace = 0.1
    began = time.monotonic()
    finding = rest_server([NEW, PINNED], seconds=0.5)
    assert time.monotonic() - began < 5
    assert finding.told == "api.github.com cannot be reached: no whole answer within 0.5 s."
    assert finding.state == State.UNKNOWN


def test_an_endless_answer_is_given_up(rest_server: LookUp) -> None:
    assert (
        rest_server([NEW, PINNED], most_bytes=100).told == "api.github.com answers with more than 100 bytes."
    )


def test_a_source_that_cannot_be_reached_is_asked_once() -> None:
    web = Web({"https://api.github.com": "http://127.0.0.1:9"})
    told = set()
    for path in ("/one", "/two"):
        with pytest.raises(
            Exception, match=r"^api.github.com cannot be reached: Connection refused\.$"
        ) as error:
            web.read(f"https://api.github.com{path}")
        told.add(str(error.value))
    assert len(told) == 1


def test_what_would_be_asked_in_clear_is_not_asked() -> None:
    with pytest.raises(Exception, match="is asked through https:// alone"):
        Web().read("http://127.0.0.1:9/")
