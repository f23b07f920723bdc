"""docker-compose.yml agrees with the code: nothing in it is checked by a Docker engine before a user's."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import SecretStr

import topology
from ops.setup.env_example import COMPOSE as DOCUMENTED
from ops.setup.env_example import variable
from tests.ops import compose, image
from tests.ops.command_line import complaint
from tests.ops.compose import COMPOSE, OURS, ROOT, SERVICES, SERVING, environment, published
from tests.ops.image import DOCKERFILE
from workers.notify.recipients import load_recipients
from workers.runtime.settings import Settings
from workers.runtime.table import groups, select
from workers.runtime.worker import _LEAVE_SECONDS

FOREIGN = sorted(set(SERVICES) - set(OURS))


def stages_of(service: str) -> list[str]:
    command = SERVICES[service]["command"]
    return command[command.index("--stages") + 1].split(",") if command[0] == "worker" else []


def seconds(text: str) -> int:
    assert text.endswith("s"), text
    return int(text.removesuffix("s"))


def prometheus() -> dict[str, Any]:
    path = compose.in_repository("prometheus", "/etc/prometheus/prometheus.yml")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def scraped() -> dict[str, Any]:
    [job] = [job for job in prometheus()["scrape_configs"] if job["job_name"] == "orderfleet"]
    [found] = job["dns_sd_configs"]
    return dict(found)


def provisioned(what: str, folder: str = "") -> list[dict[str, Any]]:
    found = compose.in_repository("grafana", f"/etc/grafana/provisioning/{folder or what}")
    return [each for path in found.glob("*.yaml") for each in yaml.safe_load(path.read_text(encoding="utf-8"))[what]]


# -- images --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", FOREIGN)
def test_every_image_is_pinned_to_a_full_version(service: str) -> None:
    """PostgreSQL's full versions have two numbers."""
    whole = r":\d+\.\d+-[a-z0-9.]+$" if service == "postgres" else r":v?\d+\.\d+\.\d+(-[a-z0-9.]+)?$"
    assert re.search(whole, SERVICES[service]["image"]), SERVICES[service]["image"]


def test_kafka_is_a_4_and_redis_a_7_or_8() -> None:
    assert SERVICES["kafka"]["image"].startswith("apache/kafka:4.")
    assert re.match(r"redis:[78]\.", SERVICES["redis"]["image"])


def test_our_image_stands_on_pinned_pythons_that_the_project_accepts() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert [base for base in bases if not re.fullmatch(r"python:3\.11\.\d+(-slim)?-bookworm", base)] == []
    assert bases[-1].endswith("-slim-bookworm")


def test_our_image_runs_as_nobody_special_and_checks_hashes() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    installed = re.search(r"pip install (?:.|\\\n)*-r (\S+)", DOCKERFILE)
    assert installed is not None
    assert "--require-hashes" in installed[0]
    assert installed[1] == f"/tmp/{image.LOCK.name}"
    assert f"COPY {image.LOCK.name} {installed[1]}\n" in DOCKERFILE


def test_what_the_image_copies_is_let_through_to_the_builder_and_nothing_else_is() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines.index("*") < min(number for number, line in enumerate(lines) if line.startswith("!"))
    assert {line[1:] for line in lines if line[:1] == "!"} == {*image.copied(), image.LOCK.name}


# -- commands and settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_one_that_orderfleet_understands(service: str) -> None:
    assert complaint(SERVICES[service]["command"]) == ""


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert complaint(["worker", "--stage", "reserve"]) != ""
    assert complaint(["labour"]) != ""
    assert complaint(["explain"]) != ""


@pytest.mark.parametrize("service", [name for name in OURS if stages_of(name)])
def test_every_worker_runs_whole_groups_of_stages_that_exist(service: str) -> None:
    named = stages_of(service)
    run = [stage.name for group in select(topology.STAGES, named) for stage in group.stages]
    assert sorted(named) == sorted(run)


def test_every_stage_runs_in_one_service() -> None:
    run = Counter(stage for service in OURS for stage in stages_of(service))
    known = [stage.name for group in groups(topology.STAGES) for stage in group.stages]
    for stage in known:
        assert run[stage] == 1, (
            f"the stage {stage} runs in {run[stage]} services of docker-compose.yml: add it to the --stages of one, "
            "or add a service (and name it in ops/monitoring/provisioning/prometheus/prometheus.yml)"
        )


@pytest.mark.parametrize("service", OURS)
def test_every_variable_of_ours_is_a_setting(service: str) -> None:
    known = {variable(name) for name in Settings.model_fields}
    assert [name for name in environment(service) if name not in known] == []


