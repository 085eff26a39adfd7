-- The log: a Merkle tree (RFC 9162) that roles can add to and read, and that nobody can change.
-- Run by the owner of the database; running it again changes nothing.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'deep_owner', 'deep_ingest', 'deep_release', 'deep_consent', 'deep_audit', 'deep_signer',
        'deep_steward'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END $$;

CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION deep_owner;
SET ROLE deep_owner;
REVOKE ALL ON SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit
    TO deep_release, deep_consent, deep_ingest, deep_steward, deep_audit, deep_signer;

CREATE TABLE IF NOT EXISTS audit.log_leaf (
    leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
    leaf_hash bytea NOT NULL GENERATED ALWAYS AS (sha256('\x00'::bytea || body)) STORED,
    recorded_at timestamptz NOT NULL,
    tag bytea UNIQUE,
    body bytea NOT NULL,
    sealed bytea
);
COMMENT ON TABLE audit.log_leaf IS
    'body: canonical JSON (RFC 8785) with commitments; tag: whose leaf it is, seen only with the person''s key; '
    'sealed: what the person reads, encrypted with that key';

CREATE TABLE IF NOT EXISTS audit.log_tile (
    level smallint NOT NULL CHECK (level > 0),
    position bigint NOT NULL CHECK (position >= 0),
    tile_hash bytea NOT NULL,
    PRIMARY KEY (level, position)
);
COMMENT ON TABLE audit.log_tile IS 'roots of full subtrees of 256, 65536, ... leaves, so that a proof reads few rows';

CREATE TABLE IF NOT EXISTS audit.log_head (
    tree_size bigint PRIMARY KEY CHECK (tree_size >= 0),
    root bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    note text NOT NULL
);
COMMENT ON TABLE audit.log_head IS 'signed tree heads (C2SP tlog-checkpoint); one for each size the tree had';

CREATE TABLE IF NOT EXISTS audit.log_day (
    day date PRIMARY KEY,
    note text NOT NULL
);
COMMENT ON TABLE audit.log_day IS 'the first head that was signed on each day in Japan: what is published, and stays';

CREATE TABLE IF NOT EXISTS audit.log_count (
    person uuid PRIMARY KEY,
    entries bigint NOT NULL CHECK (entries > 0)
);
COMMENT ON TABLE audit.log_count IS 'how many leaves are about a person: the number of the last one';

CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'audit.% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- A tree that has not grown is signed again with a later time; nothing else of a head may change.
CREATE OR REPLACE FUNCTION audit.refuse_other_head() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.tree_size <> OLD.tree_size OR NEW.root <> OLD.root OR NEW.signed_at < OLD.signed_at THEN
        RAISE EXCEPTION 'a head of % leaves was signed before, with another root or a later time', OLD.tree_size
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.log_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.log_tile
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON audit.log_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.log_day
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE OR REPLACE TRIGGER same_head BEFORE UPDATE ON audit.log_head
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_head();

-- The clock of the vault: that of the database, but never behind what was logged. If the database's clock is put
-- back, nothing is recorded before the past, and no decision is taken at a time at which a withdrawal is not known.
CREATE OR REPLACE FUNCTION audit.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
    SELECT greatest(
        clock_timestamp(),
        (SELECT leaf.recorded_at FROM audit.log_leaf AS leaf ORDER BY leaf_index DESC LIMIT 1)
    )
$$;

-- First half of an append: takes the log for this transaction and numbers its entries.
-- Appends wait for one another until the commit, so leaves are committed in the order of their index.
CREATE OR REPLACE FUNCTION audit.take_log(
    persons uuid[], OUT first_index bigint, OUT recorded_at timestamptz, OUT numbered jsonb
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the log is appended to under READ COMMITTED, not under %',
            upper(current_setting('transaction_isolation'));
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('audit.log_leaf'));
    SELECT coalesce(max(leaf.leaf_index) + 1, 0) INTO first_index FROM audit.log_leaf AS leaf;
    recorded_at := audit.clock();
    WITH counted AS (
        INSERT INTO audit.log_count AS known (person, entries)
        SELECT person, count(*) FROM unnest(persons) AS person GROUP BY person
        ON CONFLICT (person) DO UPDATE SET entries = known.entries + excluded.entries
        RETURNING known.person, known.entries
    )
    SELECT coalesce(jsonb_object_agg(counted.person, counted.entries), '{}') INTO numbered FROM counted;
