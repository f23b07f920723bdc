"""What a person reads who made a mistake in rules.yaml: exact words, place and line."""
# ruff: noqa: E501  # tables: one mistake a line

from __future__ import annotations

import pytest

from tests.workers.rules.examples import HEAD, example_catalogue, text_of
from workers.rules.loading import MOST_RULES, load_ruleset
from workers.rules.problems import RulesetErrors

GOOD = "{id: a, priority: 1, when: {region: 华东}, then: {assign: hangzhou}}"


def errors(text: str | bytes, channels: tuple[str, ...] | None = ("taobao", "jd")) -> RulesetErrors:
    with pytest.raises(RulesetErrors) as raised:
        load_ruleset(text, "rules.yaml", example_catalogue(), channels)
    return raised.value


def of_rule(*rules: str, tagging: str = "") -> list[str]:
    return errors(text_of(*rules, tagging=tagging)).tell("en").splitlines()


def when(condition: str) -> list[str]:
    return of_rule(f"{{id: a, priority: 1, when: {condition}, then: {{assign: hangzhou}}}}")


def then(action: str) -> list[str]:
    return of_rule(f"{{id: a, priority: 1, when: {{region: 华东}}, then: {action}}}")


# fmt: off
PROVINCES = "上海, 江苏"
CONDITIONS = [
    ("{}", "when: has no condition; write always: true to match every order"),
    ("", "when: has no condition; write always: true to match every order"),
    ("[{region: 华东}]", "when: is a list; write all: or any: before it"),
    ("华东", "when: should be a group of fields, written as `name: value`"),
    ("{all: []}", "when.all: is an empty list; name at least one condition"),
    ("{any: {region: 华东}}", "when.any: should be a list, each entry after a dash"),
    ("{all: [{region: 华东}, {}]}", "when.all[2]: has no condition; write always: true to match every order"),
    ("{always: false}", "when.always: should be true; to switch a rule off, delete it or put # before its lines"),
    ("{always: perhaps}", "when.always: should be true or false, not perhaps"),
    ("{provinces: 浙江}", "when.provinces: there is no field provinces here; did you mean province?"),
    ("{province: 浙江身}", "when.province: 浙江身 is not a province; did you mean 浙江?"),
    ("{region: 华冬}", "when.region: 华冬 is not a known region; there are: 东北, 华东, 华中, 华北, 华南, 港澳台, 西北, 西南"),
    ("{region: []}", "when.region: is an empty list"),
    ("{region: ''}", "when.region: is empty"),
    ("{country: China}", "when.country: China is not a country code such as CN"),
    ("{category: frozn}", "when.category: frozn is not a category of the catalogue; did you mean frozen?"),
    ("{storage: cold}", "when.storage: cold is not a storage class; there are: ambient, chilled, frozen"),
    ("{sku: ICECREAM-9}", "when.sku: ICECREAM-9 is not a SKU of the catalogue; did you mean ICECREAM-8?"),
    ("{sku: 'XYZ*'}", "when.sku: XYZ* is not a SKU of the catalogue; there are: "),
    ("{every: {}}", "when.every: has no condition about lines"),
    ("{every: {province: 浙江}}", "when.every.province: there is no field province here; there are: "),
    ("{tag: urgnt}", "when.tag: urgnt is not a tag that any tagging rule gives; there are: cold-chain, gift, presale, promo"),
    ("{channel: taobo}", "when.channel: taobo is not a channel; did you mean taobao?"),
    ("{shop: Tea House}", "when.shop: Tea House should be small letters, digits and hyphens only"),
    ("{payment: payed}", "when.payment: payed is not a payment status; did you mean paid?"),
    ("{seller_flag: pink}", "when.seller_flag: pink is not a flag colour; there are: blue, green, grey, orange, purple, red, yellow"),
    ("{presale: waiting}", "when.presale: waiting is not a state of a presale; there are: due, false, final-unpaid, not-due, true"),
    ("{amount_fen: 12.50}", "when.amount_fen: should be a whole number from 0 to 1000000000000000, not 12.50"),
    ("{amount_fen: {min: 5}}", "when.amount_fen.min: there is no field min here; there are: at_least, at_most, over, under"),
    ("{quantity: {at_least: 5, under: 5}}", "when.quantity: can never hold: no number fits"),
    ("{placed: {from: 2026-11-11}}", "when.placed.from: should be a time with its offset, such as 2026-11-11T00:00:00+08:00, not 2026-11-11"),
    ("{placed: {from: 2026-11-11T00:00:00+08:00, to: 2026-11-10T00:00:00+08:00}}", "when.placed: ends before it starts"),
    ("{placed_time: {from: 9am, to: 17:00}}", "when.placed_time.from: should be a time of day such as 22:00, not 9am"),
    ("{placed_time: {from: 17:00}}", "when.placed_time: to is missing"),
    ("{placed_time: {from: 17:00, to: 17:00}}", "when.placed_time: starts and ends at the same time"),
    ("{buyer_remark: {}}", "when.buyer_remark: needs contains or present"),
]
ACTIONS = [
    ("{assign: hangzou}", "then.assign: hangzou is not a declared warehouse; did you mean hangzhou?"),
    ("{assign: [hangzhou, shenyang]}", "then.assign[2]: shenyang is not a declared warehouse; there are: beijing, guangzhou, hangzhou, shanghai-cold"),
    ("{force: shanghia-cold}", "then.force: shanghia-cold is not a declared warehouse; did you mean shanghai-cold?"),
    ("{force: [hangzhou, beijing]}", "then.force: can only name one warehouse; for several, use assign"),
    ("{assign: [hangzhou, beijing, hangzhou]}", "then.assign: hangzhou stands here twice: its second place can't be reached"),
    ("{assign: hangzhou, force: beijing}", "then: assign and force contradict each other; keep one, or make two rules"),
    ("{force: hangzhou, hold: look}", "then: force and hold contradict each other; keep one, or make two rules"),
    ("{asign: hangzhou}", "then.asign: there is no field asign here; did you mean assign?"),
    ("{}", "then: is empty; say what to do, such as assign: hangzhou"),
    ("{hold: ''}", "then.hold: is empty"),
    ("{defer: {until: payday}}", "then.defer.until: should be final-payment, ship-not-before or a time such as 2026-11-11T00:00:00+08:00, not payday"),
    ("{defer: {until: 2026-11-11 00:00}}", "then.defer.until: should be a time with its offset, such as 2026-11-11T00:00:00+08:00, not 2026-11-11 00:00"),
    ("{defer: {}}", "then.defer: until is missing"),
    ("{on_short: wait}", "then.on_short: wait is not an answer to a shortage; there are: backorder, next, split, transfer"),
    ("{assign: hangzhou, add_tag: Very Big}", "then.add_tag: Very Big should be small letters, digits and hyphens only"),
]
# fmt: on