@pytest.mark.parametrize("service", OURS)
def test_the_settings_it_gives_are_accepted(service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment(service).items():
        monkeypatch.setenv(name, value)
    assert Settings().metrics_port == scraped()["port"]


def test_every_variable_of_the_file_itself_is_in_the_example_with_its_default() -> None:
    assert compose.variables() == {name: default for name, (default, _) in DOCUMENTED.items()}


# -- addresses -----------------------------------------------------------------------------------------------------


def listeners(name: str) -> dict[str, tuple[str, int]]:
    found = re.findall(r"(\w+)://([^:,]*):(\d+)", environment("kafka")[name])
    return {listener: (host, int(port)) for listener, host, port in found}


def test_kafka_listens_where_it_says_it_can_be_found() -> None:
    listening, told = listeners("KAFKA_LISTENERS"), listeners("KAFKA_ADVERTISED_LISTENERS")
    [(host, outside, inside)] = published("kafka")
    assert told["INTERNAL"] == (SERVICES["kafka"]["hostname"], listening["INTERNAL"][1])
    assert told["HOST"] == (host, outside)
    assert listening["HOST"][1] == inside
    voters = environment("kafka")["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    assert voters == f"{environment('kafka')['KAFKA_NODE_ID']}@kafka:{listening['CONTROLLER'][1]}"


def test_every_kafka_listener_has_a_protocol() -> None:
    pairs = environment("kafka")["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert {pair.split(":")[0] for pair in pairs} == set(listeners("KAFKA_LISTENERS"))
    assert environment("kafka")["KAFKA_CONTROLLER_LISTENER_NAMES"] in listeners("KAFKA_LISTENERS")
    assert environment("kafka")["KAFKA_INTER_BROKER_LISTENER_NAME"] in listeners("KAFKA_ADVERTISED_LISTENERS")


@pytest.mark.parametrize("service", OURS)
def test_the_fleet_looks_for_kafka_and_redis_where_they_are(service: str) -> None:
    host, port = listeners("KAFKA_ADVERTISED_LISTENERS")["INTERNAL"]
    assert environment(service)["ORDERFLEET_KAFKA"] == f"{host}:{port}"
    [(_, _, redis)] = published("redis")
    assert environment(service)["ORDERFLEET_REDIS_URL"].startswith(f"redis://redis:{redis}/")


def test_the_command_line_on_the_host_finds_both_by_its_defaults() -> None:
    defaults = Settings.model_construct()
    [(host, kafka, _)], [(_, redis, _)] = published("kafka"), published("redis")
    assert defaults.kafka == f"{host}:{kafka}"
    assert f"{host}:{redis}" in defaults.redis_url.get_secret_value()


@pytest.mark.parametrize("service", OURS)
def test_the_fleet_looks_for_the_book_where_it_is(service: str) -> None:
    found = urlsplit(compose.with_defaults(environment(service)["ORDERFLEET_BOOK_URL"]))
    server = {name: compose.with_defaults(value) for name, value in environment("postgres").items()}
    [(_, _, inside)] = published("postgres")
    assert (found.hostname, found.port) == ("postgres", inside)
    assert (found.username, found.password) == (server["POSTGRES_USER"], server["POSTGRES_PASSWORD"])
    assert found.path == f"/{server['POSTGRES_DB']}"


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_loopback_only(service: str) -> None:
    assert {host for host, _, _ in published(service)} <= {"127.0.0.1"}


def test_no_port_of_the_host_is_wanted_twice_and_no_scaled_service_publishes_one() -> None:
    ports = Counter(outside for service in SERVICES for _, outside, _ in published(service))
    assert [port for port, count in ports.items() if count > 1] == []
    scaled = [name for name, service in SERVICES.items() if service.get("deploy", {}).get("replicas", 1) > 1]
    assert [name for name in scaled if published(name)] == []


def test_pushes_come_in_where_they_are_published() -> None:
    told = environment("receive")
    [(_, _, inside)] = published("receive")
    assert told["ORDERFLEET_WEBHOOK_PORT"] == str(inside)
    assert told["ORDERFLEET_WEBHOOK_HOST"] == "0.0.0.0"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_every_address_that_the_readme_gives_is_published(page: str) -> None:
    told = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", (ROOT / page).read_text(encoding="utf-8"))}
    assert told == {outside for service in SERVICES for _, outside, _ in published(service)}


# -- watching ------------------------------------------------------------------------------------------------------


def test_prometheus_looks_for_every_service_at_the_port_of_its_metrics() -> None:
    assert sorted(scraped()["names"]) == sorted(SERVING)
    for service in SERVING:
        assert environment(service)["ORDERFLEET_METRICS_PORT"] == str(scraped()["port"])
        assert f":{scraped()['port']}/metrics" in SERVICES[service]["healthcheck"]["test"][-1]


def test_prometheus_finds_its_configuration_and_its_rules() -> None:
    [option] = [word for word in SERVICES["prometheus"]["command"] if word.startswith("--config.file=")]
    assert compose.in_repository("prometheus", option.partition("=")[2]).is_file()
    for pattern in prometheus()["rule_files"]:
        folder, name = pattern.rsplit("/", 1)
        assert list(compose.in_repository("prometheus", folder).glob(name)) != [], pattern
    [manager] = prometheus()["alerting"]["alertmanagers"]
    [told] = manager["file_sd_configs"][0]["files"]
    [targets] = yaml.safe_load(compose.in_repository("prometheus", told).read_text(encoding="utf-8"))
    [(_, _, inside)] = published("alertmanager")
    assert targets == {"targets": [f"alertmanager:{inside}"]}


def test_alertmanager_posts_where_alerts_are_taken_with_the_token_that_is_asked_for() -> None:
    path = compose.in_repository("alertmanager", "/etc/alertmanager/alertmanager.yml")
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    [receiver] = found["receivers"]
    [hook] = receiver["webhook_configs"]
    told = environment("alerts")
    assert found["route"]["receiver"] == receiver["name"]
    assert hook["url"] == f"http://alerts:{told['ORDERFLEET_ALERTS_PORT']}/alerts"
    assert hook["send_resolved"] is True
    [token] = SERVICES["alertmanager"]["configs"]
    assert hook["http_config"]["authorization"]["credentials_file"] == token["target"]
    assert COMPOSE["configs"][token["source"]]["content"] == told["ORDERFLEET_ALERTS_TOKEN"]


def test_whoever_tells_people_has_the_file_of_recipients() -> None:
    for service in ("notify", "alerts"):
        file = compose.in_repository(service, environment(service)["ORDERFLEET_NOTICES_FILE"])
        assert load_recipients(file, SecretStr("")).recipients == {}


def test_grafana_finds_its_source_of_data_and_its_dashboards() -> None:
    [source] = provisioned("datasources")
    [(_, _, inside)] = published("prometheus")
    assert source["url"] == f"http://prometheus:{inside}"
    [provider] = provisioned("providers", "dashboards")
    folder = compose.in_repository("grafana", provider["options"]["path"])
    assert folder == ROOT / "ops" / "monitoring" / "dashboards"
    home = environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert compose.in_repository("grafana", home).is_file()


# -- behaviour -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_every_mounted_path_is_there_and_every_volume_is_declared(service: str) -> None:
    for source in compose.mounts(service).values():
        if not source.startswith("."):
            assert source in COMPOSE["volumes"]
        elif source != DOCUMENTED["SHOPS_FILE"][0]:  # the user's own
            assert (ROOT / source).exists(), source


def test_the_files_the_fleet_is_told_of_are_mounted() -> None:
    for service in OURS:
        for name in ("ORDERFLEET_RULES_FILE", "ORDERFLEET_CATALOGUE_FILE"):
            assert compose.in_repository(service, environment(service)[name]).is_file()
    for service in ("poll", "receive"):
        command = SERVICES[service]["command"]
        assert command[command.index("--shops") + 1] in compose.mounts(service)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_watched_and_started_again(service: str) -> None:
    if service == "topics":
        assert SERVICES[service]["restart"] == "no"
    else:
        assert SERVICES[service]["restart"] == "unless-stopped"
        assert SERVICES[service]["healthcheck"]["test"]


@pytest.mark.parametrize("service", SERVING)
def test_a_worker_is_given_the_time_it_needs_to_leave(service: str) -> None:
    assert seconds(SERVICES[service]["stop_grace_period"]) > _LEAVE_SECONDS + 2


@pytest.mark.parametrize("service", SERVING)
def test_the_fleet_starts_when_its_servers_and_topics_are_ready(service: str) -> None:
    assert {name: wait["condition"] for name, wait in SERVICES[service]["depends_on"].items()} == {
        "kafka": "service_healthy",
        "redis": "service_healthy",
        "topics": "service_completed_successfully",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_is_waited_for_exists_and_can_be_healthy(service: str) -> None:
    for name, wait in SERVICES[service].get("depends_on", {}).items():
        assert name in SERVICES
        if wait["condition"] == "service_healthy":
            assert not SERVICES[name]["healthcheck"].get("disable")


def test_redis_keeps_what_it_confirmed_and_forgets_nothing_when_full() -> None:
    words = SERVICES["redis"]["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize("service", OURS)
def test_our_containers_have_no_rights_that_they_do_not_need(service: str) -> None:
    found = SERVICES[service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
