"""The file of recipients: who is told of what, in which language, and when they are left in peace."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from schemas.ids import Slug
from schemas.notice import NoticeSeverity
from schemas.text import Language, Text, TextError
from schemas.yaml_input import MOST_BYTES, BadYaml, load

_STRICT: Final = ConfigDict(extra="forbid", frozen=True)


class BrokenRecipients(TextError):
    """The file of recipients cannot be used. Its text names the field at fault, never a value."""


class QuietHours(BaseModel):
    """From one time of day to another, in the recipient's time zone; over midnight, too."""

    model_config = _STRICT

    start: time
    end: time


class Recipient(BaseModel):
    """One place that notices are sent to. Its address is in ORDERFLEET_NOTICES_URLS, or in `url_file`."""

    model_config = _STRICT

    scopes: tuple[str, ...] = ("*",)  # fleet, shop:<channel>/<shop>, warehouse:<id>; * stands for anything
    minimum: NoticeSeverity = NoticeSeverity.WARNING
    language: Language = "zh"
    zone: str = "Asia/Shanghai"
    quiet: QuietHours | None = None  # what is not critical waits until they end
    remind_seconds: Annotated[float, Field(gt=0)] = 4 * 3600.0
    digest: time | None = None  # once a day, all that stands
    url_file: Path | None = None
    runbooks: str = ""  # instead of the file's
    name: Slug = ""
    url: SecretStr = SecretStr("")

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone") from None
        return zone


class Recipients(BaseModel):
    """The whole file."""

    model_config = _STRICT

    gather_seconds: Annotated[float, Field(ge=0)] = 10.0  # a new matter waits so long for more of the same
    runbooks: str = "ops/monitoring/runbooks/"  # where people find the pages that say what to do: a folder or an URL
    recipients: dict[Slug, Recipient] = {}


NOBODY: Final = Recipients()


def load_recipients(path: Path | None, urls: SecretStr) -> Recipients:
    """The recipients with their addresses. None: nobody is told. Raises BrokenRecipients.

    `urls`: a JSON object, recipient -> apprise URL.
    """
    if path is None:
        return NOBODY
    try:
        with path.open("rb") as file:
            found = Recipients.model_validate(load(file.read(MOST_BYTES + 1)) or {})
        addresses = _addresses(urls)
        named = {
            name: _addressed(name, one, addresses).model_copy(update={"runbooks": one.runbooks or found.runbooks})
            for name, one in found.recipients.items()
        }
    except OSError as error:
        told = error.strerror or type(error).__name__
        raise BrokenRecipients(Text(f"{path}: {told}", f"{path}：无法读取（{told}）")) from None
    except BadYaml as error:
        raise BrokenRecipients(
            Text(f"{path}: line {error.line}: {error.text.en}", f"{path}：第 {error.line} 行：{error.text.zh}")
        ) from None
    except ValidationError as error:
        detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in detail["loc"])
        raise BrokenRecipients(
            Text(f"{path}: {where} is not usable ({detail['type']})", f"{path}：{where} 不可用（{detail['type']}）")
        ) from None
    return found.model_copy(update={"recipients": named})


def _addresses(urls: SecretStr) -> dict[str, str]:
    text = urls.get_secret_value() or "{}"
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(url, str) for url in read.values()):
        raise BrokenRecipients(
            Text(
                'ORDERFLEET_NOTICES_URLS should be a JSON object: {"recipient": "address"}',
                'ORDERFLEET_NOTICES_URLS 应为 JSON 对象：{"收件人": "地址"}',
            )
        )
    return read


def _addressed(name: str, recipient: Recipient, addresses: dict[str, str]) -> Recipient:
    file = recipient.url_file
    url = file.read_text(encoding="utf-8").strip() if file is not None else addresses.get(name, "")
    if not url:
        raise BrokenRecipients(
            Text(
                f"recipient {name} has no address; put it into ORDERFLEET_NOTICES_URLS, or into its url_file",
                f"收件人 {name} 没有地址；请写入 ORDERFLEET_NOTICES_URLS 或其 url_file",
            )
        )
    return recipient.model_copy(update={"name": name, "url": SecretStr(url)})
