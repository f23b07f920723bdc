-- Jobs of every kind of decision, with what they need beside it; who looks at which order.

ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE jobs ADD COLUMN what jsonb NOT NULL DEFAULT '{}';  -- warehouse_id, codes, sku, to_sku
ALTER TABLE job_orders ADD COLUMN line_ids text[];  -- the lines that are corrected
CREATE INDEX job_orders_refused ON job_orders (job_id, code, order_uid) WHERE state = 'refused';

CREATE UNLOGGED TABLE presence (  -- a courtesy, not a lock: what is decided is checked by its revision
  order_uid text COLLATE "C" PRIMARY KEY,
  who text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);
