-- The rule of rule.py for many persons at once: for each of them a reason why nothing may go, or for each field the
-- times from which it may. Names are those of rule.py and acts.py.
WITH asked AS (
    SELECT %(agreement)s::text AS agreement_id, %(receiver)s::text AS receiver,
        %(purpose)s::text AS purpose, %(user)s::text AS user_id, %(fields)s::text[] AS fields,
        %(at)s::timestamptz AS at
),
today AS (
    SELECT max(version) AS version
    FROM consent.taxonomy_version, asked
    WHERE since <= at
),
party AS (
    SELECT recipient.*
    FROM asked
    JOIN consent.agreement USING (agreement_id)
    JOIN consent.recipient recipient
        ON recipient.recipient_id IN (agreement.recipient_id, asked.receiver)
),
-- One row, or none if anything is unknown.
deal AS MATERIALIZED (
    SELECT agreement.*, dataset.data_class, dataset.self_consent_age, dataset.assent_age,
        terms.version AS terms_version, terms.residents_only, today.version AS today,
        asked.receiver, asked.at, asked.receiver <> agreement.recipient_id AS passed_on,
        ARRAY(SELECT unnest(asked.fields) INTERSECT SELECT unnest(agreement.fields)) AS both_fields,
        CASE
            WHEN state <> 'active' OR NOT valid @> at THEN 'agreement-not-in-force'
            WHEN asked.purpose <> agreement.purpose THEN 'purpose'
            WHEN EXISTS (SELECT FROM party WHERE standing <> 'approved')
                OR (asked.receiver <> agreement.recipient_id AND asked.receiver <> ALL (onward))
                OR NOT EXISTS (
                    SELECT FROM consent.recipient_member member
                    WHERE member.recipient_id = asked.receiver
                        AND member.user_id = asked.user_id AND member.valid @> at
                ) THEN 'recipient'
            WHEN EXISTS (
                SELECT FROM (
                    SELECT 'data' AS tree, data_class AS code
                    UNION ALL SELECT 'purpose', agreement.purpose
                    UNION ALL SELECT 'recipient', recipient_id FROM party
                ) place
                WHERE 1 <> (
                    SELECT count(*) FROM consent.taxonomy_closure below
                    WHERE below.version = today.version
                        AND below.tree = place.tree AND below.high = place.code
                )
            ) THEN 'not-leaf'
            WHEN EXISTS (
                SELECT FROM consent.obligation JOIN party USING (recipient_id)
                WHERE due <= at AND (fulfilled_at IS NULL OR fulfilled_at > at)
            ) THEN 'obligations'
        END AS refusal
    FROM asked
    JOIN consent.agreement USING (agreement_id)
    JOIN consent.dataset USING (dataset_id)
    JOIN consent.terms USING (terms_id)
    CROSS JOIN today
    WHERE today.version IS NOT NULL
        AND EXISTS (SELECT FROM party WHERE recipient_id = asked.receiver)
),
person AS MATERIALIZED (
    SELECT subject.*, consent.attains(birth_date, 18) AS majority,
        consent.attains(birth_date, self_consent_age) AS may_consent_at,
        consent.attains(birth_date, assent_age) AS must_assent_at
    FROM consent.subject
    CROSS JOIN deal
    WHERE subject_id = ANY (%(subjects)s::uuid[])
),
-- Not written out: each use finds a person's few events by the index.
event AS NOT MATERIALIZED (
    SELECT event.*, majority, may_consent_at, must_assent_at
    FROM consent.event
    JOIN person USING (subject_id)
    CROSS JOIN deal
    WHERE recorded_at <= at
),
ended AS (
    SELECT held.subject_id, held.seq, min(later.seq) AS ended_seq
    FROM event held
    JOIN event later ON later.subject_id = held.subject_id AND later.seq > held.seq
        AND (
            (later.kind = 'representation-ended' AND later.representation = held.representation)
            OR (later.kind = 'capacity-regained'
                AND held.capacity IN ('guardian', 'curator', 'assistant'))
        )
    WHERE held.kind = 'representation'
    GROUP BY held.subject_id, held.seq
),
-- By which rights whoever acted in an event represented the person then.
in_force AS MATERIALIZED (
    SELECT event.subject_id, event.seq, held.data, held.purpose
    FROM event
    JOIN event held ON held.subject_id = event.subject_id AND held.seq < event.seq
        AND held.kind = 'representation' AND held.representative = event.actor
        AND held.valid @> event.recorded_at
    LEFT JOIN ended ON ended.subject_id = held.subject_id AND ended.seq = held.seq
    WHERE event.role = 'representative'
        AND NOT (held.capacity = 'parental' AND held.majority <= event.recorded_at)
        AND (ended_seq IS NULL OR event.seq <= ended_seq)
),
-- What a person said for themself, old enough and capable.
capable AS (
    SELECT subject_id, seq
    FROM event
    WHERE role = 'self' AND may_consent_at <= recorded_at
        AND 'capacity-lost' IS DISTINCT FROM (
            SELECT earlier.kind FROM consent.event earlier
            WHERE earlier.subject_id = event.subject_id AND earlier.seq < event.seq
                AND earlier.kind IN ('capacity-lost', 'capacity-regained')
            ORDER BY earlier.seq DESC LIMIT 1
        )
),
entitled AS MATERIALIZED (
    SELECT *
    FROM event
    WHERE kind IN ('objection', 'freeze', 'unfreeze')
        AND (role <> 'representative' OR (subject_id, seq) IN (SELECT subject_id, seq FROM in_force))
),
-- Each of these is the last word on its matter.
turn AS (
    SELECT DISTINCT ON (subject_id, matter) subject_id, kind
    FROM (
        SELECT *, CASE
            WHEN kind IN ('death', 'death-reversed') THEN 'life'
            WHEN kind IN ('moved-away', 'moved-in') THEN 'home'
            WHEN kind = 'merged' THEN 'record' END AS matter
        FROM event
    ) said
    WHERE matter IS NOT NULL
    ORDER BY subject_id, matter, seq DESC
),
frozen AS (
    SELECT DISTINCT began.subject_id
    FROM entitled began
    WHERE kind = 'freeze' AND NOT EXISTS (
        SELECT FROM entitled later
        WHERE later.subject_id = began.subject_id AND later.kind = 'unfreeze'
            AND later.seq > began.seq AND CASE later.role
                WHEN 'self' THEN (later.subject_id, later.seq) IN (SELECT * FROM capable)
                WHEN 'representative' THEN began.role = 'representative'
                ELSE true END
    )
),
covers AS MATERIALIZED (SELECT version, tree, high, low FROM consent.taxonomy_closure),
-- Grants for this data, purpose and recipient, in the trees the actor saw.
named AS MATERIALIZED (
    SELECT event.*
    FROM event
    CROSS JOIN deal
    WHERE kind = 'grant' AND event.fields && both_fields
        AND (event.version, 'data', event.data, data_class) IN (SELECT * FROM covers)
        AND (event.version, 'purpose', event.purpose, deal.purpose) IN (SELECT * FROM covers)
        AND ((event.version, 'recipient', event.recipient, recipient_id) IN (SELECT * FROM covers)
            OR (future_members
                AND (today, 'recipient', event.recipient, recipient_id) IN (SELECT * FROM covers)))
),
dead AS (SELECT subject_id FROM turn WHERE kind = 'death'),
given AS (
    SELECT named.*
    FROM named
    CROSS JOIN deal
    JOIN consent.terms told ON told.terms_id = named.terms_id
    WHERE CASE named.role
            WHEN 'self' THEN (subject_id, seq) IN (SELECT * FROM capable)
            ELSE (assented OR NOT (must_assent_at <= recorded_at AND recorded_at < majority))
                AND NOT (recorded_at < majority AND majority <= at)
                AND EXISTS (
                    SELECT FROM in_force
                    WHERE in_force.subject_id = named.subject_id AND in_force.seq = named.seq
                        AND (named.version, 'data', in_force.data, named.data)
                            IN (SELECT * FROM covers)
                        AND (named.version, 'purpose', in_force.purpose, named.purpose)
                            IN (SELECT * FROM covers)
                ) END
        AND NOT EXISTS (
            SELECT FROM consent.taxonomy_node node
            WHERE node.version = named.version AND NOT node.grantable AND (node.tree, node.code)
                IN (('data', named.data), ('purpose', named.purpose), ('recipient', named.recipient))
        )
        AND named.valid @> at
        AND (posthumous OR subject_id NOT IN (SELECT subject_id FROM dead))
        AND told.dataset_id = deal.dataset_id AND told.version <= terms_version
        AND NOT EXISTS (
            SELECT FROM consent.terms
            WHERE terms.dataset_id = deal.dataset_id AND terms.material
                AND told.version < terms.version AND terms.version <= terms_version
        )
        AND (named.onward OR NOT passed_on)
        AND NOT EXISTS (SELECT FROM party WHERE country <> ALL (named.countries || 'JP'::text))
),
-- Objections that meet this request, in the trees the actor saw or in today's.
met AS MATERIALIZED (
    SELECT entitled.*
    FROM entitled
    CROSS JOIN deal
    WHERE kind = 'objection'
        AND EXISTS (SELECT FROM covers WHERE covers.version IN (entitled.version, today)
            AND tree = 'data' AND high = entitled.data AND low = data_class)
        AND EXISTS (SELECT FROM covers WHERE covers.version IN (entitled.version, today)
            AND tree = 'purpose' AND high = entitled.purpose AND low = deal.purpose)
        AND EXISTS (SELECT FROM covers WHERE covers.version IN (entitled.version, today)
            AND tree = 'recipient' AND high = entitled.recipient
            AND low IN (SELECT recipient_id FROM party))
),
windows AS (
    SELECT subject_id, field, range_agg(data_window) AS times
    FROM given
    CROSS JOIN deal
    CROSS JOIN unnest(both_fields) field
    WHERE field = ANY (given.fields) AND NOT EXISTS (
        SELECT FROM met
        WHERE met.subject_id = given.subject_id AND met.fields && ARRAY[field, '*']
            -- Not lifted: older and at least as wide it would have to be.
            AND NOT (
                met.seq < given.seq
                AND (given.version, 'data', met.data, given.data) IN (SELECT * FROM covers)
                AND (given.version, 'purpose', met.purpose, given.purpose) IN (SELECT * FROM covers)
                AND (given.version, 'recipient', met.recipient, given.recipient)
                    IN (SELECT * FROM covers)
                AND ('*' = ANY (met.fields) OR given.fields <@ met.fields)
            )
    )
    GROUP BY subject_id, field
),
personal AS (
    SELECT subject_id, COALESCE(refusal, CASE
        WHEN erased THEN 'erased'
        WHEN subject_id IN (SELECT subject_id FROM turn WHERE kind = 'merged') THEN 'merged'
        WHEN subject_id IN (SELECT subject_id FROM dead)
            AND subject_id NOT IN (SELECT subject_id FROM named WHERE posthumous) THEN 'deceased'
        WHEN residents_only AND subject_id IN (SELECT subject_id FROM turn WHERE kind = 'moved-away')
            THEN 'moved-away'
        WHEN subject_id IN (SELECT subject_id FROM frozen) THEN 'frozen'
        WHEN subject_id NOT IN (SELECT subject_id FROM windows) THEN 'no-consent'
    END) AS reason
    FROM person
    CROSS JOIN deal
)
SELECT wanted AS subject_id,
    CASE WHEN personal.subject_id IS NULL THEN 'unknown' ELSE reason END AS reason,
    field, lower(span) AS window_start, upper(span) AS window_end
FROM unnest(%(subjects)s::uuid[]) wanted
LEFT JOIN personal ON personal.subject_id = wanted
LEFT JOIN windows ON windows.subject_id = wanted AND personal.reason IS NULL
LEFT JOIN unnest(times) span ON true
ORDER BY subject_id, field, window_start NULLS FIRST
