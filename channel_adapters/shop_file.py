"""The file of shops: read whole for polling, and for its policies alone where orders are read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from channel_adapters.shop import Shop, ShopPolicy, ShopSettings
from schemas.text import Text
from schemas.yaml_input import MOST_BYTES, BadYaml, load

_log = logging.getLogger(__name__)


class BrokenShopFile(Exception):
    """The file of shops cannot be used. Its text names the shop and field at fault, never a value."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def load_shops(path: Path, channels: Collection[str]) -> list[ShopSettings]:
    """The shops in a YAML list. Raises BrokenShopFile."""
    try:
        with path.open("rb") as file:
            shops = TypeAdapter(list[ShopSettings]).validate_python(load(file.read(MOST_BYTES + 1)))
    except OSError as error:
        raise BrokenShopFile(Text(f"{path}: {error.strerror}", f"{path}：无法读取")) from None
    except BadYaml as error:
        where, where_zh = (f", line {error.line}", f" 第 {error.line} 行") if error.line else ("", "")
        raise BrokenShopFile(Text(f"{path}{where}: {error.text.en}", f"{path}{where_zh}：{error.text.zh}")) from None
    except ValidationError as error:
        detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in detail["loc"])
        told = Text(f"{path}: shop {where}: {detail['msg']}", f"{path}：店铺 {where}：{detail['msg']}")
        raise BrokenShopFile(told) from None
    for shop in shops:
        if shop.channel not in channels:
            known = ", ".join(channels)
            en = f"{path}: {shop.shop_id}: no channel {shop.channel}; there are {known}"
            raise BrokenShopFile(Text(en, f"{path}：{shop.shop_id}：没有渠道 {shop.channel}，可用：{known}"))
    return shops


Signature = tuple[int, int, int]


class ShopPolicies:
    """What the shops' owners have set, by channel and shop: from a file, and read again when it changes.

    A changed file takes effect once it has looked the same at two checks. A broken one changes nothing: it is told in
    the log, once, and the old policies stay.
    """

    def __init__(
        self, path: Path | None, channels: Collection[str], clock: Callable[[], float], check_every: float = 5.0
    ) -> None:
        """`clock` counts seconds (monotonic). None, or no file there: nothing is set. Raises BrokenShopFile."""
        self._path = path
        self._channels = channels
        self._clock = clock
        self._check_every = check_every
        self._loaded = self._seen = self._signature()
        self._policies = self._load() if self._loaded is not None else {}
        self._shops: dict[tuple[str, str], Shop] = {}
        self._next_check = clock() + check_every

    def shop(self, channel: str, shop_id: str) -> Shop:
        """The shop with its owner's settings; looks at the file at most every `check_every` seconds."""
        if self._path is not None and self._clock() >= self._next_check:
            self._refresh()
        try:
            return self._shops[channel, shop_id]
        except KeyError:
            shop = Shop(shop_id, self._policies.get((channel, shop_id), ShopPolicy()))
            if len(self._shops) < 10_000:
                self._shops[channel, shop_id] = shop
            return shop

    def _refresh(self) -> None:
        self._next_check = self._clock() + self._check_every
        signature = self._signature()
        settled, self._seen = signature == self._seen, signature
        if not settled or signature == self._loaded:
            return
        self._loaded = signature
        try:
            self._policies = self._load() if signature is not None else {}
        except BrokenShopFile as error:
            _log.error("the settings of the shops stay as they were: %s", error.text.en)
        else:
            self._shops.clear()
            _log.info("the settings of %d shops are in force", len(self._policies))

    def _signature(self) -> Signature | None:
        """None: there is no file."""
        try:
            stat = self._path.stat() if self._path is not None else None
        except FileNotFoundError:
            return None
        except OSError:
            return (0, 0, 0)  # it is there and cannot be read: reading it says why
        return None if stat is None else (stat.st_mtime_ns, stat.st_size, stat.st_ino)

    def _load(self) -> dict[tuple[str, str], ShopPolicy]:
        assert self._path is not None
        return {(shop.channel, shop.shop_id): shop.policy for shop in load_shops(self._path, self._channels)}
