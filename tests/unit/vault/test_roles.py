"""What each role may do is a list that is checked in, grants.txt; the database says exactly the same."""

from pathlib import Path

import psycopg
import pytest

from aizu_vault.prepare import ROLES

GRANTS = Path(__file__).with_name("grants.txt")
OURS = "NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
# An object without a list of its own has the default one, by which everybody may run a function.
SAID = f"""
WITH acl AS (
    SELECT 'schema' AS kind, nspname AS name, coalesce(nspacl, acldefault('n', nspowner)) AS acl
    FROM pg_namespace WHERE nspname {OURS}
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname || '.' || relname,
        coalesce(relacl, acldefault((CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner))
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'v', 'm', 'S', 'p', 'f') AND nspname {OURS}
    UNION ALL
    SELECT 'column', nspname || '.' || relname || '.' || attname, attacl
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attacl IS NOT NULL AND nspname {OURS}
    UNION ALL
    SELECT CASE WHEN prosecdef THEN 'function of the owner' ELSE 'function' END,
        nspname || '.' || proname, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname {OURS}
    UNION ALL
    SELECT 'database', 'deep', datacl FROM pg_database WHERE datname = %(database)s
)
SELECT coalesce(rolname, 'everybody') AS role, kind, name, string_agg(privilege_type, ', ' ORDER BY privilege_type)
FROM acl CROSS JOIN aclexplode(acl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE coalesce(rolname, '') NOT IN ('deep_owner', 'postgres', 'pg_database_owner')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@pytest.fixture(scope="module")
def database(server, request):
    """The prepared vault; tests read it."""
    request.getfixturevalue("prepared")
    with server.connect("deep") as connection:
        yield connection


def test_grants_are_those_of_the_list(database):
    """Per role: schemas, tables, columns, functions, the database; nobody else has anything."""
    said = [" · ".join(row) for row in database.execute(SAID, {"database": "deep"})]
    assert said == GRANTS.read_text(encoding="utf-8").splitlines()


def test_functions_that_run_as_the_owner_choose_their_own_names(database):
    """Whoever calls them cannot put other tables in their way."""
    rows = database.execute(
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
        f"WHERE nspname {OURS} AND prosecdef AND NOT 'search_path=\"\"' = ANY (coalesce(proconfig, '{{}}'))"
    )
    assert rows.fetchall() == []


def test_everything_belongs_to_the_owner(database):
    """Who logs in owns nothing; row security holds for the owner of the blocks as well."""
    rows = database.execute(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        f"WHERE nspname {OURS} UNION SELECT DISTINCT proowner::regrole::text FROM pg_proc "
        f"JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname {OURS}"
    )
    assert rows.fetchall() == [("deep_owner",)]
    query = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'vault.block'::regclass"
    assert database.execute(query).fetchone() == (True, True)


def test_policies_are_five(database):
    """Blocks come in, are counted by those who bring them, and are seen by a release that is recorded; events are recorded now."""
    rows = database.execute("SELECT policyname, roles, cmd FROM pg_policies ORDER BY 1").fetchall()
    assert rows == [
        ("intake", ["deep_ingest"], "INSERT"),
        ("numbering", ["deep_ingest"], "SELECT"),
        ("reading", ["public"], "SELECT"),
        ("recorded", ["deep_owner"], "SELECT"),
        ("recording", ["deep_consent"], "INSERT"),
    ]


@pytest.mark.parametrize("role", [*ROLES, "deep_owner"])
def test_no_role_has_power_beyond_its_grants(database, role):
    """None is superuser, makes roles or databases, passes row security, or may become another."""
    row = database.execute(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication, rolcanlogin, "
        "(SELECT count(*) FROM pg_auth_members WHERE roleid = pg_roles.oid OR member = pg_roles.oid) "
        "FROM pg_roles WHERE rolname = %s",
        (role,),
    ).fetchone()
    assert row == (False, role != "deep_owner", 0)


@pytest.mark.parametrize("role", ["ckan", "datastore_reader"])
def test_the_portals_roles_are_not_let_in(server, database, role):
    """Whatever password they have; other databases are open to them."""
    database.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN")
    place = {"host": str(server.folder), "user": role}
    psycopg.connect(**place, dbname="postgres").close()
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "deep"'):
        psycopg.connect(**place, dbname="deep")
    database.execute(f"DROP ROLE {role}")


@pytest.mark.usefixtures("database")
def test_the_owner_does_not_log_in(server):
    """Only a superuser becomes the owner."""
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(host=str(server.folder), user="deep_owner", dbname="deep")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("role", ROLES)
def test_nobody_makes_anything(server, role):
    """No table, no schema, not even for a session."""
    with psycopg.connect(host=str(server.folder), user=role, dbname="deep", autocommit=True) as own:
        for statement in ("CREATE SCHEMA mine", "CREATE TABLE public.mine ()", "CREATE TEMP TABLE mine ()",
                          "CREATE ROLE mine"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(statement)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("role", ROLES)
def test_what_fails_is_logged_without_values(server, role):
    """The server's log names no person: neither a row nor the statement."""
    with psycopg.connect(host=str(server.folder), user=role, dbname="deep") as own:
        query = "SELECT current_setting('log_error_verbosity'), current_setting('log_min_error_statement')"
        assert own.execute(query).fetchone() == ("terse", "panic")