@pytest.mark.parametrize(("condition", "said"), CONDITIONS, ids=[case[0] for case in CONDITIONS])
def test_a_bad_condition_is_told_by_rule_field_and_reason(condition: str, said: str) -> None:
    (line,) = when(condition)
    assert line.startswith(f"rules.yaml, line 4: rule a, {said}")


@pytest.mark.parametrize(("action", "said"), ACTIONS, ids=[case[0] for case in ACTIONS])
def test_a_bad_action_is_told_by_rule_field_and_reason(action: str, said: str) -> None:
    assert then(action) == [f"rules.yaml, line 4: rule a, {said}"]


def test_the_same_is_told_in_chinese() -> None:
    text = text_of("{id: a, priority: 1, when: {region: 华东}, then: {assign: hangzou}}")
    assert errors(text).tell("zh") == (
        "rules.yaml 第 4 行：规则 a，then.assign：hangzou 不是已声明的仓库；是不是想写 hangzhou？"
    )


# -- the rules as a whole ----------------------------------------------------------------------------------------------


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    assert of_rule(
        "{id: a, priority: one, when: {region: 华冬}, then: {assign: hangzhou}}",
        GOOD.replace("id: a", "id: b"),
        "{id: c, priority: 1, when: {province: 上海}, then: {force: nowhere}}",
    ) == [
        "rules.yaml, line 4: rule a, priority: should be a whole number from 0 to 1000000, not one",
        (
            "rules.yaml, line 4: rule a, when.region: 华冬 is not a known region; "
            "there are: 东北, 华东, 华中, 华北, 华南, 港澳台, 西北, 西南"
        ),
        (
            "rules.yaml, line 6: rule c, then.force: nowhere is not a declared warehouse; "
            "there are: beijing, guangzhou, hangzhou, shanghai-cold"
        ),
    ]


@pytest.mark.parametrize("priority", ["-1", "1.5", "high", "1000001"])
def test_a_bad_priority(priority: str) -> None:
    assert of_rule(GOOD.replace("priority: 1", f"priority: {priority}")) == [
        f"rules.yaml, line 4: rule a, priority: should be a whole number from 0 to 1000000, not {priority}"
    ]


def test_a_duplicate_rule_id() -> None:
    other = GOOD.replace("华东", "华南")
    assert of_rule(GOOD, other) == ["rules.yaml, line 5: rule a, id: there are two of this id: a"]