END $$;

-- Second half: stores what was made with those numbers, in the same transaction.
CREATE OR REPLACE FUNCTION audit.append_leaves(
    first_index bigint, recorded_at timestamptz, bodies bytea[], tags bytea[], sealed bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF first_index <> (SELECT coalesce(max(leaf.leaf_index) + 1, 0) FROM audit.log_leaf AS leaf) THEN
        RAISE EXCEPTION 'leaf % is not the next one: the log was not taken in this transaction', first_index;
    END IF;
    INSERT INTO audit.log_leaf (leaf_index, recorded_at, tag, body, sealed)
    SELECT first_index + leaf.place - 1, append_leaves.recorded_at, leaf.tag, leaf.body, leaf.sealed
    FROM unnest(bodies, tags, sealed) WITH ORDINALITY AS leaf (body, tag, sealed, place);
END $$;

-- What a release asks before it begins: how long the oldest unsigned leaf has waited, and whether
-- the clock stands before the newest leaf.
CREATE OR REPLACE FUNCTION audit.state(OUT unsigned_for interval, OUT clock_behind interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT
        clock_timestamp() - (
            SELECT leaf.recorded_at FROM audit.log_leaf AS leaf
            WHERE leaf.leaf_index = (SELECT coalesce(max(tree_size), 0) FROM audit.log_head)
        ),
        (SELECT leaf.recorded_at FROM audit.log_leaf AS leaf ORDER BY leaf_index DESC LIMIT 1)
            - clock_timestamp()
$$;

-- For audits: how many leaves are about one person, and about persons. Who saw all counts with their persons would
-- find by what the database notes of transactions which leaves came in together with which.
CREATE OR REPLACE FUNCTION audit.count_of(person uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce((SELECT entries FROM audit.log_count AS known WHERE known.person = count_of.person), 0)
$$;
CREATE OR REPLACE FUNCTION audit.count_all() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(sum(entries), 0)::bigint FROM audit.log_count
$$;

-- How long the log is: shorter than what was signed, it came back from a backup.
CREATE OR REPLACE FUNCTION audit.leaves() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT coalesce(max(leaf.leaf_index) + 1, 0) FROM audit.log_leaf AS leaf
$$;

REVOKE ALL ON FUNCTION audit.clock, audit.take_log, audit.append_leaves, audit.state, audit.leaves FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.count_of, audit.count_all FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.refuse, audit.refuse_other_head FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.clock, audit.take_log, audit.append_leaves
    TO deep_release, deep_consent, deep_ingest, deep_steward;
GRANT EXECUTE ON FUNCTION audit.state, audit.leaves TO deep_release, deep_consent;
GRANT EXECUTE ON FUNCTION audit.count_of, audit.count_all TO deep_audit;
GRANT SELECT ON audit.log_leaf, audit.log_tile, audit.log_head, audit.log_day TO deep_audit;
GRANT SELECT (leaf_index, leaf_hash) ON audit.log_leaf TO deep_signer;
GRANT SELECT, INSERT ON audit.log_tile, audit.log_head TO deep_signer;
GRANT INSERT ON audit.log_day TO deep_signer;
GRANT UPDATE (signed_at, note) ON audit.log_head TO deep_signer;
RESET ROLE;

-- Whoever has taken the log and then stands still would hold up every withdrawal.
ALTER ROLE deep_release SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE deep_consent SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE deep_ingest SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE deep_steward SET idle_in_transaction_session_timeout = '10s';
