-- What people enter for the figures: nothing else knows it.

CREATE TABLE wrong_shipments (  -- from complaints and returns; the same report twice is one
  order_uid text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('wrong-item', 'missing-item', 'wrong-quantity', 'damaged', 'wrong-address', 'other')),
  day date NOT NULL,  -- on which the buyer said so
  warehouse_id text COLLATE "C" NOT NULL DEFAULT '',
  who text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  withdrawn_at timestamptz, withdrawn_by text,  -- it was none
  PRIMARY KEY (order_uid, kind)
);
CREATE INDEX wrong_shipments_day ON wrong_shipments (day);

CREATE TABLE support_days (  -- what the shop's customer service counted; said again, the last word counts
  day date, shop text,  -- channel:shop
  questions int NOT NULL CHECK (questions >= 0),
  about_orders int NOT NULL CHECK (about_orders BETWEEN 0 AND questions),
  who text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (day, shop)
);

CREATE TABLE targets (
  measure text PRIMARY KEY,
  target double precision NOT NULL CHECK (target >= 0),  -- seconds, or a share from 0 to 1
  who text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