def test_a_rule_without_its_parts() -> None:
    assert of_rule("{id: a}") == [
        "rules.yaml, line 4: rule a: priority is missing",
        "rules.yaml, line 4: rule a: when is missing",
        "rules.yaml, line 4: rule a: then is missing",
    ]
    assert of_rule("{priority: 1, when: {always: true}, then: {assign: hangzhou}}") == [
        "rules.yaml, line 4: rule 1: id is missing"
    ]


def test_two_forces_for_the_very_same_orders_contradict_each_other() -> None:
    assert of_rule(
        "{id: a, priority: 1, when: {region: [华东, 华南], storage: frozen}, then: {force: shanghai-cold}}",
        "{id: b, priority: 2, when: {all: [{storage: frozen}, {region: [华南, 华东]}]}, then: {force: beijing}}",
    ) == ["rules.yaml, line 5: rule b, then: forces beijing, but rule a forces shanghai-cold for the very same orders"]


@pytest.mark.parametrize(
    "covered", ["{storage: frozen}", "{storage: frozen, region: 华东}", "{all: [{storage: frozen}]}"]
)
def test_a_candidate_that_a_force_always_overrules_can_not_be_reached(covered: str) -> None:
    assert of_rule(
        f"{{id: a, priority: 1, when: {covered}, then: {{assign: hangzhou}}}}",
        "{id: b, priority: 2, when: {storage: frozen}, then: {force: shanghai-cold}}",
    ) == [
        (
            "rules.yaml, line 4: rule a, then: can't be reached: rule b forces shanghai-cold for all these orders, "
            "and force beats assign whatever the priority"
        )
    ]


def test_a_candidate_of_orders_that_are_always_held_can_not_be_reached() -> None:
    assert of_rule(GOOD, "{id: b, priority: 2, when: {always: true}, then: {hold: stocktaking}}") == [
        "rules.yaml, line 4: rule a, then: can't be reached: rule b holds all these orders for review"
    ]


def test_a_narrower_force_leaves_its_neighbours_alone() -> None:
    narrow = "{id: b, priority: 2, when: {region: 华东, storage: frozen}, then: {force: shanghai-cold}}"
    ruleset = load_ruleset(text_of(GOOD, narrow), "rules.yaml", example_catalogue())
    assert [rule.rule_id for rule in ruleset.rules] == ["a", "b"]


def test_no_rules_and_too_many() -> None:
    assert errors(HEAD + "rules: []\n").tell() == (
        "rules.yaml, line 3: rules: is an empty list; every order would go to review"
    )
    many = [GOOD.replace("id: a", f"id: a{number}") for number in range(MOST_RULES + 1)]
    assert errors(text_of(*many)).tell() == f"rules.yaml, line 3: rules: holds more than {MOST_RULES} rules"


# -- the other blocks --------------------------------------------------------------------------------------------------


def head(**changes: str) -> str:
    blocks = {
        "ruleset": '{name: test, version: "1"}',
        "warehouses": "[{id: hangzhou}]",
        "rules": f"[{GOOD}]",
    }
    return "".join(f"{name}: {block}\n" for name, block in {**blocks, **changes}.items() if block)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ruleset": ""}, "ruleset is missing"),
        ({"ruleset": "{version: 1}"}, "ruleset: name is missing"),
        ({"ruleset": "{name: test}"}, "ruleset: version is missing"),
        ({"ruleset": "{name: My Rules, version: 1}"}, "ruleset.name: My Rules should be small letters"),
        ({"ruleset": "{name: test, version: 1 beta}"}, "ruleset.version: can't hold a blank or @"),
        (
            {"ruleset": "{name: t, version: 1, auto_percent: 101}"},
            "ruleset.auto_percent: should be a whole number from 0 to 100",
        ),
        (
            {"ruleset": "{name: t, version: 1, utc_offset: CET}"},
            "ruleset.utc_offset: should be an offset from UTC such as +08:00",
        ),
        ({"warehouses": "[{id: hangzhou}, {id: hangzhou}]"}, "warehouses[2].id: there are two warehouses hangzhou"),
        ({"warehouses": "[{id: hangzhou, regions: [华冬]}]"}, "warehouses[1].regions[1]: 华冬 is not a known region"),
        ({"regions": "{江浙沪: [江苏, 折江]}"}, "regions.江浙沪[2]: 折江 is not a province"),
        ({"rulez": "[]"}, "rulez: there is no field rulez here; did you mean rules?"),
    ],
)
def test_a_bad_block(changes: dict[str, str], said: str) -> None:
    assert any(problem.tell().partition(": ")[2].startswith(said) for problem in errors(head(**changes)).problems)


