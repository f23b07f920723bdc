"""Every metric there is, one sentence each. Base units; never an order id or a SKU as a label."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# fmt: off
STAGE_RECORDS = Counter("orders_stage_records", "Messages a stage has finished with, acknowledged or about to be.", ["stage"])
STAGE_EVENTS = Counter("orders_stage_events", "Messages a stage has written, by topic.", ["stage", "topic"])
STAGE_SECONDS = Histogram("orders_stage_duration_seconds", "Time one chunk spends in one stage.", ["stage"], buckets=_SECONDS)
SEND_SECONDS = Histogram("orders_send_duration_seconds", "Time from handing a chunk's outputs to Kafka to its confirmation.", ["group"], buckets=_SECONDS)
AGE_SECONDS = Histogram("orders_age_seconds", "Age of a chunk's oldest message when the group acknowledges it.", ["group"], buckets=(*_SECONDS, 300, 1800))
DEAD_LETTERS = Counter("orders_dead_letters", "Messages set aside because they can never be processed.", ["stage", "reason"])
RETRIES = Counter("orders_stage_retries", "Chunks tried again: something a stage depends on was away, or an order was still at work in another stage.", ["group"])
BUGS = Counter("orders_stage_bugs", "Chunks whose stage raised what it should never raise.", ["stage"])
BACKLOG = Gauge("orders_backlog_records", "Messages waiting in the partitions this worker reads.", ["group", "topic"])
RULES_REFUSED = Gauge("orders_rules_refused", "1 while the rules or the catalogue on disk can't be used and older ones stay in force, else 0.")
TICK_SECONDS = Histogram("orders_tick_duration_seconds", "Time of one run of a stage that works on a timer.", ["stage"], buckets=_SECONDS)
TICK_FAILURES = Counter("orders_tick_failures", "Runs of a timer stage that failed and will be tried again.", ["stage"])
INVENTORY_EVENTS = Counter("orders_inventory_events", "Changes of stock that were published, by kind: held, committed, expired ...", ["warehouse", "kind"])

WMS_EVENTS = Counter("orders_wms_events", "Answers of warehouses, by kind and by what the stock ledger made of them; kind any: set aside.", ["kind", "outcome"])
REFUND_RACE = Counter("orders_refund_race", "Cancellations of orders that a warehouse had, by who won: intercepted or too-late.", ["warehouse", "winner"])
SHIP_AFTER_RELEASE = Counter("orders_ship_after_release", "Shipments of goods that had been given back: refunded orders that left all the same.", ["warehouse"])
COUNT_WANTED = Counter("orders_count_wanted", "Shelves that a warehouse found empty while more of them was available to promise than is written off without a count.", ["warehouse"])
PAID_AFTER_EXPIRY = Counter("orders_paid_after_expiry", "Orders paid after their hold was given back, by what became of them: reserved or backordered.", ["outcome"])
WAITING = Gauge("orders_waiting", "Orders that wait for stock: backordered, or awaiting a transfer.")
WAITING_AGE = Gauge("orders_waiting_oldest_age_seconds", "Time since the oldest order that waits for stock was placed; 0 when none waits.")
RESTOCKED = Counter("orders_restocked", "Waiting orders sent to be reserved again because stock for them came.")
DECISIONS = Counter("orders_decisions", "Decisions of people by kind and outcome: done, or why they were refused; repeats included.", ["kind", "outcome"])
RESTOCK_LOST = Counter("orders_restock_lost", "Waiting orders that stock came for and whose planned order is no longer kept.")

BOOK_ROWS = Counter("orders_book_rows", "Rows written to the order book, by table; what was there already counts, too.", ["table"])
BOOK_SKIPPED = Counter("orders_book_skipped", "Records that the order book could not take and left out, by topic.", ["topic"])
BOOK_UP = Gauge("orders_book_up", "1 while this process is connected to the order book in PostgreSQL, else 0.")

UNKNOWN_WORDS = Counter("orders_unknown_words", "Words of a platform that no table knows, by field: each holds its order until a person has looked.", ["channel", "field"])

INTAKE_ORDERS = Counter("orders_intake_orders", "Order states taken in from a platform and confirmed by Kafka.", ["channel", "shop", "source"])
INTAKE_REPEATS = Counter("orders_intake_repeats", "Order states left out because the same bytes were taken in before.", ["channel", "shop", "source"])
INTAKE_CURSOR = Gauge("orders_intake_cursor_timestamp_seconds", "Platform time up to which a shop has been read without a gap.", ["channel", "shop"])
INTAKE_ROUNDS = Counter("orders_intake_rounds", "Rounds of polling, by outcome: ok, unavailable, refused, unreadable, dependency or bug.", ["channel", "shop", "outcome"])
INTAKE_TROUBLED = Gauge("orders_intake_troubled", "1 while the last round of polling a shop failed, else 0.", ["channel", "shop"])
INTAKE_UNREADABLE = Counter("orders_intake_unreadable_windows", "Spans of platform time put aside because the answer for them could not be read.", ["channel", "shop"])
INTAKE_REREAD = Counter("orders_intake_reread", "Open orders read again by id, for changes that polling by modify time cannot see.", ["channel", "shop"])
INTAKE_REREAD_FAILURES = Counter("orders_intake_reread_failures", "Times that open orders could not be read again; polling goes on.", ["channel", "shop"])
INTAKE_OPEN = Gauge("orders_intake_open_orders", "Orders of a shop that are read again by id until they end; those that ended lately count, too.", ["channel", "shop"])
INTAKE_MISSING = Gauge("orders_intake_missing_orders", "Open orders that a shop does not know any more, too many to be deletions, so that none was cancelled; 0 when all is well.", ["channel", "shop"])
INTAKE_HINTS = Counter("orders_intake_hints", "Pushes that had an order read again soon, by reason: hint, or state (it told of a held order what could not be ranked).", ["channel", "shop", "reason"])
INTAKE_WEBHOOKS = Counter("orders_intake_webhooks", "Pushes received, by the HTTP status they were answered with; unknown shops count as shop unknown.", ["channel", "shop", "status"])
INTAKE_DROPPED = Counter("orders_intake_push_connections_dropped", "Connections of the push receiver that were closed unanswered, by reason: too-slow, too-many, broken-off or bad-request.", ["reason"])

API_REQUESTS = Counter("orders_api_requests", "Requests to the HTTP API, by path and HTTP status; none: a path that is not there.", ["path", "status"])
API_SECONDS = Histogram("orders_api_request_duration_seconds", "How long a request to the HTTP API took, by path.", ["path"], buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
CONSOLE_REQUESTS = Counter("orders_console_requests", "Requests to the console, by path as declared and HTTP status; file: its scripts and styles; none: a path that is not there.", ["path", "status"])
CONSOLE_CLIENTS = Gauge("orders_console_clients", "Pages of the console that are open in browsers.")
CONSOLE_SECONDS = Histogram("orders_console_answer_duration_seconds", "How long a page of the console waited for the desk.", buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
DESK_DEEDS = Counter("orders_desk_deeds", "Deeds of people and programs at the desk, by name and outcome: done, refused or failed.", ["deed", "outcome"])

NOTICES_STANDING = Gauge("orders_notices_standing", "Matters that people are told of and that are not over, by severity.", ["severity"])
NOTICES_TOLD = Counter("orders_notices_told", "Matters that a recipient was told of, by what was told: raised, reminder, cleared or digest.", ["recipient", "telling"])
NOTICES_FAILED = Counter("orders_notices_failed", "Messages that could not be sent to a recipient, and are tried again.", ["recipient"])
NOTICES_UNREACHED = Gauge("orders_notices_unreached_recipients", "Recipients that could not be reached at the last try.")
ALERTS_RECEIVED = Counter("orders_alerts_received", "Posts of Alertmanager, by the HTTP status they were answered with.", ["status"])
WATCH_UNKNOWN = Counter("orders_watch_unknown", "Looks at what takes too long that found no answer, by who was asked: book, redis or intake.", ["asked"])

EPOCH_LOST = Gauge("orders_stock_epoch_lost", "1 while this process holds still because Redis was emptied or is another one, else 0.")

AUDIT_FINDINGS = Gauge("orders_stock_audit_findings", "What the last stock audit found, by kind of finding; 0 where it found nothing.", ["kind"])
AUDIT_NEGATIVE = Gauge("orders_stock_negative_available_skus", "SKUs of which more is promised than is there, at the last stock audit.")
AUDIT_TIME = Gauge("orders_stock_audit_timestamp_seconds", "When the last stock audit was finished, in seconds since 1970.")
AUDIT_SECONDS = Gauge("orders_stock_audit_duration_seconds", "How long the last stock audit took.")
AUDIT_LAG = Gauge("orders_stock_audit_replay_lag_events", "Inventory events that were made but not yet in Kafka when the last audit replayed them.")
AUDIT_FAILURES = Counter("orders_stock_audit_failures", "Stock audits that could not be finished because Redis or Kafka was away.")
# fmt: on
