"""Every code has its words in both languages, and nothing that is stored is a sentence."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from string import Formatter
from typing import Final

import pytest

from schemas.codes import ENUMERATIONS, Code, Explanation, HoldCode, PlanReason, RuleEffect, render, render_all
from tests.product_code import last_name, place_of, product_files, tree_of

ALL: Final = [code for each in ENUMERATIONS for code in each]
BY_ENUMERATION: Final = {each.__name__: each for each in ENUMERATIONS}


def gaps(template: str) -> set[str]:
    """The names of a template's arguments."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


# -- words ---------------------------------------------------------------------------------------------------------


def test_a_code_has_its_words_in_both_languages() -> None:
    for code in ALL:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.value), code
        assert code.en.strip() == code.en != "", code
        assert code.en.isascii(), code
        assert re.search(r"[\u4e00-\u9fff]", code.zh), code


def test_both_languages_tell_the_same_arguments() -> None:
    for code in ALL:
        assert gaps(code.en) == gaps(code.zh), code
        assert all(name.isidentifier() for name in gaps(code.en)), code


def test_no_two_codes_are_alike() -> None:
    assert [code for code, count in Counter(code.value for code in ALL).items() if count > 1] == []
    assert sum(len(each) for each in ENUMERATIONS) == sum(len(each.__members__) for each in ENUMERATIONS)


def test_every_enumeration_of_codes_can_be_rendered() -> None:
    assert set(Code.__subclasses__()) == set(ENUMERATIONS)


# -- rendering -----------------------------------------------------------------------------------------------------


def test_an_explanation_is_told_in_the_language_asked_for() -> None:
    told = PlanReason.FIRST_OF(warehouse="hangzhou", rule="near", others="beijing")
    assert render(told, "en") == "hangzhou first, by near; then beijing"
    assert render(told, "zh") == "首选 hangzhou（规则 near），其次 beijing"
    assert render(HoldCode.TEST_ORDER(), "zh") == "这是测试订单"


def test_several_are_told_one_after_the_other() -> None:
    told = (RuleEffect.CANDIDATE(number=1), RuleEffect.ADDS_TAG(tags="vip"))
    assert render_all(told, "en") == "candidate 1; adds tag vip"
    assert render_all(told, "zh") == "候选仓 1；添加标签 vip"


def test_the_sentence_of_a_record_of_before_is_told_as_it_is() -> None:
    assert render(None, "zh", "the order is cancelled") == "the order is cancelled"
    assert render_all((), "zh", "candidate 1") == "candidate 1"
    assert (render(None, "en"), render_all((), "en")) == ("", "")


def test_what_a_newer_version_says_is_shown_as_it_is() -> None:
    assert render(Explanation(code="brand-new"), "en") == "brand-new"
    assert render(Explanation(code="brand-new", args={"warehouse": "x", "times": 3}), "zh") == (
        "brand-new (warehouse=x, times=3)"
    )
    assert render(Explanation(code="only", args={"rule": "near"}), "en") == "only (rule=near)"


# -- where they are written ----------------------------------------------------------------------------------------

_HOLD_CODE_FIRST: Final = frozenset({"to_review", "_set_aside"})  # and the second argument is the hold code
_STORED: Final = {
    "Flag": ("message",),
    "RuleMatch": ("effect",),
    "RoutingPlan": ("reason",),
    "Failure": ("problem", "problem_zh"),
}
_OTHERS: Final = {
    "schemas/codes/explanation.py",  # where an explanation is made of its code
    "workers/admin/rule_trial.py",  # spells out for JSON that people read; it goes into no topic
    "workers/admin/dead_letters.py",  # as above
    "ops/testbed/fuzz/orders.py",  # what it calls codes are outcomes of its own
}


