"""The Kafka cluster that a process works with: where its brokers are, and how to get in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """`brokers`: bootstrap addresses, comma separated. `ca_file`: whom to trust, as PEM; None: as the system does.

    `check_hostname`: whether a broker's certificate must be for the name by which it was called. Made from the
    settings, which see to it that user and password are there where they are needed.
    """

    brokers: str
    security: Security = "plaintext"
    mechanism: Mechanism = "PLAIN"
    username: str = ""
    password: SecretStr = field(default=SecretStr(""))
    ca_file: Path | None = None
    check_hostname: bool = True

    @classmethod
    def of(cls, kafka: Kafka) -> Cluster:
        """A cluster; a text is the bootstrap addresses of one that lets everybody in."""
        return cls(kafka) if isinstance(kafka, str) else kafka

    @property
    def encrypted(self) -> bool:
        """Whether what is said is encrypted."""
        return self.security in ("ssl", "sasl_ssl")

    @property
    def requires_auth(self) -> bool:
        """Whether it wants to know who comes."""
        return self.security in ("sasl_plaintext", "sasl_ssl")

    def for_librdkafka(self) -> dict[str, Any]:
        """What a client of confluent-kafka is configured with to get in."""
        config: dict[str, Any] = {"bootstrap.servers": self.brokers}
        if self.security != "plaintext":
            config["security.protocol"] = self.security
        if self.encrypted and self.ca_file is not None:
            config["ssl.ca.location"] = str(self.ca_file)
        if self.encrypted:
            config["ssl.endpoint.identification.algorithm"] = "https" if self.check_hostname else "none"
        if self.requires_auth:
            config["sasl.mechanism"] = self.mechanism
            config["sasl.username"] = self.username
            config["sasl.password"] = self.password.get_secret_value()
        return config

    def for_aiokafka(self) -> dict[str, Any]:
        """The same for a client of aiokafka. Raises OSError when the file of whom to trust cannot be used."""
        config: dict[str, Any] = {"bootstrap_servers": self.brokers}
        if self.security != "plaintext":
            config["security_protocol"] = self.security.upper()
        if self.encrypted:
            config["ssl_context"] = self.ssl_context()
        if self.requires_auth:
            config["sasl_mechanism"] = self.mechanism
            config["sasl_plain_username"] = self.username
            config["sasl_plain_password"] = self.password.get_secret_value()
        return config

    def ssl_context(self) -> ssl.SSLContext:
        """Whom to believe to be a broker. Raises OSError when the file cannot be used."""
        context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        context.check_hostname = self.check_hostname
        return context


Kafka = Cluster | str
"""A cluster, or the bootstrap addresses of one that lets everybody in."""
