-- An order of which a part still waits for stock has not shipped, whoever shipped something of it: a warehouse that gave
-- back what it had left to ship, say, or a change that asks for more than there is.

ALTER TABLE orders DROP COLUMN stage;  -- with the indexes that are made of it
ALTER TABLE orders ADD COLUMN stage text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN is_current(review_revision, planned_revision)
      AND (acknowledged_revision IS NULL OR review_revision > acknowledged_revision) THEN 'review'
    WHEN disposition = 'release' THEN 'cancelled'
    WHEN disposition = 'ignore' THEN 'done'
    WHEN cardinality(shipped_from) >= coalesce(parcels, 1) THEN CASE
      WHEN is_current(transfer_revision, planned_revision) THEN 'transfer'
      WHEN is_current(backorder_revision, planned_revision) THEN 'backordered'
      ELSE 'shipped' END
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
  END) STORED;
CREATE INDEX orders_review ON orders (review_at, uid) INCLUDE (channel, shop_id, review_codes) WHERE stage = 'review';
CREATE INDEX orders_review_shop ON orders (channel, shop_id, review_at, uid) INCLUDE (review_codes)
  WHERE stage = 'review';
CREATE INDEX orders_waiting ON orders (stage, placed_at, uid)
  WHERE stage IN ('review', 'backordered', 'transfer', 'deferred', 'planned', 'part-shipped', 'unknown');
