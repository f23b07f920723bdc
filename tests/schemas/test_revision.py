"""Revisions compare as text: what happened later is greater, and a retry stands between the two."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.order import Line
from schemas.revision import MOST_TRIES, modified_at_of, retry_of, tries_of
from tests.builders import NOON, a_line, an_order

ANY_REVISION = st.builds(
    "{:015d}.{:04d}.{:012x}".format,
    st.integers(0, 10**15 - 1),
    st.integers(0, 7999),
    st.integers(0, 16**12 - 1),
)


def revision(seconds: float = 0, lines: tuple[Line, ...] = (a_line(),)) -> str:
    return an_order(modified_at=NOON + timedelta(seconds=seconds), lines=lines).revision


def test_a_retry_is_newer_than_what_it_retries_and_older_than_what_the_platform_says_next() -> None:
    first = revision()

    assert first < retry_of(first) < retry_of(retry_of(first)) < revision(seconds=0.001)


def test_a_retry_of_another_description_of_the_same_instant_keeps_their_order() -> None:
    one, other = sorted((revision(), revision(lines=(a_line(quantity=2),))))

    assert one < retry_of(one) < other < retry_of(other)


@given(ANY_REVISION, ANY_REVISION, st.integers(1, MOST_TRIES))
def test_no_number_of_retries_outgrows_a_newer_revision(one: str, other: str, number: int) -> None:
    older, newer = sorted((one, other))
    tried = f"{older}+{number:03d}"

    assert older < tried
    assert older == newer or tried < newer


@given(ANY_REVISION, ANY_REVISION)
def test_bytes_compare_as_text_does(one: str, other: str) -> None:
    """The scripts compare bytes."""
    retried = retry_of(one)

    assert (retried.encode() < other.encode()) == (retried < other)


def test_retries_are_counted() -> None:
    once = retry_of(revision())
    assert (tries_of(revision()), tries_of(once), tries_of(retry_of(once))) == (0, 1, 2)
    assert once == f"{revision()}+001"
    assert modified_at_of(once) == modified_at_of(revision())


def test_retries_end() -> None:
    assert retry_of(f"{revision()}+{MOST_TRIES - 1}") == f"{revision()}+{MOST_TRIES}"
    with pytest.raises(ValueError, match="was tried 999 times"):
        retry_of(f"{revision()}+{MOST_TRIES}")
