-- The desk's own tables. They cannot be made again from anything: see ops/docs/desk.md for the backup.

CREATE TABLE users (
  user_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'lead', 'admin')),
  shops text[],  -- channel:shop each; NULL: all
  password_hash text NOT NULL,
  disabled boolean NOT NULL DEFAULT false,
  made_at timestamptz NOT NULL DEFAULT now(),
  password_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tokens (  -- a program's way in, as the user it belongs to and never more than that
  token_id text COLLATE "C" PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  label text NOT NULL,
  secret_hash bytea NOT NULL,  -- SHA-256 of 32 random bytes: nothing to guess, so nothing to slow down
  scopes text[] NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,  -- to the minute
  revoked_at timestamptz
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE audit (  -- every deed and every refusal, for ever
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deed_id uuid NOT NULL,  -- a deed that changes something has two rows: it began, and how it ended
  kind text NOT NULL, actor text NOT NULL, token_id text, role text NOT NULL,
  origin text NOT NULL,  -- where they came from: an address, a terminal
  deed text NOT NULL, subject text NOT NULL, why text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('begun', 'done', 'refused', 'failed')),
  code text NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, number) WHERE subject <> '';
CREATE INDEX audit_actor ON audit (actor, number);

CREATE FUNCTION keep_the_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit list is never rewritten' USING ERRCODE = 'raise_exception';
END $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_the_audit();
CREATE TRIGGER kept_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION keep_the_audit();
