"""Every metric there is, one sentence each. Base units; never an order id or a SKU as a label."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# fmt: off
STAGE_RECORDS = Counter("orders_stage_records", "Messages a stage has finished with, acknowledged or about to be.", ["stage"])
STAGE_EVENTS = Counter("orders_stage_events", "Messages a stage has written, by topic family.", ["stage", "topic"])
STAGE_SECONDS = Histogram("orders_stage_duration_seconds", "Time one chunk spends in one stage.", ["stage"], buckets=_SECONDS)
SEND_SECONDS = Histogram("orders_send_duration_seconds", "Time from handing a chunk's outputs to Kafka to its confirmation.", ["group"], buckets=_SECONDS)
AGE_SECONDS = Histogram("orders_age_seconds", "Age of a chunk's oldest message when the group acknowledges it.", ["group"], buckets=(*_SECONDS, 300, 1800))
DEAD_LETTERS = Counter("orders_dead_letters", "Messages set aside because they can never be processed.", ["stage", "reason"])
RETRIES = Counter("orders_stage_retries", "Chunks tried again because something a stage depends on was away.", ["group"])
BUGS = Counter("orders_stage_bugs", "Chunks whose stage raised what it should never raise.", ["stage"])
BACKLOG = Gauge("orders_backlog_records", "Messages waiting in the partitions this worker reads.", ["group", "topic"])
TICK_SECONDS = Histogram("orders_tick_duration_seconds", "Time of one run of a stage that works on a timer.", ["stage"], buckets=_SECONDS)
TICK_FAILURES = Counter("orders_tick_failures", "Runs of a timer stage that failed and will be tried again.", ["stage"])
# fmt: on
