"""One HTTP call to a platform, with every way it can fail told as a ChannelError. No text of it holds a secret."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import httpx

from channel_adapters.contract import ChannelError, ChannelRefused, ChannelUnavailable
from schemas.text import Text


class _HideQuery(logging.Filter):
    """httpx logs the URL of every request, and some platforms want the access token in the query string."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) and arg.query else arg for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_HideQuery())


async def call(
    http: httpx.AsyncClient,
    who: str,
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    explain: Callable[[httpx.Response], ChannelError | None] | None = None,
) -> httpx.Response:
    """The platform's answer when it is a 2xx that is no page of HTML. `who` is `<channel>/<shop>`, for the texts.

    `explain` may know more of an error answer than its status says: the platform's own code in the body.
    Raises ChannelUnavailable for no answer, 408, 429, 5xx and HTML; ChannelRefused for every other status.
    """
    try:
        response = await http.request(method, url, data=form, content=content, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        en = f"{who}: base_url is no address that can be called; correct it in the shop's settings"
        raise ChannelRefused("bad-url", Text(en, f"{who}：base_url 不是可访问的地址，请在店铺设置中更正")) from error
    except httpx.RequestError as error:
        reason = type(error).__name__
        en = f"{who}: the platform did not answer ({reason}); it will be asked again"
        raise ChannelUnavailable(Text(en, f"{who}：平台没有应答（{reason}），稍后重试")) from error
    known = explain(response) if explain is not None and not response.is_success else None
    if known is not None:
        raise known
    _check_status(who, response)
    _check_no_html(who, response)
    return response


def retry_after(response: httpx.Response) -> float | None:
    """The seconds a `Retry-After` header asks for; None when it says none or gives a date."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) if text.replace(".", "", 1).isdecimal() else None


def _check_status(who: str, response: httpx.Response) -> None:
    status = response.status_code
    if response.is_success:
        return
    if status in (408, 429) or status >= 500:
        en = f"{who}: the platform cannot answer now (HTTP {status}); it will be asked again"
        raise ChannelUnavailable(Text(en, f"{who}：平台暂时无法应答（HTTP {status}），稍后重试"), retry_after(response))
    if status in (401, 403):
        en = (
            f"{who}: the platform refused our credentials (HTTP {status}); check the shop's key, secret and permissions"
        )
        raise ChannelRefused(str(status), Text(en, f"{who}：平台拒绝了凭证（HTTP {status}），请检查店铺的密钥与权限"))
    en = f"{who}: the platform refused the request (HTTP {status}); check base_url and the shop's settings"
    raise ChannelRefused(str(status), Text(en, f"{who}：平台拒绝了请求（HTTP {status}），请检查 base_url 与店铺设置"))


def _check_no_html(who: str, response: httpx.Response) -> None:
    if "html" in response.headers.get("content-type", "") or response.content.lstrip()[:1] == b"<":
        en = f"{who}: the platform answered with a web page instead of data; it will be asked again"
        raise ChannelUnavailable(Text(en, f"{who}：平台返回的是网页而不是数据，稍后重试"))
