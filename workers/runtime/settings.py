"""All settings, from the environment (`ORDERFLEET_*`) or a `.env` file. Nothing else reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.namespace import PREFIX_PATTERN, use_prefix
from schemas.text import Language
from workers.runtime.kafka.cluster import Cluster, Mechanism, Security

EXAMPLES = Path("ops/docs/examples")


class ShopLimits(BaseModel):
    """When people are told of one shop, where that is another time than for all: seconds, as in `watch_..._seconds`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    review_seconds: Annotated[float | None, Field(gt=0)] = None
    ship_seconds: Annotated[float | None, Field(ge=0)] = None
    backorder_seconds: Annotated[float | None, Field(gt=0)] = None
    shop_seconds: Annotated[float | None, Field(gt=0)] = None
    push_seconds: Annotated[float | None, Field(gt=0)] = None

    def given(self) -> dict[str, float]:
        """Those that are set."""
        return self.model_dump(exclude_none=True)


class Settings(BaseSettings):
    """Everything that differs between one installation and another. Durations in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERFLEET_", env_file=".env", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    kafka: Annotated[str, Field(description="Bootstrap brokers, comma separated")] = "127.0.0.1:9092"
    kafka_security: Annotated[Security, Field(description="How to get into Kafka; sasl_ssl: encrypted, as a user")] = (
        "plaintext"
    )
    kafka_mechanism: Annotated[Mechanism, Field(description="How Kafka checks the user")] = "PLAIN"
    kafka_username: Annotated[str, Field(description="With sasl_plaintext and sasl_ssl")] = ""
    kafka_password: Annotated[SecretStr, Field(description="With sasl_plaintext and sasl_ssl")] = SecretStr("")
    kafka_ca_file: Annotated[
        Path | None, Field(description="Whose certificates to trust with ssl and sasl_ssl, as PEM; unset: the system's")
    ] = None
    kafka_check_hostname: Annotated[
        bool, Field(description="Whether a certificate must be for the broker's name; false for a cloud's that are not")
    ] = True
    redis_url: Annotated[SecretStr, Field(description="redis://, rediss:// or unix:// address")] = SecretStr(
        "redis://127.0.0.1:6379/0"
    )
    book_url: Annotated[
        SecretStr,
        Field(description="postgresql:// address of the order book; empty: no book is kept. No transaction pooler"),
    ] = SecretStr("")
    figures_zone: Annotated[
        str,
        Field(description="Time zone in which a day of the figures begins and ends, as Asia/Shanghai."),
    ] = "Asia/Shanghai"
    book_days: Annotated[
        float, Field(gt=0, description="So long an order stays in the order book after it was placed, unless it waits")
    ] = 180.0
    book_shares: Annotated[
        int, Field(ge=1, description="Among how many processes the order book's work is divided; more of them stand by")
    ] = 1
    prefix: Annotated[
        str,
        Field(
            pattern=f"^{PREFIX_PATTERN}$",
            description="Before every topic, group and Redis key, with a dot, so that two fleets can share servers; "
            "lower-case letters, digits, hyphens",
        ),
    ] = ""
    lang: Annotated[Language | None, Field(description="en or zh; unset: en in the terminal, zh on pages")] = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="DEBUG may show personal data")
    ] = "INFO"

    rules_file: Annotated[Path, Field(description="The active routing ruleset")] = EXAMPLES / "rules.yaml"
    catalogue_file: Annotated[Path, Field(description="SKUs, their storage, and gift bindings")] = (
        EXAMPLES / "catalogue.yaml"
    )
    shops_file: Annotated[Path | None, Field(description="The shops to poll, as YAML; unset: none")] = None

    kafka_jars: Annotated[
        Path | None, Field(description="Where the fault suite keeps Apache Kafka; unset: .cache/ of the checkout")
    ] = None

    poll_fastest_seconds: Annotated[float, Field(gt=0, description="No shop is asked more often by itself")] = 5.0
    poll_peaks: Annotated[
        str,
        Field(
            description="When to ask as often as allowed, in China time, comma separated: 20:00/22:30 every day, "
            "2026-11-10T20:00/2026-11-12T00:00 once"
        ),
    ] = ""
    webhook_host: Annotated[str, Field(description="Where pushes are listened for; 0.0.0.0: everywhere")] = "127.0.0.1"
    webhook_port: Annotated[
        int | None, Field(ge=0, le=65535, description="Take signed pushes here; unset: none; TLS is a proxy's job")
    ] = None
    webhook_connections: Annotated[
        int, Field(ge=16, description="Connections of platforms at once; one more sends away the most silent one")
    ] = 500
    reread_seconds: Annotated[
        float,
        Field(ge=0, description="How often open orders of self-built malls are read again by id; 0: never"),
    ] = 1800.0
    reread_days: Annotated[
        float, Field(gt=0, description="An open order without news for this long is no longer read again")
    ] = 30.0
    reread_most_missing: Annotated[
        int,
        Field(ge=0, description="More open orders of a shop than this gone within an hour: trouble, none is cancelled"),
    ] = 10
    poll_lookback_seconds: Annotated[float, Field(gt=0, description="How far back a new shop is read")] = 86400.0

    api_host: Annotated[str, Field(description="Where `orderfleet api` listens; 0.0.0.0: everywhere")] = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65535, description="At which port; 0: any; TLS is a proxy's job")] = 8090
    api_requests_per_second: Annotated[
        float, Field(gt=0, description="What each token of the API may ask for over time; three times that at once")
    ] = 20.0

    console_host: Annotated[str, Field(description="Where the console listens; 0.0.0.0: everywhere")] = "127.0.0.1"
    console_port: Annotated[int, Field(ge=0, le=65535, description="At which port; 0: any; TLS is for a proxy")] = 8070
    console_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://[^/?#\s]+(/[A-Za-z0-9._~-]+)*/?)?$",
            description="The address that people open when a proxy stands before the console: https://HOST/PREFIX",
        ),
    ] = ""
    console_idle_seconds: Annotated[
        float, Field(ge=60, description="Who does nothing at the console for so long signs in again")
    ] = 3600.0

    notices_file: Annotated[
        Path | None, Field(description="Who is told of what, as YAML (ops/docs/notices.md); unset: nobody")
    ] = None
    notices_urls: Annotated[
        SecretStr, Field(description='Where recipients are reached, as JSON: {"ops": "<an apprise URL>"}')
    ] = SecretStr("")

    alerts_host: Annotated[str, Field(description="Where `orderfleet alerts` listens; 0.0.0.0: everywhere")] = (
        "127.0.0.1"
    )
    alerts_port: Annotated[int, Field(ge=0, le=65535, description="At which port; 0: any")] = 8095
    alerts_token: Annotated[SecretStr, Field(description="What Alertmanager must show (Authorization: Bearer ...)")] = (
        SecretStr("")
    )

    watch_review_seconds: Annotated[
        float, Field(gt=0, description="Orders that wait for a person for longer than this are told of")
    ] = 14_400.0
    watch_ship_seconds: Annotated[
        float, Field(ge=0, description="So long before an order must have shipped somebody is told that it has not")
    ] = 7_200.0
    watch_backorder_seconds: Annotated[
        float, Field(gt=0, description="Paid orders that wait for stock for longer than this are told of")
    ] = 86_400.0
    watch_answer_seconds: Annotated[
        float, Field(gt=0, description="A warehouse that leaves an instruction unanswered for so long is told of")
    ] = 1_800.0
    watch_shop_seconds: Annotated[
        float, Field(gt=0, description="A shop that was read up to an earlier time than this ago is told of")
    ] = 3_600.0
    watch_push_seconds: Annotated[
        float, Field(gt=0, description="A shop whose pushes stay away for so long while polling finds orders")
    ] = 21_600.0
    watch_book_seconds: Annotated[
        float, Field(gt=0, description="An order book to which nothing was written for so long though records wait")
    ] = 600.0
    watch_unknown_seconds: Annotated[
        float, Field(ge=0, description="An order book that cannot be asked for so long is told of")
    ] = 300.0
    watch_drift_messages: Annotated[
        int, Field(ge=1, description="So many unreadable messages of a shop within an hour are told of")
    ] = 20
    watch_redis_percent: Annotated[
        int, Field(ge=1, le=100, description="Of its memory; a Redis that uses more is told of")
    ] = 85
    watch_redis_file_bytes: Annotated[
        int, Field(ge=0, description="A larger append-only file of Redis is told of; 0: however large")
    ] = 0
    watch_shops: Annotated[
        dict[str, ShopLimits],
        Field(
            description="Limits of single shops, as JSON: review, ship, backorder, shop, push _seconds; "
            '{"taobao/main": {"review_seconds": 3600}}'
        ),
    ] = {}

    strict: Annotated[bool, Field(description="Refuse to start where orderfleet doctor warns")] = False
    expected_orders: Annotated[
        int, Field(ge=0, description="Orders that Redis must have room for, of 45 days; 2.5 kB each")
    ] = 100_000

    partitions: Annotated[int, Field(ge=1, description="Of every topic on the order path")] = 24
    replication: Annotated[int, Field(ge=1, description="Copies of every topic; 3 on a cluster")] = 1

    chunk_records: Annotated[int, Field(ge=1, description="Most records handed to a stage at once")] = 500
    durable_handover: Annotated[bool, Field(description="A topic at every hand-over, so that stages run apart")] = False
    session_seconds: Annotated[float, Field(ge=1, description="A dead worker is noticed after this")] = 6
    commit_seconds: Annotated[float, Field(gt=0, description="How often progress is committed")] = 0.5
    fetch_wait_ms: Annotated[int, Field(ge=1, description="How long a fetch may wait for data")] = 50
    retry_seconds: Annotated[float, Field(ge=1, description="Retry in place this long, then exit, no ack")] = 120

    hold_seconds: Annotated[float, Field(gt=0, description="Hold of an unpaid order without a platform deadline")] = (
        1800
    )
    silent_warehouses: Annotated[
        str,
        Field(
            description="Warehouses that never answer on wms.events, comma separated: stock of a cancelled order goes "
            "back at once there, and leaves when the platform says shipped"
        ),
    ] = ""
    short_limit_units: Annotated[
        int,
        Field(
            ge=0,
            description="A warehouse that misses units of a SKU has them written off, and the rest of the shelf with "
            "them up to so many units; of a fuller shelf a person is asked for a count",
        ),
    ] = 100
    sweep_batch: Annotated[int, Field(ge=1, description="Most holds released in one step")] = 200

    metrics_host: Annotated[str, Field(description="Where metrics are served; 0.0.0.0: everywhere")] = "127.0.0.1"
    metrics_port: Annotated[
        int | None, Field(description="Prometheus port; unset: no metrics server; 0: any free port")
    ] = None

    @model_validator(mode="after")
    def _gets_into_kafka(self) -> Self:
        cluster = self.cluster
        if cluster.requires_auth and not (cluster.username and cluster.password.get_secret_value()):
            raise ValueError(
                f"ORDERFLEET_KAFKA_SECURITY is {cluster.security}: set ORDERFLEET_KAFKA_USERNAME and "
                "ORDERFLEET_KAFKA_PASSWORD, too"
            )
        if cluster.username and not cluster.requires_auth:
            raise ValueError(
                f"ORDERFLEET_KAFKA_USERNAME is set, but with ORDERFLEET_KAFKA_SECURITY={cluster.security} nobody is "
                "asked for it: set that to sasl_ssl (or sasl_plaintext)"
            )
        if cluster.ca_file is not None:
            try:
                cluster.ssl_context()
            except OSError as error:
                raise ValueError(
                    f"ORDERFLEET_KAFKA_CA_FILE: {cluster.ca_file} cannot be read as certificates in PEM form: "
                    f"{error.strerror or type(error).__name__}"
                ) from error
        return self

    @property
    def cluster(self) -> Cluster:
        """The Kafka to work with."""
        return Cluster(
            self.kafka,
            self.kafka_security,
            self.kafka_mechanism,
            self.kafka_username,
            self.kafka_password,
            self.kafka_ca_file,
            self.kafka_check_hostname,
        )


def load_settings() -> Settings:
    """Read the environment once, and have all names begin with its prefix.

    Raises pydantic.ValidationError that names each bad variable.
    """
    settings = Settings()
    use_prefix(settings.prefix)
    return settings
