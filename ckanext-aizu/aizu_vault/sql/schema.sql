-- What the gate decides on. Events are only ever added; roles and grants are not part of this file.
CREATE SCHEMA consent;

-- Purposes, recipients and classes of data as trees; a version never changes once people have seen it.
CREATE TABLE consent.taxonomy_version (
    version integer PRIMARY KEY,
    since timestamptz NOT NULL UNIQUE
);
CREATE TABLE consent.taxonomy_node (
    version integer NOT NULL REFERENCES consent.taxonomy_version,
    tree text NOT NULL CHECK (tree IN ('data', 'purpose', 'recipient')),
    code text NOT NULL,
    parent text,
    grantable boolean NOT NULL,
    PRIMARY KEY (version, tree, code),
    FOREIGN KEY (version, tree, parent) REFERENCES consent.taxonomy_node
        DEFERRABLE INITIALLY DEFERRED
);
-- One root for each tree: whoever names the three roots has named everything.
CREATE UNIQUE INDEX one_root ON consent.taxonomy_node (version, tree) WHERE parent IS NULL;
-- Every node with itself and all that it is below. Written once, when a version is complete.
CREATE TABLE consent.taxonomy_closure (
    version integer NOT NULL,
    tree text NOT NULL,
    high text NOT NULL,
    low text NOT NULL,
    PRIMARY KEY (version, tree, high, low),
    FOREIGN KEY (version, tree, high) REFERENCES consent.taxonomy_node,
    FOREIGN KEY (version, tree, low) REFERENCES consent.taxonomy_node
);
CREATE FUNCTION consent.close_taxonomy(closed integer) RETURNS void LANGUAGE sql AS $$
    WITH RECURSIVE above AS (
        SELECT tree, code AS high, code AS low FROM consent.taxonomy_node WHERE version = closed
        UNION
        SELECT above.tree, node.parent, above.low
        FROM above
        JOIN consent.taxonomy_node node
            ON node.version = closed AND node.tree = above.tree AND node.code = above.high
        WHERE node.parent IS NOT NULL
    )
    INSERT INTO consent.taxonomy_closure SELECT closed, tree, high, low FROM above;
$$;

CREATE TABLE consent.dataset (
    dataset_id text PRIMARY KEY,
    data_class text NOT NULL,
    fields text[] NOT NULL,
    row_owners text NOT NULL CHECK (row_owners IN ('subject', 'all-household')),
    self_consent_age integer NOT NULL,
    assent_age integer NOT NULL,
    emergency_recipients text[] NOT NULL DEFAULT '{}',
    emergency_fields text[] NOT NULL DEFAULT '{}'
);
CREATE TABLE consent.terms (
    terms_id text PRIMARY KEY,
    dataset_id text NOT NULL REFERENCES consent.dataset,
    version integer NOT NULL,
    material boolean NOT NULL,
    residents_only boolean NOT NULL,
    UNIQUE (dataset_id, version),
    UNIQUE (terms_id, dataset_id)
);
CREATE TABLE consent.recipient (
    recipient_id text PRIMARY KEY,
    standing text NOT NULL CHECK (standing IN ('proposed', 'approved', 'suspended', 'expelled')),
    country text NOT NULL
);
CREATE TABLE consent.recipient_member (
    recipient_id text NOT NULL REFERENCES consent.recipient,
    user_id text NOT NULL,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid))
);
CREATE TABLE consent.obligation (
    recipient_id text NOT NULL REFERENCES consent.recipient,
    duty text NOT NULL CHECK (duty IN ('erase', 'benefit-report')),
    due timestamptz NOT NULL,
    fulfilled_at timestamptz
);
CREATE TABLE consent.agreement (
    agreement_id text PRIMARY KEY,
    recipient_id text NOT NULL REFERENCES consent.recipient,
    dataset_id text NOT NULL,
    purpose text NOT NULL,
    fields text[] NOT NULL,
    terms_id text NOT NULL,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    requester text NOT NULL,
    onward text[] NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'rejected', 'approved',
        'active', 'suspended', 'closed', 'revoked', 'expired')),
    first_approver text CHECK (first_approver <> requester),
    second_approver text CHECK (second_approver <> requester AND second_approver <> first_approver),
    FOREIGN KEY (terms_id, dataset_id) REFERENCES consent.terms (terms_id, dataset_id),
    CONSTRAINT four_eyes CHECK (
        state IN ('draft', 'submitted', 'returned', 'rejected')
        OR (first_approver IS NOT NULL AND second_approver IS NOT NULL)
    )
);

