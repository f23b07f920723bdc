"""A round is judged by a moment at which nothing moved: what the proof says of any other moment is no finding."""

from __future__ import annotations

from collections.abc import Callable

from ops.testbed.torture.proof import Findings
from ops.testbed.torture.round import proof_at_rest

PLANNED = ("orders.planned", 3)
WRONG: Findings = {"misheld": ["an order that waits for stock holds some"]}


class Rest:
    """A fleet in which an order goes on at a chosen moment, and nothing happens after it."""

    def __init__(self) -> None:
        self.read = {PLANNED: 7}
        self.proofs = 0
        self.while_proving: Callable[[], None] = lambda: None
        self.while_asking: Callable[[], None] = lambda: None

    def an_order_goes_on(self) -> None:
        self.read = {PLANNED: 8}

    def prove(self, unrest: str) -> Findings:
        """Wrong the first time: the stock was ahead of the books."""
        self.proofs += 1
        self.while_proving()
        return WRONG if self.proofs == 1 else {}

    def moving(self) -> str:
        self.while_asking()
        return ""

    def judged(self, until_rest: str = "", patience: float = 60) -> Findings:
        return proof_at_rest(
            until_rest=lambda: until_rest,
            prove=self.prove,
            moving=self.moving,
            positions=lambda: dict(self.read),
            patience=patience,
        )


def test_what_is_wrong_while_nothing_moves_is_a_finding() -> None:
    assert Rest().judged() == WRONG


def test_it_is_proven_again_when_the_books_went_on_during_the_proof() -> None:
    rest = Rest()
    rest.while_proving = rest.an_order_goes_on
    assert (rest.judged(), rest.proofs) == ({}, 2)


def test_it_is_proven_again_when_the_books_went_on_while_it_was_asked_whether_anything_moves() -> None:
    rest = Rest()
    rest.while_asking = rest.an_order_goes_on
    assert (rest.judged(), rest.proofs) == ({}, 2)


def test_what_never_comes_to_rest_is_proven_once() -> None:
    rest = Rest()
    rest.while_proving = rest.an_order_goes_on
    assert (rest.judged(until_rest="the orders"), rest.proofs) == (WRONG, 1)


def test_what_moves_at_every_look_is_given_up_in_the_end() -> None:
    rest = Rest()
    rest.while_proving = rest.an_order_goes_on
    assert (rest.judged(patience=-1), rest.proofs) == (WRONG, 1)
