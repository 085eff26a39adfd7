-- Who may do what in the vault, beside the log's own grants. Whatever is not named here is taken away.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA consent, vault, ident, release
    FROM PUBLIC, deep_release, deep_consent, deep_audit, deep_signer, deep_ingest, deep_steward;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA consent, vault, ident, release
    FROM PUBLIC, deep_release, deep_consent, deep_audit, deep_signer, deep_ingest, deep_steward;

-- Releases: decide on consent, read blocks by the one function, and keep the record of it.
GRANT USAGE ON SCHEMA consent, vault, ident, release TO deep_release;
GRANT SELECT ON ALL TABLES IN SCHEMA consent TO deep_release;
GRANT EXECUTE ON FUNCTION consent.attains, vault.release_chunk, ident.use_token TO deep_release;
GRANT SELECT ON vault.layout, vault.concerned TO deep_release;
GRANT SELECT, INSERT ON release.release TO deep_release;
GRANT UPDATE (state, reason, position, persons, rows, bytes) ON release.release TO deep_release;
GRANT SELECT ON release.person TO deep_release;
GRANT UPDATE (fields, rows, t_min, t_max, leaf_index, handed_over_at) ON release.person TO deep_release;

-- Consent: add what people say, and find out who says it, one login or code at a time.
GRANT USAGE ON SCHEMA consent, ident TO deep_consent;
GRANT SELECT ON consent.subject, consent.event, consent.dataset, consent.terms,
    consent.taxonomy_version, consent.taxonomy_node, consent.taxonomy_closure, consent.node_name TO deep_consent;
GRANT INSERT ON consent.event TO deep_consent;
GRANT EXECUTE ON FUNCTION consent.take_turns, ident.subject_of_login, ident.subject_of_code, ident.use_token
    TO deep_consent;

-- Audit: that every row which went is in the log, not whose it was: who asked for their own data is that person.
GRANT USAGE ON SCHEMA release TO deep_audit;
GRANT SELECT (release_id, mode, dataset_id, agreement_id, receiver, purpose, fields, requested_at, resumes, state,
    reason, persons, rows, bytes) ON release.release TO deep_audit;
GRANT SELECT (release_id, chunk, rows, leaf_index, handed_over_at) ON release.person TO deep_audit;

-- Intake: add blocks, and see which part of a day comes next; the content of none.
GRANT USAGE ON SCHEMA consent, vault TO deep_ingest;
GRANT SELECT ON consent.dataset TO deep_ingest;
GRANT SELECT (subject_id, erased) ON consent.subject TO deep_ingest;
GRANT SELECT ON vault.layout TO deep_ingest;
GRANT SELECT, INSERT ON vault.concerned TO deep_ingest;
GRANT SELECT (dataset_id, subject_id, day, part) ON vault.block TO deep_ingest;
GRANT INSERT ON vault.block TO deep_ingest;

-- Stewards: keep the register and who is who. They say nothing in anybody's name.
GRANT USAGE ON SCHEMA consent, vault, ident, release TO deep_steward;
GRANT SELECT, INSERT ON consent.taxonomy_version, consent.taxonomy_node, consent.taxonomy_closure,
    consent.node_name, consent.dataset, consent.terms, consent.recipient, consent.recipient_member,
    consent.obligation, consent.agreement, consent.subject TO deep_steward;
GRANT UPDATE ON consent.node_name, consent.dataset, consent.recipient, consent.agreement TO deep_steward;
GRANT UPDATE (valid) ON consent.recipient_member TO deep_steward;
GRANT UPDATE (due, fulfilled_at) ON consent.obligation TO deep_steward;
GRANT UPDATE (erased, birth_date) ON consent.subject TO deep_steward;
GRANT SELECT ON consent.event TO deep_steward;
GRANT EXECUTE ON FUNCTION consent.close_taxonomy, ident.subject_of_login TO deep_steward;
GRANT SELECT, INSERT ON vault.layout TO deep_steward;
GRANT SELECT, INSERT, DELETE ON vault.concerned TO deep_steward;
GRANT SELECT (subject_id), INSERT, UPDATE (subject_id), DELETE ON ident.subject_link TO deep_steward;
GRANT SELECT (subject_id, made_at, revoked_at), INSERT, UPDATE (subject_id, revoked_at), DELETE
    ON ident.withdrawal_code TO deep_steward;
GRANT SELECT ON release.release TO deep_steward;

-- A statement of the rule is compiled a hundred times as long as it runs; nothing goes before it is durable.
ALTER ROLE deep_release SET jit = off;
-- Each chunk runs the same statements; planning the rule anew takes longer than deciding on 250 people.
ALTER ROLE deep_release SET plan_cache_mode = force_generic_plan;
-- A person's few events are found by the index also while there are few people: they are in memory.
ALTER ROLE deep_release SET random_page_cost = 1.1;
ALTER ROLE deep_release SET synchronous_commit = on;
ALTER ROLE deep_consent SET jit = off;
ALTER ROLE deep_consent SET synchronous_commit = on;
ALTER ROLE deep_steward SET synchronous_commit = on;
-- Whoever waits longer than this for a fence is told so.
ALTER ROLE deep_release SET lock_timeout = '10s';
ALTER ROLE deep_consent SET lock_timeout = '10s';
ALTER ROLE deep_steward SET lock_timeout = '10s';

-- What the server logs of a statement that failed names nobody: no values, no rows.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY[
        'deep_release', 'deep_consent', 'deep_audit', 'deep_signer', 'deep_ingest', 'deep_steward'
    ] LOOP
        EXECUTE format('ALTER ROLE %I SET log_error_verbosity = terse', role);
        EXECUTE format('ALTER ROLE %I SET log_min_error_statement = panic', role);
    END LOOP;
END $$;
