-- Decisions about many orders at once.

CREATE TABLE jobs (
  job_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('release', 'redecide')),
  filter jsonb NOT NULL,
  why text NOT NULL, who text NOT NULL,
  total int NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stopped', 'done')),
  made_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX jobs_made ON jobs (made_at, job_id);
CREATE INDEX jobs_running ON jobs (made_at) WHERE state = 'running';

CREATE TABLE job_orders (  -- the orders that matched when the job was made, and no others
  job_id uuid NOT NULL REFERENCES jobs,
  order_uid text COLLATE "C" NOT NULL,
  seen text NOT NULL,  -- the revision that the filter looked at
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused')),
  code text NOT NULL DEFAULT '',  -- why it was refused
  tries int NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, order_uid)
) WITH (fillfactor = 70);
CREATE INDEX job_orders_waiting ON job_orders (job_id, tries, order_uid) WHERE state = 'waiting';
