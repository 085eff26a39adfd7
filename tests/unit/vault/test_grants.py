"""Who may do what with the log is a list, and the database keeps to it."""

import psycopg
import pytest

WRITERS = ("deep_consent", "deep_ingest", "deep_release", "deep_steward")
ROLES = sorted((*WRITERS, "deep_audit", "deep_owner", "deep_signer"))
TABLES = {
    ("deep_audit", "log_day", "SELECT"),
    ("deep_audit", "log_head", "SELECT"),
    ("deep_audit", "log_leaf", "SELECT"),
    ("deep_audit", "log_tile", "SELECT"),
    ("deep_signer", "log_day", "INSERT"),
    ("deep_signer", "log_head", "INSERT"),
    ("deep_signer", "log_head", "SELECT"),
    ("deep_signer", "log_tile", "INSERT"),
    ("deep_signer", "log_tile", "SELECT"),
}
LEAVES = ("append_leaves", "clock", "take_log")
STATE = ("leaves", "state")
COUNTS = ("count_all", "count_of")
COLUMNS = {
    ("deep_signer", "log_head", "note", "UPDATE"),
    ("deep_signer", "log_head", "signed_at", "UPDATE"),
    ("deep_signer", "log_leaf", "leaf_hash", "SELECT"),
    ("deep_signer", "log_leaf", "leaf_index", "SELECT"),
}
FUNCTIONS = {
    *((role, function) for role in WRITERS for function in LEAVES),
    *((role, function) for role in ("deep_consent", "deep_release") for function in STATE),
    *(("deep_audit", function) for function in COUNTS),
}


def granted(log, catalogue, *columns):
    """What information_schema says of everybody but the owner."""
    query = (
        f"SELECT {', '.join(columns)} FROM information_schema.{catalogue} "
        "WHERE specific_schema = 'audit' AND grantee <> 'deep_owner'"
    )
    if catalogue != "routine_privileges":
        query = query.replace("specific_schema", "table_schema")
    return set(log.connection.execute(query).fetchall())


def test_tables(log):
    """Nobody but the owner may insert a leaf, and nobody at all may change one."""
    assert granted(log, "table_privileges", "grantee", "table_name", "privilege_type") == TABLES


def test_columns(log):
    """Beyond whole tables."""
    words = ("grantee", "table_name", "column_name", "privilege_type")
    beyond = {
        row
        for row in granted(log, "column_privileges", *words)
        if (row[0], row[1], row[3]) not in TABLES
    }
    assert beyond == COLUMNS


def test_functions(log):
    """Leaves come in by these alone; they run as the owner with a fixed search path."""
    assert granted(log, "routine_privileges", "grantee", "routine_name") == FUNCTIONS
    rows = log.connection.execute(
        "SELECT proname, prosecdef, proconfig, proowner::regrole::text FROM pg_proc "
        "WHERE pronamespace = 'audit'::regnamespace"
    ).fetchall()
    assert {name for name, _, config, _ in rows if config != ['search_path=""']} == set()
    assert {owner for *_, owner in rows} == {"deep_owner"}
    assert {name for name, definer, *_ in rows if definer} == {*LEAVES, *STATE, *COUNTS}


def test_roles_have_no_power_of_their_own(log):
    """No superuser, no role that makes roles or passes row security, and none may be the owner."""
    rows = log.connection.execute(
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication "
        "FROM pg_roles WHERE rolname LIKE 'deep%' ORDER BY 1"
    ).fetchall()
    assert rows == [(role, False) for role in ROLES]
    members = "SELECT count(*) FROM pg_auth_members WHERE roleid = 'deep_owner'::regrole"
    assert log.connection.execute(members).fetchone() == (0,)


@pytest.mark.parametrize("role", [None, *ROLES])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.log_leaf SET body = 'x'",
        "DELETE FROM audit.log_leaf",
        "TRUNCATE audit.log_leaf",
        "UPDATE audit.log_tile SET tile_hash = 'x'",
        "DELETE FROM audit.log_head",
        "UPDATE audit.log_head SET root = 'x'",
        "TRUNCATE audit.log_head",
    ],
)
def test_nobody_changes_what_was_logged(long_log, role, statement):
    """Roles lack the right, owner and superuser are stopped by triggers."""
    with long_log.server.connect(long_log.database) as connection:
        if role:
            connection.execute(f"SET SESSION AUTHORIZATION {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize("role", [*WRITERS, "deep_signer"])
def test_a_leaf_cannot_be_inserted_past_the_functions(log, role):
    """Not even by those who may append."""
    with log.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(
            "INSERT INTO audit.log_leaf (leaf_index, recorded_at, body) VALUES (9, now(), 'x')"
        )


def test_a_leaf_cannot_leave_a_gap(log):
    """The second half of an append without the first, or with another index."""
    with log.connect("deep_release") as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute("SELECT audit.append_leaves(5, now(), '{x}', '{NULL}', '{NULL}')")


def test_the_signer_signs_and_the_auditor_reads(log):
    """Each with its own role and nothing more."""
    log.add(1, 2)
    with log.connect("deep_signer") as connection:
        assert log.signer.sign_head(connection).checkpoint.size == 2
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT sealed FROM audit.log_leaf")
    with log.connect("deep_audit") as connection:
        assert connection.execute("SELECT count(*) FROM audit.log_leaf").fetchone() == (2,)


def test_whoever_stands_still_with_the_log_is_ended(log):
    """Settings of the roles that append."""
    rows = log.connection.execute(
        "SELECT rolname FROM pg_roles WHERE 'idle_in_transaction_session_timeout=10s' = ANY (rolconfig)"
    ).fetchall()
    assert {name for (name,) in rows} == set(WRITERS)
