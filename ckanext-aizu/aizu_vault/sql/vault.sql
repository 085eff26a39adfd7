-- What the vault holds beside consent and log: blocks, who is who, releases. Run by the owner after schema.sql and
-- the log's schema. PostgreSQL sees ciphertext only, and shows it to nobody but a release that is being recorded.

ALTER TABLE consent.dataset
    ADD title_ja text NOT NULL CHECK (title_ja <> ''),
    ADD title_en text NOT NULL CHECK (title_en <> ''),
    ADD privacy_level smallint NOT NULL CHECK (privacy_level BETWEEN 0 AND 4),
    -- Without these the law lets a city hand over nothing regularly, whatever people consent to.
    ADD legal_ground text NOT NULL CHECK (legal_ground <> ''),
    ADD purpose_specified text NOT NULL CHECK (purpose_specified <> ''),
    ADD register_no text NOT NULL CHECK (register_no <> '');
ALTER TABLE consent.agreement
    ADD budget_rows_per_day bigint CHECK (budget_rows_per_day > 0),
    ADD budget_persons integer CHECK (budget_persons > 0),
    ADD UNIQUE (agreement_id, dataset_id);

-- What two people have approved is what is released: an agreement changes only while it is drawn up.
CREATE FUNCTION consent.keep_agreed() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    step CONSTANT text[] := ARRAY['state', 'first_approver', 'second_approver'];
BEGIN
    IF OLD.state NOT IN ('draft', 'returned') AND to_jsonb(NEW) - step <> to_jsonb(OLD) - step THEN
        RAISE EXCEPTION 'agreement % is % and keeps its terms', OLD.agreement_id, OLD.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER as_agreed BEFORE UPDATE ON consent.agreement
    FOR EACH ROW EXECUTE FUNCTION consent.keep_agreed();

-- Whoever may record records what is said now, and nothing into the past or the future.
ALTER TABLE consent.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY reading ON consent.event FOR SELECT USING (true);
CREATE POLICY recording ON consent.event FOR INSERT TO deep_consent WITH CHECK (
    recorded_at BETWEEN audit.clock() - interval '1 minute' AND audit.clock() + interval '1 minute'
);

-- What people read for a code. Names change, codes never; `iri` is that of the Data Privacy Vocabulary, if it has one.
CREATE TABLE consent.node_name (
    tree text NOT NULL CHECK (tree IN ('data', 'purpose', 'recipient')),
    code text NOT NULL,
    title_ja text NOT NULL CHECK (title_ja <> ''),
    title_en text NOT NULL CHECK (title_en <> ''),
    iri text CHECK (iri LIKE 'https://%'),
    PRIMARY KEY (tree, code)
);

-- A vault holds invented people or real ones, never both: no test data among real data.
ALTER TABLE consent.subject ADD synthetic boolean NOT NULL DEFAULT false;
CREATE INDEX ON consent.subject (synthetic);
CREATE FUNCTION consent.check_unmixed() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF EXISTS (SELECT FROM consent.subject WHERE synthetic = NOT NEW.synthetic) THEN
        RAISE EXCEPTION 'a vault holds invented people or real ones, never both'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'unmixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER unmixed BEFORE INSERT OR UPDATE OF synthetic ON consent.subject
    FOR EACH ROW EXECUTE FUNCTION consent.check_unmixed();

CREATE TABLE vault.layout (
    dataset_id text NOT NULL REFERENCES consent.dataset,
    version integer NOT NULL CHECK (version > 0),
    columns jsonb NOT NULL CHECK (jsonb_typeof(columns) = 'array' AND columns -> 0 ->> 1 = 'time'),
    PRIMARY KEY (dataset_id, version)
);
COMMENT ON COLUMN vault.layout.columns IS
    'pairs of name and kind in the order of the block, as [["time", "time"], ["pulse", "integer"]]; '
    'the first is the time of a row';
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.layout
    EXECUTE FUNCTION consent.refuse_change();

