-- A big book: %(orders)s orders of 40 shops over 60 days, of which some 100,000 of 3,000,000 wait for a person.
-- Hot and cold SKUs; the timeline and the details of one order in thirty, as they are only looked at one by one.
INSERT INTO orders (uid, channel, shop_id, platform_order_id, planned_revision, planned_source, planned_offset, planned_at,
  placed_at, paid_at, ship_by, platform_status, payment, disposition, ruleset, province, city, currency, paid, units,
  line_count, skus, tags, flags, hold_codes, review_revision, review_offset, review_at, review_codes, suggested,
  backorder_revision, backorder_offset, backordered_at, missing, routed_revision, routed_at, parcels, shipped_at,
  shipped_from)
SELECT format('%%s:shop-%%s:%%s', channel, shop, 10000000000 + n), channel, 'shop-' || shop, (10000000000 + n)::text, revision,
  0, n, at + interval '5 s', at, at, at + interval '2 days', 'to-ship', 'paid',
  CASE WHEN fate < 0.033 THEN 'review' ELSE 'reserve' END, 'main@1', '浙江', '杭州', 'CNY', 9900, 2, 2,
  ARRAY['SKU-' || (random() * random() * random() * 20000)::int, 'SKU-' || (random() * 20000)::int], '{}', '{}', '{}',
  CASE WHEN fate < 0.033 THEN revision END, n, CASE WHEN fate < 0.033 THEN at + interval '6 s' END,
  CASE WHEN fate < 0.033 THEN ARRAY[(ARRAY['sku-unknown', 'gift-missing', 'no-rule-matched', 'address'])[1 + n %% 4]] END,
  CASE WHEN fate < 0.033 THEN ARRAY['hangzhou'] END,
  CASE WHEN fate BETWEEN 0.033 AND 0.04 THEN revision END, n, CASE WHEN fate BETWEEN 0.033 AND 0.04 THEN at END,
  CASE WHEN fate BETWEEN 0.033 AND 0.04 THEN '{"SKU-1": 2}'::jsonb END,
  CASE WHEN fate > 0.04 THEN revision END, CASE WHEN fate > 0.04 THEN at + interval '6 s' END, 1,
  CASE WHEN fate > 0.08 THEN at + interval '5 hours' END,
  CASE WHEN fate > 0.08 THEN ARRAY[warehouse] END
FROM (
  SELECT n, shop, (ARRAY['taobao', 'pinduoduo', 'douyin', 'jd'])[1 + shop %% 4] AS channel, random() AS fate,
    (ARRAY['hangzhou', 'chengdu', 'beijing', 'shanghai-cold'])[1 + n %% 4] AS warehouse,
    lpad((1790000000000 + n * 1000)::text, 15, '0') || '.30009999998.00000000000000.' || substr(md5(n::text), 1, 12)
      AS revision,
    timestamptz '2026-09-01 00:00Z' + n * (interval '60 days' / %(orders)s) AS at
  FROM (SELECT n, (random() * random() * 39)::int AS shop FROM generate_series(1, %(orders)s::bigint) AS n) AS numbered
) AS made;

INSERT INTO shipments (order_uid, warehouse_id, revision, instruction_offset, instruction_id, kind, parcel, parcels,
  units, ship_by, routed_at, wms_at, wms_message, wms_kind, wms_instruction, wms_reason, shipped_at)
SELECT uid, warehouse, planned_revision, planned_offset, uid || '@' || planned_revision, 'fulfil', 1, 1, 2, ship_by,
  routed_at, shipped_at, planned_offset::text, CASE WHEN shipped_at IS NOT NULL THEN 'shipped' END,
  uid || '@' || planned_revision, '', shipped_at
FROM (
  SELECT *, (ARRAY['hangzhou', 'chengdu', 'beijing', 'shanghai-cold'])[1 + planned_offset %% 4] AS warehouse FROM orders
  WHERE routed_at IS NOT NULL
) AS routed;

INSERT INTO order_details (uid, revision, source, record_offset, lines, plan)
SELECT uid, planned_revision, 0, planned_offset, json_build_array(json_build_object('sku', skus[1], 'quantity', 2)),
  '{"disposition": "reserve", "candidates": ["hangzhou"]}' FROM orders WHERE planned_offset %% 30 = 0;

INSERT INTO timeline (order_uid, kind, ref, warehouse_id, at, codes)
SELECT uid, kind, planned_revision, '', planned_at, '{}' FROM orders,
  unnest(ARRAY['planned', 'told-fulfil', 'wms-accepted', 'wms-shipped']) AS kind WHERE planned_offset %% 30 = 0;
