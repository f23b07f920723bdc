"""A Kafka that encrypts and asks who comes: every client of the fleet gets in, and nobody else does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr

from ops.bench.ground import set_stock
from ops.bench.orders import copied
from ops.bench.seller import WAREHOUSES, write_files
from ops.cli.output import ExitCode
from ops.testbed.local_stack.apache_kafka import ApacheKafka, Guard
from ops.testbed.local_stack.child import Child, fleet_environment, worker
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.topics import ORDERS_PLANNED, ORDERS_ROUTED
from tests.ops.cli.conftest import Program
from workers.admin.scan import Found, Topics
from workers.inventory.archive import PlannedArchive
from workers.inventory.ledger import Ledger
from workers.runtime.kafka.cluster import Cluster, Mechanism, Security
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record
from workers.runtime.redis.connections import connect

ORDERS = 20
OURS, OTHERS = "127.0.0.1", "broker.example"
WAYS: list[tuple[Security, Mechanism, str]] = [  # the last: whose name is in the broker's certificate
    ("sasl_ssl", "SCRAM-SHA-512", OURS),
    ("sasl_ssl", "PLAIN", OTHERS),
    ("sasl_plaintext", "SCRAM-SHA-256", OURS),
    ("ssl", "PLAIN", OURS),
]


class Door(NamedTuple):
    """A guarded Kafka and what the fleet is told of it."""

    cluster: Cluster
    environment: dict[str, str]
    redis_url: str
    folder: Path


def _key_and_chain(authority: trustme.CA, folder: Path, name: str) -> Path:
    """As Kafka reads it: the key in PKCS #8."""
    issued = authority.issue_cert(name)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "broker.pem"
    file.write_bytes(pem + b"".join(part.bytes() for part in issued.cert_chain_pems))
    return file


@pytest.fixture(params=WAYS, ids=lambda way: "-".join(way))
def door(request: pytest.FixtureRequest, jars: Path, tmp_path: Path) -> Iterator[Door]:
    """Every way in."""
    security, mechanism, name = request.param
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    guard = Guard(security.upper(), "fleet", "secret", _key_and_chain(authority, tmp_path, name))
    rules, catalogue = write_files(tmp_path)
    with ApacheKafka(tmp_path, jars=jars, guard=guard) as kafka, RedisServer(tmp_path) as redis:
        cluster = Cluster(
            kafka.guarded_address, security, mechanism, "fleet", SecretStr("secret"), trusted, name == OURS
        )
        asked = {"ORDERFLEET_KAFKA_USERNAME": "fleet", "ORDERFLEET_KAFKA_PASSWORD": "secret"}
        environment = fleet_environment(
            kafka.guarded_address,
            redis.url,
            4,
            {
                "ORDERFLEET_KAFKA_SECURITY": security,
                "ORDERFLEET_KAFKA_MECHANISM": mechanism,
                "ORDERFLEET_KAFKA_CA_FILE": str(trusted),
                "ORDERFLEET_KAFKA_CHECK_HOSTNAME": str(name == OURS),
                **(asked if cluster.requires_auth else {}),
                "ORDERFLEET_RULES_FILE": str(rules),
                "ORDERFLEET_CATALOGUE_FILE": str(catalogue),
            },
        )
        yield Door(cluster, environment, redis.url, tmp_path)


async def test_whoever_is_let_in_can_do_everything_and_nobody_else_anything(door: Door, program: Program) -> None:
    await _an_order_goes_all_the_way_and_is_found_again(door, program)
    _whoever_is_not_let_in_is_told_what_to_look_at(door, program)
    _until_rebuilt(door, program)


async def _an_order_goes_all_the_way_and_is_found_again(door: Door, program: Program) -> None:
    created = program("topics", "create", "--json", **door.environment)
    assert created.returncode == 0, created.stdout + created.stderr
    async with connect(door.redis_url) as redis:
        await set_stock(Ledger(redis))
    fleet = worker("worker", "normalize,reserve,relay", door.folder, door.environment)
    fleet.start()
    try:
        fleet.wait_ready()
        await _send(door.cluster, list(islice(copied(), ORDERS)))
        routed = _until_all(door.cluster, [ORDERS_ROUTED.of(warehouse) for warehouse in WAREHOUSES])
        planned = _until_all(door.cluster, [ORDERS_PLANNED.name])
    finally:
        fleet.stop()
    assert {found.key for found in routed} == {found.key for found in planned}
    archive = PlannedArchive(door.cluster)
    [kept] = await archive.read([(planned[0].partition, planned[0].offset)])
    await archive.close()
    assert kept is not None
    assert kept.order.uid.encode() == planned[0].key
    for words in (["explain", kept.order.uid], ["stock", "audit"]):
        done = program(*words, **door.environment)
        assert done.returncode == 0, done.stdout + done.stderr


def _until_rebuilt(door: Door, program: Program) -> None:
    """Ten seconds after the worker has left: then nobody is taken to relay events any more."""
    deadline = time.monotonic() + 60
    while (done := program("stock", "rebuild", "--dry-run", **door.environment)).returncode:
        assert b"lease" in done.stderr, done.stdout + done.stderr
        assert time.monotonic() < deadline


async def _send(cluster: Cluster, records: Sequence[Record]) -> None:
    producer = Producer(cluster)
    producer.start()
    await producer.send(records)
    await producer.close()


def _until_all(cluster: Cluster, topics: Sequence[str]) -> list[Found]:
    deadline = time.monotonic() + 60
    while True:
        with Topics(cluster) as reading:
            found = [one for topic in topics for one in reading.matching(lambda _: True, topic)]
        if len({one.key for one in found}) == ORDERS:
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {ORDERS} orders in {topics}"


def _whoever_is_not_let_in_is_told_what_to_look_at(door: Door, program: Program) -> None:
    if not door.cluster.check_hostname:
        setting, value, reason = "ORDERFLEET_KAFKA_CHECK_HOSTNAME", "true", "mismatch"
    elif door.cluster.requires_auth:
        setting, value, reason = "ORDERFLEET_KAFKA_PASSWORD", "guessed", "Authentication"
    else:
        setting, value = "ORDERFLEET_KAFKA_CA_FILE", str(_of_somebody_else(door.folder))
        reason = "certificate verify failed"
    asked = program("topics", "list", **{**door.environment, setting: value})
    assert asked.returncode == ExitCode.AWAY, asked.stdout + asked.stderr
    assert setting in asked.stderr.decode()
    fleet = worker("refused", "normalize", door.folder, {**door.environment, setting: value})
    fleet.start()
    try:
        _until_logged(fleet, reason, "waiting for one")
        assert fleet.running
    finally:
        fleet.stop()
    assert "guessed" not in (asked.stdout + asked.stderr).decode() + fleet.log.read_text()


def _until_logged(fleet: Child, *words: str) -> None:
    deadline = time.monotonic() + 60
    while not all(word in fleet.log.read_text() for word in words):
        assert time.monotonic() < deadline, fleet.log.read_text()[-2000:]
        time.sleep(0.05)


def _of_somebody_else(folder: Path) -> Path:
    file = folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file
