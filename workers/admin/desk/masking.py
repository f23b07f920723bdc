"""Hiding what may be personal in a platform's own JSON: all words that are not known to be harmless. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

HIDDEN: Final = "***"

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_HARMLESS: Final = re.compile(
    r"""
    amount| category| channel| class| closed| code| color| colour| count| created| currency| date| delivery|
    discount| end| express| fee| flag| fulfillment| gift| goods| gross| id| ids| is| item| kind| line| method|
    modified| net| num| number| order| paid| part| pay| payment| points| postage| presale| price| product|
    promotion| province| qty| quantity| refund| seller| shipping| sku| source| start| state| status| step|
    sub| tax| tid| time| timestamp| title| total| trade| type| uid| unit| update| updated| version| warehouse|
    weight
    """,
    re.VERBOSE,
)
_PERSONAL: Final = re.compile(
    r"""
    account| address| alipay| alternate| avatar| birth| buyer| card| city| company| consignee| contact|
    customer| decrypt| email| encrypt| fax| first| full| identity| idcard| identification| invoice| ip|
    landline| last| latitude| location| longitude| mail| memo| message| mobile| name| nick| note| open|
    openid| owner| payer| person| phone| post| postal| postcode| receiver| recipient| remark| signature|
    street| tel| telephone| token| town| user| village| words| zip
    """,
    re.VERBOSE,
)
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,9}(\.[0-9]{1,6})?")
_LIKE_A_PHONE: Final = re.compile(r"(?<![0-9])(\+?86[- ]?)?1[3-9][0-9]{9}(?![0-9])")


def masked(body: Any, name: str = "") -> Any:
    """The same JSON, its shape as it was, with each text and number hidden that is not known to be harmless."""
    if isinstance(body, dict):
        return {key: masked(value, key if _is_plain(key) else name) for key, value in body.items()}
    if isinstance(body, list):
        return [masked(each, name) for each in body]
    if body is None or isinstance(body, bool) or body == "":
        return body
    return body if _is_harmless(name, str(body)) else HIDDEN


def _is_plain(key: str) -> bool:
    """A key may be data itself: of a mapping by phone number. Then what stands around it decides."""
    return bool(_WORDS.search(key)) and "@" not in key and not _LIKE_A_PHONE.search(key)


def _is_harmless(name: str, value: str) -> bool:
    words = {word.lower() for word in _WORDS.findall(name)}
    if any(map(_PERSONAL.fullmatch, words)) or not any(map(_HARMLESS.fullmatch, words)) or "@" in value:
        return False
    ids = bool(words & {"id", "ids", "tid", "uid"}) or words >= {"order", "number"}
    return ids or bool(_NUMBER.fullmatch(value)) or not _LIKE_A_PHONE.search(value)