CREATE TABLE vault.concerned (
    dataset_id text NOT NULL REFERENCES consent.dataset,
    subject_id uuid NOT NULL REFERENCES consent.subject,
    concerned_id uuid NOT NULL REFERENCES consent.subject CHECK (concerned_id <> subject_id),
    PRIMARY KEY (dataset_id, subject_id, concerned_id)
);
COMMENT ON TABLE vault.concerned IS
    'rows filed under subject_id, whose meter it is, are also about concerned_id, who lives there, too';

CREATE TABLE vault.block (
    block_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_id text NOT NULL,
    subject_id uuid NOT NULL REFERENCES consent.subject,
    day date NOT NULL,
    part integer NOT NULL CHECK (part BETWEEN 0 AND 65535),
    version integer NOT NULL,
    n_rows integer NOT NULL CHECK (n_rows > 0),
    t_min timestamptz NOT NULL,
    t_max timestamptz NOT NULL CHECK (t_max >= t_min),
    sealed bytea NOT NULL,
    UNIQUE (dataset_id, subject_id, day, part),
    FOREIGN KEY (dataset_id, version) REFERENCES vault.layout
);
-- Ciphertext does not become smaller.
ALTER TABLE vault.block ALTER sealed SET STORAGE EXTERNAL;

CREATE SCHEMA ident;

