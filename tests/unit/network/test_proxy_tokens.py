"""The proxy takes tokens before what asks for none itself, as the gateway does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.network.proxied import SITE, Proxy, ask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)"),
]
TRUSTED, STRANGER, GUESSER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
TOKEN, ALLOWED = "token-of-the-kitchen-tablet", 20
AUDIO = "/v1/audio/speech"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    variables = {
        "haproxy_token_paths": ["/v1/audio/"],
        "haproxy_tokens": {"kitchen": TOKEN, "mac": "another"},
        "haproxy_trusted_networks": [f"{TRUSTED}/32"],
        "haproxy_address_wrong_tokens": ALLOWED,
        "haproxy_unlimited_sources": ["127.0.0.1"],
    }
    with Proxy(tmp_path_factory.mktemp("proxy"), **variables).served() as served:
        yield served


@pytest.fixture
def said(proxy: Proxy) -> Callable[..., dict[str, Any]]:
    """Return what is answered to a request from an address, with a header if one is given."""

    def asked(source: str, authorization: str | None = None, path: str = AUDIO, name: str = "haproxy"):
        headers = {} if authorization is None else {"Authorization": authorization}
        return ask(proxy.tls, name, path, tls=True, source=source, headers=headers, attempts=1)

    return asked


@pytest.mark.parametrize(
    ("source", "authorization"),
    [
        (STRANGER, f"Bearer {TOKEN}"),
        (TRUSTED, None),
        (TRUSTED, f"Bearer {TOKEN}"),
        (STRANGER, "bearer another"),
    ],
)
def test_a_known_token_or_a_trusted_network_is_enough_and_no_token_goes_further(said, source, authorization):
    answer = said(source, authorization)
    assert answer["status"] == 200 and json.loads(answer["body"])["who"] == "speech"
    assert "authorization" not in answer["body"].lower()


@pytest.mark.parametrize(
    ("source", "authorization", "sentence"),
    [
        (STRANGER, None, "This network needs a token: send the header 'Authorization: Bearer <token>'."),
        (TRUSTED, "Bearer wrong", "This token is not known: ask the administrator for a new one."),
        (TRUSTED, f"Basic {TOKEN}", "This token is not known"),
    ],
)
def test_all_else_is_refused_with_a_sentence(said, source, authorization, sentence):
    answer = said(source, authorization)
    assert answer["status"] == 401 and answer["body"].startswith(sentence)
    assert dict(answer["headers"])["www-authenticate"].startswith("Bearer")


def test_unknown_tokens_are_limited_for_each_address_whatever_follows(said):
    wrong = [said(GUESSER, "Bearer wrong")["status"] for _ in range(ALLOWED + 1)]
    assert wrong == [401] * ALLOWED + [429]
    assert said(GUESSER, f"Bearer {TOKEN}")["status"] == 429
    assert said(STRANGER, f"Bearer {TOKEN}")["status"] == 200


@pytest.mark.parametrize(("path", "name"), [("/", "haproxy"), ("/v1/audio/", SITE)])
def test_the_gateway_and_the_households_sites_ask_for_themselves(said, path, name):
    answer = said(STRANGER, "Bearer theirs", path, name)
    assert answer["status"] == 200 and "Bearer theirs" in answer["body"]
