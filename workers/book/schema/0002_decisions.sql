-- What people decided (orders.decisions), and what became of it (orders.decided). Why, and corrections of the receiver,
-- are not kept: a person may be named there.

CREATE TABLE decisions (
  decision_id text COLLATE "C" PRIMARY KEY,
  order_uid text COLLATE "C" NOT NULL, kind text NOT NULL, who text NOT NULL, at timestamptz NOT NULL,
  asked_offset bigint, seen text COLLATE "C", warehouse_id text, codes text[],
  decided_offset bigint, decided_at timestamptz, refusal text, refused_where text, revision text COLLATE "C",
  issued text COLLATE "C", number int,
  state text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN decided_offset IS NULL THEN 'pending' WHEN refusal IS NULL THEN 'done' ELSE 'refused'
  END) STORED
);
CREATE INDEX decisions_order ON decisions (order_uid, at);
CREATE INDEX decisions_at ON decisions (at, decision_id);
CREATE INDEX decisions_pending ON decisions (at) WHERE state = 'pending';