CREATE TABLE ident.subject_link (
    login text PRIMARY KEY,
    subject_id uuid NOT NULL REFERENCES consent.subject,
    assurance smallint NOT NULL CHECK (assurance BETWEEN 1 AND 3)
);
CREATE INDEX ON ident.subject_link (subject_id);
CREATE TABLE ident.withdrawal_code (
    code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    subject_id uuid NOT NULL REFERENCES consent.subject,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz
);
CREATE INDEX ON ident.withdrawal_code (subject_id);
CREATE TABLE ident.used_token (
    jti text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON ident.used_token (expires_at);

CREATE FUNCTION ident.subject_of_login(
    asked text, OUT subject_id uuid, OUT assurance smallint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT link.subject_id, link.assurance FROM ident.subject_link AS link WHERE link.login = asked
$$;
CREATE FUNCTION ident.subject_of_code(asked bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT code.subject_id FROM ident.withdrawal_code AS code
    WHERE code.code_hash = asked AND code.revoked_at IS NULL
$$;
-- Whether a token is used for the first time; from then on it is not.
CREATE FUNCTION ident.use_token(jti text, expires_at timestamptz) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    DELETE FROM ident.used_token AS old WHERE old.expires_at < clock_timestamp() - interval '1 hour';
    WITH used AS (
        INSERT INTO ident.used_token VALUES (use_token.jti, use_token.expires_at)
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT EXISTS (SELECT FROM used);
$$;

CREATE SCHEMA release;

CREATE TABLE release.release (
    release_id uuid PRIMARY KEY,
    mode text NOT NULL CHECK (mode IN ('consent', 'self', 'vital')),
    dataset_id text NOT NULL REFERENCES consent.dataset,
    agreement_id text,
    receiver text REFERENCES consent.recipient,
    purpose text,
    user_id text NOT NULL,
    fields text[] NOT NULL CHECK (cardinality(fields) > 0),
    filters jsonb NOT NULL DEFAULT '{}',
    format text NOT NULL CHECK (format IN ('csv', 'jsonl')),
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    resumes uuid REFERENCES release.release,
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'completed', 'stopped', 'crashed')),
    reason text CHECK (state IN ('stopped', 'crashed') OR reason IS NULL),
    position bytea,
    persons integer NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    FOREIGN KEY (agreement_id, dataset_id)
        REFERENCES consent.agreement (agreement_id, dataset_id),
    CONSTRAINT whole CHECK (CASE mode
        WHEN 'consent' THEN num_nulls(agreement_id, receiver, purpose) = 0
        WHEN 'self' THEN num_nonnulls(agreement_id, receiver, purpose) = 0
        ELSE agreement_id IS NULL AND receiver IS NOT NULL END)
);
COMMENT ON COLUMN release.release.position IS 'the last pseudonym that was handed over';
CREATE INDEX ON release.release (agreement_id, requested_at);
CREATE UNIQUE INDEX one_at_a_time ON release.release (agreement_id, user_id)
    WHERE state = 'running';

CREATE TABLE release.person (
    release_id uuid NOT NULL REFERENCES release.release,
    chunk integer NOT NULL CHECK (chunk >= 0),
    subject_id uuid NOT NULL REFERENCES consent.subject,
    fields text[],
    rows bigint CHECK (rows >= 0),
    t_min timestamptz,
    t_max timestamptz CHECK (t_max >= t_min),
    leaf_index bigint UNIQUE REFERENCES audit.log_leaf,
    handed_over_at timestamptz CHECK (handed_over_at IS NULL OR leaf_index IS NOT NULL),
    PRIMARY KEY (release_id, chunk, subject_id),
    CONSTRAINT whole CHECK (num_nulls(fields, rows, leaf_index) IN (0, 3)),
    CONSTRAINT times CHECK ((rows > 0) = (t_min IS NOT NULL AND t_max IS NOT NULL))
);
COMMENT ON TABLE release.person IS
    'whom a chunk of a release concerns: read and not yet in the log (within its transaction only), logged, handed over';
CREATE INDEX being_read ON release.person (release_id) WHERE leaf_index IS NULL;

-- Nobody commits a chunk in which somebody's data was read without a leaf in the log.
CREATE FUNCTION release.check_logged() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- By the key: an index of those without a leaf is full of this transaction's own dead lines.
    IF (
        SELECT leaf_index IS NULL FROM release.person
        WHERE release_id = NEW.release_id AND chunk = NEW.chunk AND subject_id = NEW.subject_id
    ) THEN
        RAISE EXCEPTION 'chunk % of release % is not in the log', NEW.chunk, NEW.release_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER logged AFTER INSERT ON release.person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION release.check_logged();

-- Once in the log, only that it was handed over is added, once.
CREATE FUNCTION release.keep_person() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    before release.person := OLD;
BEGIN
    before.handed_over_at := NEW.handed_over_at;
    IF TG_OP = 'DELETE' OR OLD.handed_over_at IS NOT NULL OR before IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'what was logged of release % stays', OLD.release_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER as_logged BEFORE UPDATE OR DELETE ON release.person
    FOR EACH ROW WHEN (OLD.leaf_index IS NOT NULL) EXECUTE FUNCTION release.keep_person();

CREATE FUNCTION release.keep_ended() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF OLD.state <> 'running' THEN
        RAISE EXCEPTION 'release % is % already', OLD.release_id, OLD.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER as_ended BEFORE UPDATE ON release.release
    FOR EACH ROW EXECUTE FUNCTION release.keep_ended();
CREATE TRIGGER only_added BEFORE DELETE OR TRUNCATE ON release.release
    EXECUTE FUNCTION consent.refuse_change();
CREATE TRIGGER only_added BEFORE TRUNCATE ON release.person
    EXECUTE FUNCTION consent.refuse_change();

-- Not even the owner, as which release_chunk runs, sees a block of somebody who is not recorded as being read.
-- Others' transactions never show such a line, and no commit leaves one.
ALTER TABLE vault.block ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault.block FORCE ROW LEVEL SECURITY;
CREATE POLICY intake ON vault.block FOR INSERT TO deep_ingest WITH CHECK (true);
CREATE POLICY numbering ON vault.block FOR SELECT TO deep_ingest USING (true);
CREATE POLICY recorded ON vault.block FOR SELECT TO deep_owner USING (
    (dataset_id, subject_id) IN (
        SELECT release.dataset_id, person.subject_id
        FROM release.person AS person
        JOIN release.release AS release USING (release_id)
        WHERE person.leaf_index IS NULL
    )
);

-- The one way to blocks. Records in the caller's transaction all whom the blocks are about, the household included;
-- each of them needs a leaf before the commit. For each of `subjects` there are the times of which something may go: a
-- block of other times is not read. Blocks come in the order of `subjects`, then by day and part, until they
-- are `most` bytes together; of the first person, those behind `after_day` and `after_part`.
CREATE FUNCTION vault.release_chunk(
    release_id uuid, chunk integer, subjects uuid[], times tstzmultirange[],
    most bigint DEFAULT NULL, after_day date DEFAULT NULL, after_part integer DEFAULT NULL
) RETURNS TABLE (
    subject_id uuid, day date, part integer, version integer, n_rows integer, sealed bytea
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET work_mem = '32MB' AS $$
#variable_conflict use_column
DECLARE
    running release.release;
    chosen bigint[];
    holders uuid[];
BEGIN
    SELECT * INTO running FROM release.release AS known
    WHERE known.release_id = release_chunk.release_id AND state = 'running'
        AND (mode = 'self' AND subjects = ARRAY[user_id::uuid] OR mode = 'consent' AND EXISTS (
            SELECT FROM consent.agreement AS agreed
            WHERE agreed.agreement_id = known.agreement_id AND agreed.state = 'active'
                AND agreed.valid @> audit.clock()
        ));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'release % may not read', release_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- What is read twice in a chunk would be tidied away below with what the second time did not find.
    IF EXISTS (
        SELECT FROM release.person AS about
        WHERE about.release_id = release_chunk.release_id AND about.chunk = release_chunk.chunk
    ) THEN
        RAISE EXCEPTION 'chunk % of release % was read before', chunk, release_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO release.person (release_id, chunk, subject_id)
    SELECT release_chunk.release_id, release_chunk.chunk, about.subject_id
    FROM (
        SELECT unnest(subjects) AS subject_id
        UNION
        SELECT concerned_id FROM vault.concerned
        WHERE dataset_id = running.dataset_id AND subject_id = ANY (subjects)
    ) AS about
    JOIN consent.subject AS living USING (subject_id)
    WHERE NOT living.erased;
    -- By the index for each person, whatever is known of the table's contents.
    chosen := ARRAY(
        SELECT block_id FROM (
            SELECT block_id, place, day, part,
                sum(size) OVER (ORDER BY place, day, part) - size AS before
            FROM unnest(subjects, times) WITH ORDINALITY AS asked (who, may_go, place)
            CROSS JOIN LATERAL (
                SELECT block_id, day, part, octet_length(sealed) AS size
                FROM vault.block
                WHERE block.dataset_id = running.dataset_id AND block.subject_id = who
                    AND tstzrange(t_min, t_max, '[]') && may_go
                    AND (place > 1 OR after_day IS NULL OR (day, part) > (after_day, after_part))
                OFFSET 0
            ) AS one
        ) AS sized
        WHERE most IS NULL OR before < most
        ORDER BY place, day, part
    );
    RETURN QUERY
        SELECT block.subject_id, block.day, block.part, block.version, block.n_rows, block.sealed
        FROM unnest(chosen) WITH ORDINALITY AS read (one, place)
        JOIN vault.block ON block_id = one
        ORDER BY place;
    -- Of whom there is nothing, nothing was read.
    holders := ARRAY(
        SELECT DISTINCT block.subject_id FROM unnest(chosen) AS one JOIN vault.block ON block_id = one
    );
    DELETE FROM release.person AS about
    WHERE about.release_id = release_chunk.release_id AND about.chunk = release_chunk.chunk
        AND about.subject_id NOT IN (
            SELECT unnest(holders)
            UNION ALL
            SELECT concerned_id FROM vault.concerned
            WHERE dataset_id = running.dataset_id AND subject_id = ANY (holders)
        );
END $$;
