-- The order book: what is known of each order, for people to read. A projection of Kafka's topics (workers/book/): it
-- may be thrown away and made again, and nothing decides by it.
--
-- Each topic writes its own columns, guarded by what that topic says itself, so that it does not matter which topic comes
-- first, how often records come, and in what portions. No personal data beyond province and city.

CREATE TABLE book (  -- this book as a whole: one row
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version int NOT NULL,  -- the number of the last file of workers/book/schema/ that was applied
  generation uuid NOT NULL DEFAULT gen_random_uuid(),  -- another one after a rebuild
  made_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO book (version) VALUES (0);

CREATE TABLE places (  -- how far each topic was read: written in the transaction that wrote what was read
  topic text COLLATE "C", partition int, next_offset bigint NOT NULL, read_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
);

CREATE TABLE skipped (  -- records that the book could not take
  topic text COLLATE "C", partition int, record_offset bigint, reason text NOT NULL, at timestamptz,
  PRIMARY KEY (topic, partition, record_offset)
);

-- Revisions, as in schemas/revision.py: <modified>.<rank>.<received>.<digest>, and +<number> for a further try.

CREATE FUNCTION is_same_state(one text, other text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN substr(one, 1, 15) COLLATE "C" = substr(other, 1, 15)
    AND split_part(substr(one, 43), '+', 1) COLLATE "C" = split_part(substr(other, 43), '+', 1);

CREATE FUNCTION tries_of(revision text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN split_part(revision, '+', 2) COLLATE "C";

-- Whether a plan takes the place of the one in force: not when it only repeats its state. As in Newest.after.
CREATE FUNCTION takes_over(one text, in_force text, repeated text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN one COLLATE "C" > in_force AND CASE
    WHEN is_same_state(one, in_force) THEN tries_of(one) > ''
    ELSE repeated IS NULL OR one COLLATE "C" > repeated
  END;

-- Whether what became of a revision holds for the plan in force: it is of that or a later try, or of a newer state.
CREATE FUNCTION is_current(result text, planned text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN result IS NOT NULL AND CASE
    WHEN planned IS NULL OR result = planned THEN true
    WHEN is_same_state(result, planned) THEN tries_of(result) >= tries_of(planned)
    ELSE result COLLATE "C" > planned
  END;

CREATE TABLE orders (
  uid text COLLATE "C" PRIMARY KEY,
  channel text NOT NULL, shop_id text NOT NULL, platform_order_id text COLLATE "C" NOT NULL,

  -- orders.planned, or what orders.review, orders.deferred and orders.backordered repeat of it
  planned_revision text COLLATE "C", repeated_revision text COLLATE "C", planned_source smallint, planned_offset bigint, planned_at timestamptz,
  placed_at timestamptz, paid_at timestamptz, ship_by timestamptz, platform_status text, payment text,
  disposition text, ruleset text, province text, city text, currency text, paid bigint, units bigint,
  line_count int, skus text[], tags text[], flags text[], hold_codes text[],

  review_revision text COLLATE "C", review_offset bigint, review_at timestamptz, review_codes text[],
  review_why jsonb, suggested text[], unshipped jsonb,
  deferred_revision text COLLATE "C", deferred_offset bigint, not_before timestamptz,
  backorder_revision text COLLATE "C", backorder_offset bigint, backordered_at timestamptz, missing jsonb,
  after_expiry boolean,
  transfer_revision text COLLATE "C", transfer_offset bigint, transfer_at timestamptz,
  routed_revision text COLLATE "C", routed_at timestamptz, parcels int,
  shipped_at timestamptz, shipped_from text[],
  found_revision text COLLATE "C",  -- for which the warehouses had all that was wanted: they are not told again

  stage text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN is_current(review_revision, planned_revision) THEN 'review'
    WHEN disposition = 'release' THEN 'cancelled'
    WHEN disposition = 'ignore' THEN 'done'
    WHEN cardinality(shipped_from) >= coalesce(parcels, 1) THEN 'shipped'
    WHEN cardinality(shipped_from) > 0 THEN 'part-shipped'
    WHEN is_current(routed_revision, planned_revision)
      OR (routed_revision IS NOT NULL AND is_current(found_revision, planned_revision)) THEN 'routed'
    WHEN is_current(transfer_revision, planned_revision) THEN 'transfer'
    WHEN is_current(backorder_revision, planned_revision) THEN 'backordered'
    WHEN planned_revision IS NULL THEN 'unknown'
    WHEN disposition = 'review' THEN 'review'
    WHEN disposition = 'defer' THEN 'deferred'
    WHEN payment IN ('unpaid', 'deposit-paid') THEN 'unpaid'
    ELSE 'planned'
  END) STORED
) WITH (fillfactor = 85);
CREATE INDEX orders_platform_id ON orders (platform_order_id);
CREATE INDEX orders_placed ON orders (placed_at, uid);
CREATE INDEX orders_shop_placed ON orders (shop_id, placed_at, uid);
CREATE INDEX orders_skus ON orders USING gin (skus);
CREATE INDEX orders_review ON orders (review_at, uid) INCLUDE (shop_id, review_codes) WHERE stage = 'review';
CREATE INDEX orders_review_shop ON orders (shop_id, review_at, uid) INCLUDE (review_codes) WHERE stage = 'review';
CREATE INDEX orders_waiting ON orders (stage, placed_at, uid)
  WHERE stage IN ('review', 'backordered', 'transfer', 'deferred', 'planned', 'part-shipped', 'unknown');

CREATE TABLE order_details (  -- what is looked at one order at a time: of the same plan as in orders
  uid text COLLATE "C" PRIMARY KEY,
  revision text COLLATE "C" NOT NULL, source smallint NOT NULL, record_offset bigint NOT NULL,
  lines jsonb NOT NULL, plan jsonb NOT NULL
);

CREATE TABLE shipments (  -- an order in one warehouse: what it was told, what it answered, what stock it holds there
  order_uid text COLLATE "C", warehouse_id text COLLATE "C",
  revision text COLLATE "C", instruction_offset bigint, instruction_id text COLLATE "C", kind text, parcel int,
  parcels int, units bigint, ship_by timestamptz, routed_at timestamptz,
  wms_at timestamptz, wms_message text COLLATE "C", wms_kind text COLLATE "C", wms_instruction text COLLATE "C",
  wms_reason text COLLATE "C",
  shipped_at timestamptz,
  stock_sequence bigint, stock_state text, hold_until timestamptz,
  state text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN shipped_at IS NOT NULL THEN 'shipped'
    WHEN kind IS NULL THEN coalesce(wms_kind, stock_state, 'unknown')
    WHEN kind = 'cancel' THEN CASE
      WHEN wms_kind = 'cancelled' THEN 'cancelled'
      WHEN wms_kind = 'rejected' AND wms_instruction = instruction_id THEN 'too-late'
      ELSE 'cancelling' END
    WHEN wms_instruction = instruction_id THEN coalesce(wms_kind, 'sent')
    ELSE 'sent'
  END) STORED,
  PRIMARY KEY (order_uid, warehouse_id)
) WITH (fillfactor = 80);
CREATE INDEX shipments_open ON shipments (warehouse_id, ship_by, order_uid)
  WHERE state IN ('sent', 'accepted', 'picked', 'short', 'cancelling');
CREATE INDEX shipments_routed ON shipments (warehouse_id, routed_at, order_uid);

CREATE TABLE warehouses (  -- stock_sequence of shipments below this one says nothing any more
  warehouse_id text COLLATE "C" PRIMARY KEY, began_sequence bigint NOT NULL, began_at timestamptz NOT NULL
);

CREATE TABLE transfers (
  transfer_id text COLLATE "C" PRIMARY KEY,
  order_uid text COLLATE "C" NOT NULL, revision text COLLATE "C" NOT NULL, to_warehouse text NOT NULL,
  from_warehouse text, quantities jsonb NOT NULL, requested_at timestamptz NOT NULL
);
CREATE INDEX transfers_order ON transfers (order_uid);
CREATE INDEX transfers_requested ON transfers (requested_at, transfer_id);

CREATE TABLE timeline (  -- what happened to an order: `ref` is a revision, a message id or a letter id
  order_uid text COLLATE "C", kind text COLLATE "C", ref text COLLATE "C", warehouse_id text COLLATE "C",
  at timestamptz NOT NULL, codes text[] COLLATE "C" NOT NULL,
  PRIMARY KEY (order_uid, kind, ref, warehouse_id)
);

CREATE TABLE dead_letters (
  letter_id text COLLATE "C" PRIMARY KEY,
  letter_offset bigint NOT NULL, quarantined_at timestamptz NOT NULL, stage text NOT NULL, reason text NOT NULL,
  order_uid text COLLATE "C", topic text NOT NULL, partition int NOT NULL, record_offset bigint NOT NULL,
  at timestamptz, attempts int NOT NULL, failures jsonb NOT NULL
);
CREATE INDEX dead_letters_quarantined ON dead_letters (quarantined_at, letter_id);
CREATE INDEX dead_letters_order ON dead_letters (order_uid) WHERE order_uid IS NOT NULL;
