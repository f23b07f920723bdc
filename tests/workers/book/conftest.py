"""A book of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr

from tests.workers.book.looking import Look
from workers.book.agent import BookKeeper, BookSession


@pytest.fixture
def keeper(book_url: str) -> BookKeeper:
    """Writes the book of `book_url`."""
    return BookKeeper(SecretStr(book_url), 1)


@pytest.fixture
def session(keeper: BookKeeper) -> Iterator[BookSession]:
    """An empty book, ready to be written to."""
    with keeper.session() as running:
        yield running


@pytest.fixture
def look(book_url: str) -> Iterator[Look]:
    """Rows of the book."""
    with psycopg.connect(book_url, autocommit=True, row_factory=dict_row) as connection:
        yield Look(connection)
