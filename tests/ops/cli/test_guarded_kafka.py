"""A Kafka that encrypts and asks who comes: every client of the fleet gets in, and nobody else does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr
from redis import Redis

from ops.bench.ground import set_stock
from ops.bench.orders import copied
from ops.bench.seller import WAREHOUSES, write_files
from ops.cli.output import ExitCode
from ops.testbed.local_stack.apache_kafka import ApacheKafka, Guard
from ops.testbed.local_stack.child import Child, fleet_environment, worker
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.namespace import use_prefix
from schemas.plan import PlannedOrder
from schemas.topics import ORDERS_PLANNED, ORDERS_ROUTED
from tests.kafka import wait_until
from tests.ops.cli.conftest import Run
from workers.admin.scan import Found, Topics
from workers.inventory.archive import PlannedArchive
from workers.inventory.keys import relay_key
from workers.inventory.ledger import Ledger
from workers.runtime.kafka.cluster import Cluster, Mechanism, Security
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record
from workers.runtime.redis.connections import connect

ORDERS = 20
OURS, OTHERS = "127.0.0.1", "broker.example"


class Way(NamedTuple):
    """One way in. `name`: whose name is in the broker's certificate."""

    listener: str
    security: Security
    mechanism: Mechanism
    name: str


WAYS = (
    Way("SCRAM512", "sasl_ssl", "SCRAM-SHA-512", OURS),
    Way("PLAIN", "sasl_ssl", "PLAIN", OTHERS),
    Way("SCRAM256", "sasl_plaintext", "SCRAM-SHA-256", OURS),
    Way("TLS", "ssl", "PLAIN", OURS),
)


class Door(NamedTuple):
    """A guarded Kafka and what the fleet is told of it."""

    cluster: Cluster
    environment: dict[str, str]
    redis_url: str
    folder: Path


