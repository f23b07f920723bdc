-- What was sent to a printer: a second time is asked for.

CREATE TABLE prints (
  document text NOT NULL CHECK (document IN ('pick-list')),
  order_uid text COLLATE "C" NOT NULL,
  times int NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at timestamptz NOT NULL DEFAULT now(),
  last_by text NOT NULL,
  PRIMARY KEY (document, order_uid)
);
