-- A shop is a channel and a shop id: taobao:main and jd:main are two.
DROP INDEX orders_shop_placed;
CREATE INDEX orders_shop_placed ON orders (channel, shop_id, placed_at, uid);
DROP INDEX orders_review;
CREATE INDEX orders_review ON orders (review_at, uid) INCLUDE (channel, shop_id, review_codes) WHERE stage = 'review';
DROP INDEX orders_review_shop;
CREATE INDEX orders_review_shop ON orders (channel, shop_id, review_at, uid) INCLUDE (review_codes)
  WHERE stage = 'review';

-- What was routed and shipped when: rows that lie together were so at about the same time.
CREATE INDEX orders_routed_at ON orders USING brin (routed_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX orders_shipped_at ON orders USING brin (shipped_at) WITH (pages_per_range = 32, autosummarize = on);
