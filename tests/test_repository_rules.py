"""What holds for the whole repository: what an operator is shown exists, and every alert says what to do."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from schemas.codes import NoticeCode
from schemas.codes.notice import runbook_of
from tests.ops.command_line import complaint, shown_in
from tests.ops.compose import SERVICES, SERVING
from tests.ops.monitoring import files as monitoring
from tests.ops.monitoring.files import DASHBOARDS, NOT_OURS, ROOT

RUNBOOKS = ROOT / "ops" / "monitoring" / "runbooks"
PAGES = sorted(
    {"README.md", "CONTRIBUTING.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "ops").rglob("*.md"))}
)
ALERTS = sorted({alert["alert"] for alert in monitoring.alerts()})
EXPRESSIONS = [
    pytest.param(expr, id=f"{where}-{number}") for number, (where, expr) in enumerate(monitoring.expressions())
]


# -- metrics -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_asked_for_exists(expression: str) -> None:
    known = {*monitoring.exported(), *monitoring.recorded(), *NOT_OURS}
    names = monitoring.names_in(expression)
    assert names, "no metric found: is tests/ops/monitoring/files.py right?"
    assert sorted(names - known) == []


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_that_is_asked_for_exists(expression: str) -> None:
    labels = monitoring.exported()
    wrong = [
        f"{name} has no label {label}"
        for name, asked in monitoring.selectors(expression)
        if name in labels
        for label in asked - labels[name] - {"job", "instance", "service"}
    ]
    assert wrong == []


def test_no_rule_records_what_another_records() -> None:
    assert [name for name, count in Counter(monitoring.recorded()).items() if count > 1] == []


def test_a_metric_that_does_not_exist_is_noticed() -> None:
    assert monitoring.names_in('sum by (le) (rate(orders_gone_total{a="b"}[5m])) > 1') == {"orders_gone_total"}
    assert monitoring.names_in("a:b:c offset 5m and on (x) histogram_quantile(0.9, d)") == {"a:b:c", "d"}
    assert "orders_dead_letters" not in monitoring.exported()
    assert "orders_dead_letters_total" in monitoring.exported()


def test_every_metric_is_shown_somewhere() -> None:
    shown = {name for _, expression in monitoring.expressions() for name in monitoring.names_in(expression)}
    families = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in monitoring.exported()}
    unseen = sorted(family for family in families if not any(name.startswith(family) for name in shown))
    assert unseen == [], (
        "put them on a dashboard in ops/monitoring/dashboards/, or take them out of workers/runtime/metrics.py"
    )


def test_no_label_names_a_single_order_or_article() -> None:
    labels = {label for names in monitoring.exported().values() for label in names}
    assert labels & {"order", "order_uid", "order_id", "sku", "buyer"} == set()


# -- alerts and runbooks -------------------------------------------------------------------------------------------


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("Orders*.md")) == ALERTS


@pytest.mark.parametrize("name", ALERTS)
def test_every_runbook_has_its_four_parts(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]


@pytest.mark.parametrize("alert", monitoring.alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_says_how_bad_it_is_and_what_to_do_in_both_languages(alert: dict[str, dict[str, str]]) -> None:
    told = alert["annotations"]
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(told) == {"summary", "summary_zh", "description", "runbook"}
    assert told["runbook"] == f"ops/monitoring/runbooks/{alert['alert']}.md"
    assert re.search(r"[一-鿿]", told["summary_zh"])
    filled_in = [set(re.findall(r"\{\{.*?\}\}", told[name])) for name in ("summary", "summary_zh")]
    assert filled_in[0] == filled_in[1]


def test_every_alert_is_unit_tested_both_ways() -> None:
    fires, silent = Counter[str](), Counter[str]()
    for path in (ROOT / "tests" / "ops" / "monitoring" / "alerts").glob("*_test.yaml"):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for step in case["alert_rule_test"]:
                (fires if step["exp_alerts"] else silent)[step["alertname"]] += 1
    assert sorted(fires) == ALERTS
    assert sorted(silent) == ALERTS


def test_a_service_that_is_down_is_noticed_whichever_it_is() -> None:
    watched = [alert["expr"] for alert in monitoring.alerts() if alert["alert"] == "OrdersServiceDown"]
    assert sorted(re.findall(r"service=\"(\w+)\"", " ".join(watched))) == sorted(SERVING)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_shows_is_understood(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    wrong = {" ".join(words): complaint(words) for words in shown_in(text) if complaint(words)}
    assert wrong == {}


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_names_services_that_exist(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    named = re.findall(
        r"docker compose (?:exec|run --rm|restart|logs --since \w+|ps) ([a-z ]+?)(?= {2,}|$|`| redis-cli| poll)",
        page,
        re.MULTILINE,
    )
    assert {word for words in named for word in words.split()} <= set(SERVICES)


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_runbook_is_there_in_chinese_with_the_same_commands() -> None:
    english, chinese = sorted(RUNBOOKS.glob("*.md")), sorted((RUNBOOKS / "zh").glob("*.md"))
    assert [page.name for page in chinese] == [page.name for page in english]
    assert [page.name for page, other in zip(english, chinese, strict=True) if blocks(page) != blocks(other)] == []
    parts = {page.stem: re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) for page in chinese}
    assert [name for name in ALERTS if parts[name] != ["含义", "影响", "诊断", "处理"]] == []


def test_a_chinese_runbook_names_what_the_english_one_does() -> None:
    """Settings, codes, files: whatever is a word of the code."""
    for page in RUNBOOKS.glob("Orders*.md"):
        named = set(re.findall(r"ORDERFLEET_[A-Z_]+", page.read_text(encoding="utf-8")))
        other = (RUNBOOKS / "zh" / page.name).read_text(encoding="utf-8")
        assert {name for name in named if name not in other} == set(), page.name


def test_every_link_of_a_runbook_leads_somewhere() -> None:
    for page in RUNBOOKS.rglob("*.md"):
        links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == [], page


def test_every_notice_has_its_runbook() -> None:
    told = {code: runbook_of(code(**dict.fromkeys(re.findall(r"{(\w+)}", code.en), "x"))) for code in NoticeCode}
    without = {code for code, page in told.items() if not page}
    assert without == {NoticeCode.NOTICE_TEST, NoticeCode.ALERT}, "an alert's page is called as the alert is"
    assert [page for page in told.values() if page and not (RUNBOOKS / f"{page}.md").exists()] == []


# -- dashboards ----------------------------------------------------------------------------------------------------


def test_dashboards_have_names_of_their_own() -> None:
    pages = [monitoring.dashboard(path) for path in DASHBOARDS]
    for key in ("uid", "title"):
        assert len({page[key] for page in pages}) == len(pages) > 0


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_every_panel_has_a_place_a_title_in_both_languages_and_a_known_source(path: Path) -> None:
    source = yaml.safe_load(
        (ROOT / "ops/monitoring/provisioning/grafana/datasources/prometheus.yaml").read_text(encoding="utf-8")
    )["datasources"][0]["uid"]
    panels = monitoring.dashboard(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert re.fullmatch(r"[ -~]+ · .*[一-鿿].*", panel["title"]), panel["title"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert panel["type"] == "row" or panel["datasource"]["uid"] == source


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_no_panel_lies_on_another(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in monitoring.dashboard(path)["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells
