-- Details are only shown, one order at a time: PostgreSQL need not take them apart.
ALTER TABLE order_details ALTER COLUMN lines TYPE json USING lines::json, ALTER COLUMN plan TYPE json USING plan::json;
