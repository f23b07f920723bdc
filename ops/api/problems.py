"""Errors of the API as problem+json (RFC 9457), in the caller's language, with a code and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from schemas.text import Language, Text
from workers.admin.desk.asking import ServerAway
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound, OperatorError, Unknown
from workers.runtime.errors import TransientError

MEDIA_TYPE: Final = "application/problem+json"
LANGUAGE: Final = "orderfleet.language"
"""In the scope of a request: the language of its caller."""

_STATUS: Final = (
    (Unknown, HTTPStatus.UNAUTHORIZED),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (InvalidRequest, HTTPStatus.BAD_REQUEST),
)
_LATER: Final = {"Retry-After": "5"}
_AGAIN: Final = Text("repeat it in a few seconds", "请几秒后重试")
_SEE: Final = Text("see /api/v1/openapi.json", "请参见 /api/v1/openapi.json")
_NO_JSON: Final = Text("the body cannot be read as JSON", "请求体不是有效的 JSON")
_SEND_JSON: Final = Text("send one JSON object in UTF-8", "请发送一个 UTF-8 编码的 JSON 对象")
_OF_FRAMEWORK: Final[Mapping[int, tuple[str, Text, Text]]] = {
    400: ("unreadable-body", _NO_JSON, _SEND_JSON),
    404: ("no-such-path", Text("there is nothing at this path", "此路径不存在"), _SEE),
    405: ("method-not-allowed", Text("this path does not take this method", "此路径不支持该方法"), _SEE),
}
_BUG: Final = Text("this is a mistake in orderfleet itself", "这是 orderfleet 自身的程序错误")
_REPORT: Final = Text(
    "report it with the time; the log of `orderfleet api` names the place",
    "请连同时间一起报告；`orderfleet api` 的日志中有出错位置",
)


class TooMany(Exception):
    """A token asks too often. `seconds`: when to come again."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def problem(
    language: Language,
    status: int,
    code: str,
    detail: Text,
    todo: Text | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """One refusal. `more`: members of its own."""
    body = {
        "type": f"urn:orderfleet:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail.tell(language),
        **({"todo": todo.tell(language)} if todo is not None else {}),
        **more,
    }
    told = {"Content-Language": language, **(headers or {})}
    return Response(msgspec.json.encode(body), status, told, media_type=MEDIA_TYPE)


def language_of(request: Request) -> Language:
    """The language of who asks."""
    found: Language = request.scope.get(LANGUAGE, "en")
    return found


def add_handlers(app: FastAPI) -> None:
    """Have the app answer every error so."""
    app.add_exception_handler(OperatorError, _operator_error)
    app.add_exception_handler(ServerAway, _server_away)
    app.add_exception_handler(TransientError, _transient)
    app.add_exception_handler(TooMany, _too_many)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _bug)


def _operator_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OperatorError)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.CONFLICT)
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
    return problem(language_of(request), status, error.code, error.text, error.advice, headers=headers)


def _server_away(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServerAway)
    return problem(language_of(request), 503, error.code, error.text, _AGAIN, headers=_LATER)


def _transient(request: Request, error: Exception) -> Response:
    assert isinstance(error, TransientError)
    detail = Text("a server behind this API does not answer", "后端服务没有应答")
    return problem(language_of(request), 503, "server-away", detail, error.advice or _AGAIN, headers=_LATER)


def _too_many(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooMany)
    seconds = max(1, round(error.seconds + 0.5))
    return problem(
        language_of(request),
        429,
        "too-many-requests",
        Text("this caller asks too often", "请求过于频繁"),
        Text(f"come again in {seconds} s", f"请 {seconds} 秒后再试"),
        headers={"Retry-After": str(seconds)},
    )


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = error.errors()
    if any(each.get("type") == "json_invalid" for each in wrong):
        return _of_framework(request, 400)
    return problem(
        language_of(request),
        422,
        "invalid-request",
        Text("the request does not fit what is asked for here", "请求内容不符合要求"),
        Text("mend the fields named in `errors`", "请修改 `errors` 中列出的字段"),
        errors=_fields(wrong),
    )


def _fields(wrong: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where and what, at most twenty; never a value, which may be personal."""
    return [
        {"where": ".".join(str(part)[:80] for part in each["loc"]), "problem": str(each["type"]), "detail": _said(each)}
        for each in wrong[:20]
    ]


def _said(each: Mapping[str, Any]) -> str:
    return "" if each["type"] == "value_error" else str(each["msg"])[:200]


def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _of_framework(request, error.status_code, error.headers)


def _of_framework(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    code, detail, todo = _OF_FRAMEWORK.get(status, ("refused", Text("refused", "已拒绝"), None))
    return problem(language_of(request), status, code, detail, todo, headers=headers)


def _bug(request: Request, _error: Exception) -> Response:
    return problem(language_of(request), 500, "bug", _BUG, _REPORT)
