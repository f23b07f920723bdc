"""Orders out of a seed: the same seed gives the same orders in the same sequence, whatever the clock says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from random import Random

from ops.testbed.simulators import baskets
from ops.testbed.simulators.baskets import Buyer
from ops.testbed.simulators.catalogue import Catalogue
from ops.testbed.simulators.places import somewhere
from ops.testbed.simulators.sale import Sale, Stage
from ops.testbed.simulators.shops import SHOP_IDS
from ops.testbed.simulators.stories import STORIES, Step, Story

SHARES = {"taobao": 30, "pinduoduo": 25, "douyin": 20, "jd": 15, "woocommerce": 5, "shopify": 5}

PAY_SECONDS = 15
"""How long a simulated platform lets the buyer take to pay: minutes in real life, short so that a run can show it."""

BUYERS = 5000

_REMARKS = ("请尽快发货 谢谢", "请放门口", "工作日送货", "麻烦包装好一点", "送人的 请不要放小票")
_MEMOS = ("", "老客", "发顺丰")
_CHANNELS = tuple(SHARES)
_CHANNEL_WEIGHTS = tuple(accumulate(SHARES.values()))


@dataclass(frozen=True, slots=True)
class Life:
    """An order not yet placed, and what will happen to it: seconds after the event before, and the change."""

    sale: Sale
    opens: Stage
    steps: tuple[tuple[float, Step], ...]


class Generator:
    """An endless, repeatable stream of lives."""

    def __init__(
        self, seed: int, catalogue: Catalogue, pay_seconds: int = PAY_SECONDS, stories: Sequence[Story] = STORIES
    ) -> None:
        self._seed = seed
        self._rng = Random(seed)  # noqa: S311  # repeatable on purpose
        self._catalogue = catalogue
        self._pay_seconds = pay_seconds
        self._serials = dict.fromkeys(_CHANNELS, 0)
        self._stories = {channel: _weighted(channel, stories) for channel in _CHANNELS}

    def __iter__(self) -> Iterator[Life]:
        while True:
            yield self._next()

    def take(self, count: int) -> list[Life]:
        """The next `count` lives."""
        return list(islice(self, count))

    def _next(self) -> Life:
        rng = self._rng
        channel = rng.choices(_CHANNELS, cum_weights=_CHANNEL_WEIGHTS)[0]
        stories, weights = self._stories[channel]
        story = rng.choices(stories, cum_weights=weights)[0]
        self._serials[channel] += 1
        sale = self._sale(story, channel, self._serials[channel])
        steps = tuple((rng.uniform(step.soonest, step.latest), step) for step in story.steps)
        sale.steps_left = len(steps)
        return Life(sale, story.opens, steps)

    def _sale(self, story: Story, channel: str, serial: int) -> Sale:
        rng = self._rng
        buyer = Buyer(rng, self._catalogue, channel)
        items = story.basket(buyer)
        sale = Sale(
            channel=channel,
            shop_id=SHOP_IDS[channel],
            order_id=order_id(channel, self._seed, serial),
            serial=serial,
            story=story.name,
            expected=story.expected_on(channel),
            items=items,
            place=somewhere(rng),
            buyer=rng.randrange(1, BUYERS),
            stage=story.opens,
            presale=story.presale,
            ships_after=story.ships_after,
            cash_on_delivery=story.cash_on_delivery,
            oddity=story.oddity,
            pay_seconds=self._pay_seconds,
        )
        if not story.presale:
            sale.platform_discount = baskets.discount(buyer, items)
            sale.postage = rng.choices((0, 600, 1000), (70, 20, 10))[0]
        self._extras(story, sale)
        return sale

    def _extras(self, story: Story, sale: Sale) -> None:
        rng = self._rng
        if story.presale:
            sale.deposit = sale.total // 5
        if story.remarks:
            sale.remark, sale.memo = rng.choice(_REMARKS), rng.choice(_MEMOS)
        if story.promised_gift:
            sale.promised_gift = rng.choice(self._catalogue.bindings)[0].gift


def order_id(channel: str, seed: int, serial: int) -> str:
    """The platform's id of the shop's `serial`-th order: of the platform's form, round, and another for another seed.

    Pinduoduo ids begin with a date; here it is always 11.11, so that a run repeats on any day.
    """
    if channel == "taobao":
        return str(3 * 10**18 + seed % 10**5 * 10**13 + serial * 100)
    if channel == "pinduoduo":
        return f"261111-{seed % 10**5:05d}{serial:010d}"
    if channel == "douyin":
        return str(69 * 10**17 + seed % 10**4 * 10**13 + serial * 100)
    if channel == "jd":
        return f"24{seed % 10**4:04d}{serial:07d}"
    if channel == "woocommerce":
        return str(seed % 10**4 * 10**7 + 1000 + serial)
    return str(55 * 10**11 + seed % 10**4 * 10**7 + serial)


def _weighted(channel: str, told: Sequence[Story]) -> tuple[tuple[Story, ...], tuple[float, ...]]:
    stories = tuple(story for story in told if channel in story.channels)
    return stories, tuple(accumulate(story.weight for story in stories))


def open_sale(life: Life, now: int) -> Sale:
    """Place the order: the moment it comes into being on its platform."""
    sale = life.sale
    sale.placed_at = sale.modified_at = now
    if life.opens is Stage.DEPOSIT_PAID:
        sale.deposit_paid_at = now
    elif life.opens is not Stage.UNPAID:
        sale.paid_at = now
    if life.opens is Stage.SHIPPED:
        sale.placed_at = sale.paid_at = now - 7200
        sale.shipped_at = now
    return sale