def wrongs_of(tree: ast.AST) -> Iterator[str]:
    """What a file does that leaves a sentence, or a code that nobody has words for, in a record."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _wrong_arguments(node)
            yield from _sentences(node)
            yield from _code_as_text(node)
        elif isinstance(node, ast.alias) and node.asname and node.name in {*_STORED, *BY_ENUMERATION, "Explanation"}:
            yield f"{node.name} has another name here, and is not looked for under it"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in _STORED:
            yield f"{node.value.id} has another name here, and is not looked for under it"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                stored = isinstance(target, ast.Attribute) and target.attr in (
                    "message",
                    "effect",
                    "problem",
                    "problem_zh",
                )
                if stored and isinstance(node.value, ast.Constant | ast.JoinedStr):
                    yield f"a sentence is stored: {ast.unparse(node)}"


def _wrong_arguments(call: ast.Call) -> Iterator[str]:
    """A call of a member: `PlanReason.ONLY(...)`."""
    enumeration, name = _member(call.func)
    if enumeration is None or name not in enumeration.__members__:
        return
    given = {each.arg for each in call.keywords}
    if call.args:
        yield f"{name} takes its arguments by name"
    elif None not in given and given != gaps(enumeration[name].en):
        yield f"{name} is told {sorted(map(str, given))} and tells {sorted(gaps(enumeration[name].en))}"


def _member(node: ast.expr) -> tuple[type[Code] | None, str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
        return BY_ENUMERATION.get(last_name(node.value)), node.attr
    return None, ""


def _sentences(call: ast.Call) -> Iterator[str]:
    """A sentence where a code belongs: in the fields that only records of before fill, or as an explanation."""
    function = last_name(call.func)
    for each in _given_by_name(call):
        every = [name for names in _STORED.values() for name in names]
        stored = every if function in ("changed", "replace") else _STORED.get(function, ())
        if each.arg in stored and not (function == "replace" and isinstance(each.value, ast.Name)):
            if not (isinstance(each.value, ast.Constant) and each.value.value == ""):
                yield f"{function} is given a sentence as {each.arg}"
        elif each.arg in ("explanation", "effects") and isinstance(each.value, ast.Constant | ast.JoinedStr):
            yield f"{function} is given a text as {each.arg}"
    if function == "Explanation" and any(
        each.arg == "code" and not isinstance(each.value, ast.Subscript)  # `row["code"]`: one that is read back
        for each in call.keywords
    ):
        yield "an explanation is made by hand, not by its code"


def _given_by_name(call: ast.Call) -> Iterator[ast.keyword]:
    """Its arguments, those of a dictionary that is written out, too."""
    for each in call.keywords:
        if each.arg is None and isinstance(each.value, ast.Dict):
            for name, value in zip(each.value.keys, each.value.values, strict=True):
                if isinstance(name, ast.Constant):
                    yield ast.keyword(arg=str(name.value), value=value)
        else:
            yield each


def _code_as_text(call: ast.Call) -> Iterator[str]:
    """A hold code written as a text: it could be one that nobody has words for."""
    function = last_name(call.func)
    given = [each.value for each in call.keywords if function == "Flag" and each.arg == "code"]
    given += call.args[1:2] if function in _HOLD_CODE_FIRST else []
    given += [each.value for each in call.keywords if each.arg == "holds"]
    given += call.args if ast.unparse(call.func).endswith(("codes.append", "codes.extend", "codes.add")) else []
    for each in [part for whole in given for part in _joined(whole)]:
        for part in each.elts if isinstance(each, ast.Tuple | ast.List) else [each]:
            if isinstance(part, ast.Constant | ast.JoinedStr):
                yield f"{function} is given a hold code as a text: {ast.unparse(part)}"


def _joined(whole: ast.expr) -> list[ast.expr]:
    """The parts of `a + b`."""
    return [*_joined(whole.left), *_joined(whole.right)] if isinstance(whole, ast.BinOp) else [whole]


def test_no_record_is_given_a_sentence_or_a_code_without_words() -> None:
    found = {
        f"{place_of(path)}: {wrong}"
        for path in product_files()
        if place_of(path) not in _OTHERS
        for wrong in wrongs_of(tree_of(path))
    }
    assert found == set()


@pytest.mark.parametrize(
    "planted",
    [
        'PlanReason.ONLY(warehouse="hangzhou")',
        'PlanReason.ONLY("hangzhou", rule="near")',
        'Flag(code=HoldCode.GIFT_ONLY, message="nothing but gifts is left")',
        'Flag(code="gift-only", explanation=FlagReason.GIFTS_ONLY())',
        'RuleMatch(rule="a", effect=f"candidate {number}")',
        'RoutingPlan(disposition=x, reason="it is so")',
        'RoutingPlan(disposition=x, explanation=f"{warehouse} gave it back")',
        'changed(plan, reason=f"{warehouse} gave it back")',
        'Failure(attempt="x", where="y", problem="is missing")',
        'changed(failure, problem_zh="缺少此字段")',
        'to_review(planned, "wms-gave-up", PlanReason.NO_RULE())',
        'Explanation(code="only", args={})',
        'changed(order, holds=("paused",))',
        'codes.append("paused")',
        'codes.extend(["paused"])',
        'changed(order, holds=(*before, "paused"))',
        'changed(order, holds=before + ("paused",))',
        "from schemas.codes import PlanReason as Reason",
        "from schemas.plan import Flag as F",
        "make = Flag",
        'codes.PlanReason.ONLY(warehouse="hangzhou")',
        'plan.Flag(code=HoldCode.GIFT_ONLY, message="nothing but gifts is left")',
        'Flag(**{"message": "nothing but gifts is left"})',
        'msgspec.structs.replace(plan, reason=f"{warehouse} gave it back")',
        'flag.message = f"{sku} is not known"',
        'codes.Explanation(code="only")',
        'review.to_review(planned, "wms-gave-up", PlanReason.NO_RULE())',
    ],
)
def test_a_planted_sentence_is_found(planted: str) -> None:
    assert len(list(wrongs_of(ast.parse(planted)))) == 1


def test_every_code_is_written_somewhere() -> None:
    named = {
        f"{node.value.id}.{node.attr}"
        for path in product_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert {f"{type(code).__name__}.{code.name}" for code in ALL} - named == set()
