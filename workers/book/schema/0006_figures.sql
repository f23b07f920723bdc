-- How long orders took, as histograms by day: made of the orders, so they can be made again while those are there.

CREATE TABLE figures (
  day date, channel text, shop_id text,
  warehouse_id text COLLATE "C",  -- '' = the order as a whole
  measure text,  -- placed: how many; routed, shipped: since it was placed; handled: from told to shipped
  bucket smallint,  -- see workers/book/figures.py
  orders int NOT NULL,
  PRIMARY KEY (day, channel, shop_id, warehouse_id, measure, bucket)
);
CREATE TABLE figure_days (day date PRIMARY KEY, made_at timestamptz NOT NULL);
CREATE TABLE rulesets (ruleset text COLLATE "C" PRIMARY KEY, first_at timestamptz NOT NULL);