def _key_and_chain(authority: trustme.CA, file: Path, name: str) -> Path:
    """As Kafka reads it: the key in PKCS #8."""
    issued = authority.issue_cert(name)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + b"".join(part.bytes() for part in issued.cert_chain_pems))
    return file


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def kafka(authority: trustme.CA, jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """One with a door for each way: starting one takes longer than all that is done with it."""
    folder = Path(tmp_path_factory.mktemp("guarded"))
    keys = {name: _key_and_chain(authority, folder / f"{name}.pem", name) for name in (OURS, OTHERS)}
    guards = {way.listener: Guard(way.security.upper(), "fleet", "secret", keys[way.name]) for way in WAYS}
    with ApacheKafka(folder, jars=jars, guards=guards) as running:
        yield running


@pytest.fixture(
    params=[WAYS[0], *(pytest.param(way, marks=pytest.mark.deep) for way in WAYS[1:3]), WAYS[3]],
    ids=lambda way: f"{way.security}-{way.mechanism}-{way.name}",
)
def door(request: pytest.FixtureRequest, kafka: ApacheKafka, authority: trustme.CA, tmp_path: Path) -> Iterator[Door]:
    """Every way in, each with a fleet of its own."""
    way: Way = request.param
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    rules, catalogue = write_files(tmp_path)
    address = kafka.guarded_address(way.listener)
    cluster = Cluster(
        address, way.security, way.mechanism, "fleet", SecretStr("secret"), trusted, check_hostname=way.name == OURS
    )
    asked = {"ORDERFLEET_KAFKA_USERNAME": "fleet", "ORDERFLEET_KAFKA_PASSWORD": "secret"}
    use_prefix(way.listener.lower())
    with RedisServer(tmp_path) as redis:
        environment = fleet_environment(
            address,
            redis.url,
            4,
            {
                "ORDERFLEET_KAFKA_SECURITY": way.security,
                "ORDERFLEET_KAFKA_MECHANISM": way.mechanism,
                "ORDERFLEET_KAFKA_CA_FILE": str(trusted),
                "ORDERFLEET_KAFKA_CHECK_HOSTNAME": str(cluster.check_hostname),
                **(asked if cluster.requires_auth else {}),
                "ORDERFLEET_RULES_FILE": str(rules),
                "ORDERFLEET_CATALOGUE_FILE": str(catalogue),
            },
        )
        yield Door(cluster, environment, redis.url, tmp_path)
    use_prefix("")


def test_whoever_is_let_in_can_do_everything_and_nobody_else_anything(
    door: Door, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in door.environment.items():
        monkeypatch.setenv(name, value)
    _an_order_goes_all_the_way_and_is_found_again(door, run)
    with monkeypatch.context() as changed:
        _whoever_is_not_let_in_is_told_what_to_look_at(door, run, changed)
    _until_rebuilt(door, run)


def _an_order_goes_all_the_way_and_is_found_again(door: Door, run: Run) -> None:
    created = run("topics", "create", "--json")
    assert created.exit_code == 0, created.output
    fleet = worker("worker", "normalize,reserve,relay", door.folder, door.environment)
    asyncio.run(_stock_up(door))
    fleet.start()
    try:
        fleet.wait_ready()
        asyncio.run(_send(door.cluster, list(islice(copied(ORDERS), ORDERS))))
        routed = _until_all(door.cluster, [ORDERS_ROUTED.of(warehouse) for warehouse in WAREHOUSES])
        planned = _until_all(door.cluster, [ORDERS_PLANNED.name])
    finally:
        fleet.stop()
    assert {found.key for found in routed} == {found.key for found in planned}
    kept = asyncio.run(_archived(door.cluster, planned[0]))
    assert kept is not None
    assert kept.order.uid.encode() == planned[0].key
    for words in (["explain", kept.order.uid], ["stock", "audit"]):
        done = run(*words)
        assert done.exit_code == 0, done.output


async def _stock_up(door: Door) -> None:
    async with connect(door.redis_url) as redis:
        await set_stock(Ledger(redis))


async def _archived(cluster: Cluster, place: Found) -> PlannedOrder | None:
    archive = PlannedArchive(cluster)
    [kept] = await archive.read([(place.partition, place.offset)])
    await archive.close()
    return kept


def _until_rebuilt(door: Door, run: Run) -> None:
    """Ten seconds after the worker has left: then nobody is taken to relay events any more."""
    with Redis.from_url(door.redis_url) as redis:
        held = [relay_key(warehouse) for warehouse in WAREHOUSES]
        wait_until(lambda: not redis.exists(*held), 60, "the end of the relay's leases")
    done = run("stock", "rebuild", "--dry-run")
    assert done.exit_code == 0, done.output


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


def _whoever_is_not_let_in_is_told_what_to_look_at(door: Door, run: Run, changed: pytest.MonkeyPatch) -> None:
    if not door.cluster.check_hostname:
        setting, value, reason = "ORDERFLEET_KAFKA_CHECK_HOSTNAME", "true", "mismatch"
    elif door.cluster.requires_auth:
        setting, value, reason = "ORDERFLEET_KAFKA_PASSWORD", "guessed", "Authentication"
    else:
        setting, value = "ORDERFLEET_KAFKA_CA_FILE", str(_of_somebody_else(door.folder))
        reason = "certificate verify failed"
    changed.setenv(setting, value)
    asked = run("topics", "list")
    assert asked.exit_code == ExitCode.AWAY, asked.output
    assert setting in asked.stderr
    fleet = worker("refused", "normalize", door.folder, {**door.environment, setting: value})
    fleet.start()
    try:
        _until_logged(fleet, reason, "waiting for one")
        assert fleet.running
    finally:
        fleet.stop()
    assert "guessed" not in asked.output + fleet.log.read_text()


def _until_logged(fleet: Child, *words: str) -> None:
    deadline = time.monotonic() + 60
    while not all(word in fleet.log.read_text() for word in words):
        assert time.monotonic() < deadline, fleet.log.read_text()[-2000:]
        time.sleep(0.05)


def _of_somebody_else(folder: Path) -> Path:
    file = folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file