def test_a_region_of_the_sellers_own_can_be_named_by_rules_and_warehouses() -> None:
    text = head(
        regions="{江浙沪: [江苏省, 浙江, 上海市]}",
        warehouses="[{id: hangzhou, regions: [江浙沪]}]",
        rules="[{id: a, priority: 1, when: {region: 江浙沪}, then: {assign: hangzhou}}]",
    )
    assert load_ruleset(text, "rules.yaml").regions["江浙沪"] == ("江苏", "浙江", "上海")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{id: k, look_in: title, then: {kind: gift}}", "tagging rule k: keywords is missing"),
        ("{id: k, look_in: titel, keywords: [a], then: {kind: gift}}", "tagging rule k, look_in: titel is not a place to look in; did you mean title?"),
        ("{id: k, look_in: title, keywords: [], then: {kind: gift}}", "tagging rule k, keywords: is an empty list"),
        ("{id: k, look_in: title, keywords: [a], then: {kind: purchase}}", "tagging rule k, then.kind: purchase is not a kind to make of a line"),
        ("{id: k, look_in: title, keywords: [a], then: {}}", "tagging rule k, then: needs kind, tag, or both"),
        ("{id: k, look_in: promotion, keywords: [a], then: {kind: gift}}", "tagging rule k, then: kind is about one line, so look_in can only be line-mark, sku, title"),
        ("{id: k, look_in: title, keywords: [a], channels: tabao, then: {tag: x}}", "tagging rule k, channels: tabao is not a channel; did you mean taobao?"),
    ],
)  # fmt: skip
def test_a_bad_tagging_rule(rule: str, said: str) -> None:
    lines = of_rule(GOOD, tagging=rule)
    assert len(lines) == 1
    assert lines[0].startswith(f"rules.yaml, line 3: {said}")


# -- the file as such --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rules.yaml: the file is empty"),
        ("# nothing\n", "rules.yaml: the file is empty"),
        ("just words", "rules.yaml, line 1: should be a group of fields, written as `name: value`"),
        ("ruleset: {name: a\nrules: [", "rules.yaml, line 2: is not valid YAML: "),
        ("ruleset:\n\t name: a", "rules.yaml, line 2: is not valid YAML: "),
        (HEAD + "rules: &r []\n", "rules.yaml, line 3: uses an anchor (& or *); write the value out"),
        (HEAD + "rules: *r\n", "rules.yaml, line 3: "),
        (HEAD + "rules:\n---\nmore: 1\n", "rules.yaml, line 4: starts a second document (---); keep one"),
        (HEAD + "rules: " + "[" * 60 + "]" * 60, "rules.yaml, line 3: is nested deeper than 40 levels"),
        ("a: \0", "rules.yaml: holds a character that YAML does not allow"),
        (b"ruleset: \xff\n", "rules.yaml, line 1: the file is not UTF-8 text; save it as UTF-8"),
        ("#" * (1 << 20) + "\n", "rules.yaml: the file is larger than 1 MiB"),
    ],
    ids=["empty", "comment", "words", "open", "tab", "anchor", "alias", "documents", "deep", "nul", "latin", "large"],
)
def test_a_file_that_can_not_be_read(text: str | bytes, said: str) -> None:
    assert errors(text).tell().startswith(said)


def test_a_key_that_stands_twice_is_refused() -> None:
    assert of_rule("{id: a, priority: 1, priority: 2, when: {region: 华东}, then: {assign: hangzhou}}") == [
        "rules.yaml, line 4: rule a, priority: stands here twice; keep one"
    ]


def test_a_byte_order_mark_is_no_problem() -> None:
    assert load_ruleset(b"\xef\xbb\xbf" + text_of(GOOD).encode(), "rules.yaml").label == "test@1"


@pytest.mark.parametrize("version", ["1.10", "2026-01", "007", "1e3", "NO"])
def test_the_version_is_what_was_written(version: str) -> None:
    ruleset = load_ruleset(head(ruleset=f"{{name: test, version: {version}}}"), "rules.yaml")
    assert ruleset.version == version
    assert ruleset.label == f"test@{version}"


def test_the_digest_tells_contents_apart() -> None:
    one, same, other = (load_ruleset(text_of(rule), "r") for rule in (GOOD, GOOD, GOOD.replace("华东", "华南")))
    assert one.digest == same.digest != other.digest


def test_unquoted_norway_is_a_country() -> None:
    text = text_of("{id: a, priority: 1, when: {country: NO}, then: {assign: hangzhou}}")
    assert load_ruleset(text, "rules.yaml").rules[0].rule_id == "a"
