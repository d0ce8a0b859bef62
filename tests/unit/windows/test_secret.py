"""The search for secrets: one is found however it is written."""

import base64
import json

import pytest
from simulator.secret import Secret

SECRET = Secret("the token", "correct-horse/battery+staple")


@pytest.mark.parametrize(
    "written",
    [
        SECRET.value,
        f'{{"password": "{SECRET.value}"}}',
        base64.b64encode(SECRET.value.encode()).decode(),
        base64.b64encode(f"user:{SECRET.value}".encode()).decode(),
        base64.b64encode(f"$p = '{SECRET.value}'".encode("utf-16-le")).decode(),
        json.dumps({"environment": SECRET.value}),
    ],
)
def test_a_secret_is_found_however_it_is_written(written):
    assert SECRET.is_in(f"x {written} y")


def test_what_holds_another_secret_is_not_taken_for_it():
    assert not SECRET.is_in("correct-horse")