CREATE TABLE consent.subject (
    subject_id uuid PRIMARY KEY,
    birth_date date NOT NULL,
    erased boolean NOT NULL DEFAULT false
);
CREATE TABLE consent.event (
    subject_id uuid NOT NULL REFERENCES consent.subject,
    seq integer NOT NULL,
    nonce text NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    role text NOT NULL CHECK (role IN ('self', 'representative', 'authority')),
    kind text NOT NULL CHECK (kind IN ('grant', 'objection', 'representation',
        'representation-ended', 'freeze', 'unfreeze', 'death', 'death-reversed', 'moved-away',
        'moved-in', 'capacity-lost', 'capacity-regained', 'emergency-refused',
        'emergency-allowed', 'merged')),
    -- grant, objection; a representation has no recipient. The trees are complete before anybody speaks of them:
    -- an objection in trees that are not would meet nothing.
    version integer,
    data text,
    purpose text,
    recipient text,
    fields text[],
    data_tree text GENERATED ALWAYS AS ('data') STORED,
    purpose_tree text GENERATED ALWAYS AS ('purpose') STORED,
    recipient_tree text GENERATED ALWAYS AS ('recipient') STORED,
    -- grant, representation
    valid tstzrange CHECK (NOT isempty(valid)),
    -- grant
    terms_id text REFERENCES consent.terms,
    data_window tstzrange CHECK (NOT isempty(data_window)),
    onward boolean,
    future_members boolean,
    countries text[],
    assented boolean,
    posthumous boolean,
    -- objection
    cause text CHECK (cause IN ('withdrawn', 'refused', 'narrowed', 'invalidated', 'merged')),
    -- representation, representation-ended
    representation text,
    representative text,
    capacity text CHECK (capacity IN ('parental', 'guardian', 'curator', 'assistant', 'proxy')),
    PRIMARY KEY (subject_id, seq),
    UNIQUE (subject_id, nonce),
    FOREIGN KEY (version, data_tree, data, data) REFERENCES consent.taxonomy_closure,
    FOREIGN KEY (version, purpose_tree, purpose, purpose) REFERENCES consent.taxonomy_closure,
    FOREIGN KEY (version, recipient_tree, recipient, recipient) REFERENCES consent.taxonomy_closure,
    CONSTRAINT own_acts CHECK (role <> 'self' OR actor = subject_id::text),
    CONSTRAINT who_may_say CHECK (CASE
        WHEN kind IN ('objection', 'freeze', 'unfreeze') THEN true
        WHEN kind = 'grant' THEN role <> 'authority'
        WHEN kind IN ('emergency-refused', 'emergency-allowed') THEN role = 'self'
        ELSE role = 'authority' END),
    CONSTRAINT scope CHECK (CASE
        WHEN kind IN ('grant', 'objection')
        THEN num_nulls(version, data, purpose, recipient, fields) = 0 AND cardinality(fields) > 0
        WHEN kind = 'representation'
        THEN num_nulls(version, data, purpose) = 0 AND num_nonnulls(recipient, fields) = 0
        ELSE num_nonnulls(version, data, purpose, recipient, fields) = 0 END),
    CONSTRAINT grant_is_whole CHECK (CASE
        WHEN kind = 'grant'
        THEN num_nulls(terms_id, valid, data_window, onward, future_members, countries, assented,
                posthumous) = 0
            AND lower(valid) >= recorded_at AND lower_inc(valid) AND NOT '*' = ANY (fields)
        ELSE num_nonnulls(terms_id, data_window, onward, future_members, countries, assented,
                posthumous) = 0 END),
    CONSTRAINT objection_is_whole CHECK ((kind = 'objection') = (cause IS NOT NULL)),
    CONSTRAINT representation_is_whole CHECK (CASE kind
        WHEN 'grant' THEN num_nonnulls(representation, representative, capacity) = 0
        WHEN 'representation' THEN num_nulls(valid, representation, representative, capacity) = 0
        WHEN 'representation-ended'
        THEN representation IS NOT NULL AND num_nonnulls(valid, representative, capacity) = 0
        ELSE num_nonnulls(valid, representation, representative, capacity) = 0 END)
);

CREATE FUNCTION consent.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON consent.event
    EXECUTE FUNCTION consent.refuse_change();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON consent.taxonomy_version
    EXECUTE FUNCTION consent.refuse_change();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON consent.taxonomy_node
    EXECUTE FUNCTION consent.refuse_change();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON consent.taxonomy_closure
    EXECUTE FUNCTION consent.refuse_change();

CREATE FUNCTION consent.check_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM consent.taxonomy_closure WHERE version = NEW.version) THEN
        RAISE EXCEPTION 'version % is complete', NEW.version USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER while_open BEFORE INSERT ON consent.taxonomy_node
    FOR EACH ROW EXECUTE FUNCTION consent.check_open();

-- As the owner: who adds an event may lock a person's line, and not change it.
CREATE FUNCTION consent.check_order() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- One writer at a time for each person, so that the order of seq is the order of commits.
    PERFORM FROM consent.subject WHERE subject_id = NEW.subject_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM consent.event
        WHERE subject_id = NEW.subject_id AND (seq >= NEW.seq OR recorded_at > NEW.recorded_at)
    ) THEN
        RAISE EXCEPTION 'event % does not come last', NEW.seq USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER in_order BEFORE INSERT ON consent.event
    FOR EACH ROW EXECUTE FUNCTION consent.check_order();

-- First half of recording: whoever has taken these turns is the only one who records about these persons until the
-- commit. The place and the time of an event are given here, and nowhere else.
CREATE FUNCTION consent.take_turns(subjects uuid[])
RETURNS TABLE (subject_id uuid, seq integer, recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    now timestamptz;
BEGIN
    PERFORM FROM consent.subject AS known
    WHERE known.subject_id = ANY (subjects)
    ORDER BY known.subject_id
    FOR NO KEY UPDATE;
    now := audit.clock();
    RETURN QUERY
        SELECT known.subject_id, coalesce(max(event.seq), 0) + 1, now
        FROM consent.subject AS known
        LEFT JOIN consent.event AS event USING (subject_id)
        WHERE known.subject_id = ANY (subjects)
        GROUP BY known.subject_id;
END $$;

-- 00:00 of the birthday, in Japan; who was born on 29 February attains an age on 1 March where there is none.
-- One expression, which PostgreSQL writes into the statement instead of a call for each person.
CREATE FUNCTION consent.attains(birth date, age integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT (birth + make_interval(years => age) + CASE
            WHEN extract(day FROM birth + make_interval(years => age)) <> extract(day FROM birth)
            THEN interval '1 day' ELSE interval '0' END) AT TIME ZONE interval '9 hours';
$$;
