"""The file of shops: read whole for polling, and for its policies alone where orders are read."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from channel_adapters.shop import Shop, ShopPolicy, ShopSettings
from schemas.order import OrderStatus
from schemas.text import Text
from schemas.yaml_input import MOST_BYTES, BadYaml, load

_log = logging.getLogger(__name__)

_Key = tuple[str, str]  # channel, shop


class BrokenShopFile(Exception):
    """The file of shops cannot be used. Its text names the shop and field at fault, never a value."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def load_shops(path: Path, channels: Collection[str]) -> list[ShopSettings]:
    """The shops in a YAML list. Raises BrokenShopFile."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BrokenShopFile(Text(f"{path}: {error.strerror}", f"{path}：无法读取")) from None
    return _shops_in(content, path, channels)


def _shops_in(content: bytes, path: Path, channels: Collection[str]) -> list[ShopSettings]:
    try:
        shops = TypeAdapter(list[ShopSettings]).validate_python(load(content))
    except BadYaml as error:
        where, where_zh = (f", line {error.line}", f" 第 {error.line} 行") if error.line else ("", "")
        raise BrokenShopFile(Text(f"{path}{where}: {error.text.en}", f"{path}{where_zh}：{error.text.zh}")) from None
    except ValidationError as error:
        told = _problem(error)
        raise BrokenShopFile(Text(f"{path}: {told.en}", f"{path}：{told.zh}")) from None
    for shop in shops:
        if shop.channel not in channels:
            known = ", ".join(channels)
            en = f"{path}: {shop.shop_id}: no channel {shop.channel}; there are {known}"
            raise BrokenShopFile(Text(en, f"{path}：{shop.shop_id}：没有渠道 {shop.channel}，可用：{known}"))
    return shops


_TEXT: Final = Text("should be a text: write it in quotes", "应为文本：请加引号")
_LIST: Final = Text("should be a list", "应为列表")
_MAPPING: Final = Text("should be a mapping of names to values", "应为“名称: 值”的映射")
_NUMBER: Final = Text("should be a number", "应为数字")
_STATUSES: Final = ", ".join(OrderStatus)
_WORDS: Final[Mapping[str, Text]] = {
    "missing": Text("is missing", "缺少此项"),
    "extra_forbidden": Text(
        f"is no setting of a shop; there are: {', '.join(ShopSettings.model_fields)}",
        f"不是店铺配置项，可用：{'、'.join(ShopSettings.model_fields)}",
    ),
    "enum": Text(f"should be one of: {_STATUSES}", f"应为下列之一：{_STATUSES}"),
    "a_duration": Text("should be a time such as 30m, 36h or 7d", "应为 30m、36h、7d 这样的时长"),
    "a_word": Text("should be a word of the platform, or field=word", "应为平台的状态词，或“字段=状态词”"),
    "string_type": _TEXT,
    "string_pattern_mismatch": Text(
        "may have lower-case letters, digits and hyphens only", "只能由小写字母、数字和连字符组成"
    ),
    "list_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": Text("should be a whole number", "应为整数"),
    "int_parsing": Text("should be a whole number", "应为整数"),
    "int_from_float": Text("should be a whole number", "应为整数"),
    "finite_number": _NUMBER,
    "greater_than": Text("is too small", "过小"),
    "greater_than_equal": Text("is too small", "过小"),
    "bool_type": Text("should be true or false", "应为 true 或 false"),
    "bool_parsing": Text("should be true or false", "应为 true 或 false"),
}
"""What pydantic's names for errors mean to who writes the file. None of them says a value: it may be a secret."""


def _problem(error: ValidationError) -> Text:
    """Which setting of which shop (counted from 1) is wrong, and what is."""
    detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if not detail["loc"]:
        return Text(
            "should be a list of shops, each beginning with `- channel:`", "应为店铺列表，每个以 `- channel:` 开头"
        )
    number, *names = detail["loc"]
    where = ".".join(str(part) for part in (int(number) + 1, *names) if part != "[key]")
    unknown = Text(f"is not usable ({detail['type']})", f"不可用（{detail['type']}）")
    problem = _WORDS.get(detail["type"], unknown)
    return Text(f"shop {where} {problem.en}", f"店铺 {where} {problem.zh}")


SETTLED_SECONDS: Final = 1.0
"""What the file says is taken once it has been the same for so long: one that is half written goes on changing."""

_NO_FILE: Final = b""
_UNREADABLE: Final = b"?"
_MOST_REMEMBERED: Final = 10_000


class ShopPolicies:
    """What the shops' owners have set, by channel and shop: from a file, and read again when it changes.

    It is looked at by a timer (`look`), whether orders come or not. What counts is what the file holds, not when it was
    written. A broken one changes nothing: it is told in the log, once, and the old policies stay.
    """

    def __init__(self, path: Path | None, channels: Collection[str]) -> None:
        """None, or no file there: nothing is set. Raises BrokenShopFile."""
        self._path = path
        self._channels = channels
        content, digest = self._content()
        self._loaded = self._seen = digest
        self._seen_at = 0.0
        self._in_force: tuple[dict[_Key, ShopPolicy], dict[_Key, Shop]] = (self._load(content), {})

    def shop(self, channel: str, shop_id: str) -> Shop:
        """The shop with its owner's settings. Touches no file: asked for every order."""
        policies, shops = self._in_force
        try:
            return shops[channel, shop_id]
        except KeyError:
            shop = Shop(shop_id, policies.get((channel, shop_id), ShopPolicy()))
            if len(shops) < _MOST_REMEMBERED:
                shops[channel, shop_id] = shop
            return shop

    def look(self, now: float) -> None:
        """See whether the file changed, and put in force what has settled. `now`: seconds of any steady clock.

        Never raises, and may run in a thread: what is in force is replaced in one move.
        """
        try:
            content, digest = self._content()
            if digest != self._seen:
                self._seen, self._seen_at = digest, now
            elif digest != self._loaded and now - self._seen_at >= SETTLED_SECONDS:
                self._loaded = digest
                self._reload(content)
        except Exception as error:  # noqa: BLE001  # a mistake of ours must not end the watch; a value may be a secret
            _log.error("the settings of the shops stay as they were: %s while reading them", type(error).__name__)

    def _reload(self, content: bytes | None) -> None:
        try:
            policies = self._load(content)
        except BrokenShopFile as error:
            _log.error("the settings of the shops stay as they were: %s", error.text.en)
        else:
            self._in_force = (policies, {})
            _log.info("the settings of %d shops are in force", len(policies))

    def _content(self) -> tuple[bytes | None, bytes]:
        """What the file holds and its digest, which is what is kept of it: it holds secrets. None: there is no file."""
        if self._path is None:
            return None, _NO_FILE
        try:
            with self._path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None, _NO_FILE
        except OSError:
            return b"", _UNREADABLE
        return content, blake2b(content, digest_size=16).digest()

    def _load(self, content: bytes | None) -> dict[_Key, ShopPolicy]:
        if self._path is None or content is None:
            return {}
        shops = _shops_in(content, self._path, self._channels) if content else load_shops(self._path, self._channels)
        return {(shop.channel, shop.shop_id): shop.policy for shop in shops}
