"""One HTTP call, and every way it can fail."""

from __future__ import annotations

import logging
from collections.abc import Callable

import httpx
import pytest

from channel_adapters.calling import call
from channel_adapters.contract import ChannelError, ChannelRefused, ChannelUnavailable
from schemas.text import Text
from tests.channel_adapters.contract import answering, failing

URL = "http://127.0.0.1:9/api"
Handler = Callable[[httpx.Request], httpx.Response]


async def ask(handler: Handler, url: str = URL) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        return await call(http, "acme/shop-a", "POST", url, form={"sign": "secret"})


async def refusal(handler: Handler, url: str = URL) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await ask(handler, url)
    assert "acme/shop-a" in caught.value.text.en
    assert "acme/shop-a" in caught.value.text.zh
    return caught.value


async def test_an_answer_is_given_as_it_came() -> None:
    response = await ask(answering(httpx.Response(200, json={"a": 1})))
    assert response.json() == {"a": 1}


@pytest.mark.parametrize("status", [408, 429, 500, 503, 599])
async def test_trouble_that_passes_is_unavailable(status: int) -> None:
    assert isinstance(await refusal(answering(httpx.Response(status))), ChannelUnavailable)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
async def test_a_request_that_is_wrong_is_refused(status: int) -> None:
    error = await refusal(answering(httpx.Response(status)))
    assert isinstance(error, ChannelRefused)
    assert error.code == str(status)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("17", 17.0), ("2.0", 2.0), ("0", 0.0), ("", None), ("-5", None), ("nan", None), ("Tue, 24 Nov 2026 GMT", None)],
)
async def test_the_wait_is_what_the_platform_asks_for(header: str, seconds: float | None) -> None:
    error = await refusal(answering(httpx.Response(503, headers={"Retry-After": header})))
    assert isinstance(error, ChannelUnavailable)
    assert error.retry_after == seconds


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError])
async def test_no_answer_names_its_kind(error: type[httpx.TransportError]) -> None:
    told = await refusal(failing(error))
    assert isinstance(told, ChannelUnavailable)
    assert error.__name__ in told.text.en


@pytest.mark.parametrize("url", ["no address", "ftp://127.0.0.1/x", "http://[::1"])
async def test_a_wrong_address_is_for_an_operator(url: str) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(ChannelRefused) as caught:
            await call(http, "acme/shop-a", "GET", url)
    assert caught.value.code == "bad-url"


@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(200, headers={"Content-Type": "text/html; charset=utf-8"}, content=b"maintenance"),
        httpx.Response(200, content=b"  <!DOCTYPE html>"),
    ],
)
async def test_a_web_page_is_no_data(page: httpx.Response) -> None:
    assert isinstance(await refusal(answering(page)), ChannelUnavailable)


async def test_a_platforms_own_code_says_more_than_a_status() -> None:
    own = ChannelRefused("expired", Text("expired", "过期"))
    async with httpx.AsyncClient(transport=httpx.MockTransport(answering(httpx.Response(500)))) as http:
        with pytest.raises(ChannelRefused) as caught:
            await call(http, "acme/shop-a", "GET", URL, explain=lambda _: own)
    assert caught.value is own


async def test_the_query_of_a_url_stays_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await ask(answering(httpx.Response(200, json={})), f"{URL}?access_token=secret")
    assert URL in caplog.text
    assert "secret" not in caplog.text
