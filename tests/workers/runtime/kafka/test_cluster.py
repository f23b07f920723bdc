"""How clients get into Kafka, and which settings do not go together."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from workers.runtime.kafka.cluster import Cluster
from workers.runtime.settings import Settings

USER: dict[str, Any] = {"kafka_username": "fleet", "kafka_password": SecretStr("s3cret")}


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


def test_a_text_is_a_cluster_that_lets_everybody_in() -> None:
    cluster = Cluster.of("a:9092,b:9092")
    assert cluster.for_librdkafka() == {"bootstrap.servers": "a:9092,b:9092"}
    assert cluster.for_aiokafka() == {"bootstrap_servers": "a:9092,b:9092"}
    assert Cluster.of(cluster) is cluster


def test_a_user_on_an_encrypted_way_is_told_to_both_libraries(ca_file: Path) -> None:
    settings = Settings(kafka_security="sasl_ssl", kafka_mechanism="SCRAM-SHA-512", kafka_ca_file=ca_file, **USER)
    cluster = settings.cluster
    assert cluster.for_librdkafka() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "sasl_ssl",
        "ssl.ca.location": str(ca_file),
        "ssl.endpoint.identification.algorithm": "https",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "fleet",
        "sasl.password": "s3cret",
    }
    told = cluster.for_aiokafka()
    context = told.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert told == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "fleet",
        "sasl_plain_password": "s3cret",
    }


def test_a_name_that_is_not_checked_leaves_the_certificate_checked(ca_file: Path) -> None:
    cluster = Settings(kafka_security="ssl", kafka_ca_file=ca_file, kafka_check_hostname=False).cluster
    assert cluster.for_librdkafka()["ssl.endpoint.identification.algorithm"] == "none"
    context = cluster.for_aiokafka()["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)


def test_a_password_is_never_shown(ca_file: Path) -> None:
    settings = Settings(kafka_security="sasl_plaintext", **USER)
    assert "s3cret" not in repr(settings) + repr(settings.cluster)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kafka_security": "sasl_ssl"}, "set ORDERFLEET_KAFKA_USERNAME and ORDERFLEET_KAFKA_PASSWORD"),
        ({"kafka_security": "sasl_ssl", "kafka_username": "fleet"}, "ORDERFLEET_KAFKA_PASSWORD"),
        (USER, "nobody is asked for it"),
        ({"kafka_security": "ssl", "kafka_ca_file": Path(__file__)}, "test_cluster.py cannot be read as certificates"),
        ({"kafka_security": "ssl", "kafka_ca_file": Path("none.pem")}, "none.pem cannot be read as .* No such file"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as refused:
        Settings(**given)
    assert "s3cret" not in str(refused.value)
