"""What the service does each minute: heads are signed by one at a time, and nobody who withdraws waits for it."""

import logging
import threading
from uuid import uuid4

from aizu_vault import upkeep
from aizu_vault.events import withdraw
from aizu_vault.upkeep import Upkeep, mark_now, sign_now

from .city import PEOPLE, yes
from .releases import begin, bring


def heads(city):
    """The sizes of the log that were signed."""
    with city.vault.connect("deep_audit") as audit:
        rows = audit.execute("SELECT tree_size FROM audit.log_head ORDER BY 1").fetchall()
    return [size for (size,) in rows]


def eventually(true):
    """Waits until something is so."""
    for _ in range(500):
        if true():
            return True
        threading.Event().wait(0.02)
    return False


def test_one_signs_at_a_time(city):
    """Who comes second leaves it to the first, and does not wait."""
    size = sign_now(city.vault).checkpoint.size
    city.record(PEOPLE[0], yes(PEOPLE[0]))
    with city.vault.connect("deep_signer") as other:
        other.execute("SELECT pg_advisory_lock(hashtext('audit.log_head'))")
        assert sign_now(city.vault) is None
    assert heads(city) == [size]
    assert sign_now(city.vault).checkpoint.size == size + 1


def test_a_withdrawal_does_not_wait_for_the_signer(city):
    """Not even for one that stands still in the middle."""
    with city.vault.connect("deep_signer") as signer, signer.transaction():
        signer.execute("SELECT pg_advisory_lock(hashtext('audit.log_head'))")
        city.vault.signer.sign_head(signer)
        city.recorder.execute("SET lock_timeout = '100ms'")
        withdraw(city.recorder, city.keys, PEOPLE[0], nonce=str(uuid4()))


def test_it_goes_on_minute_by_minute_whatever_happens(city, server, monkeypatch, caplog):
    """While the database is away the service's log says so; when it is back, the log is signed."""
    monkeypatch.setattr(upkeep, "SECONDS", 0.05)
    running = Upkeep(city.vault)
    with server.connect("postgres") as admin:
        admin.execute("ALTER ROLE deep_signer NOLOGIN")
        try:
            running.start()
            assert eventually(lambda: len(caplog.records) > 1)
        finally:
            admin.execute("ALTER ROLE deep_signer LOGIN")
    assert "sign_now: UnreachableError" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.CRITICAL}
    assert eventually(lambda: heads(city))
    city.record(PEOPLE[0], yes(PEOPLE[0]))
    assert eventually(lambda: len(heads(city)) > 1)
    running.end()


def test_a_release_whose_process_is_gone_keeps_nobody_out(city):
    """It is marked, and its user may begin again; one that runs stays as it is."""
    bring(city)
    running = begin(city)
    state = "SELECT state FROM release.release WHERE release_id = %s"
    mark_now(city.vault)
    assert city.release.execute(state, (running.release_id,)).fetchone() == ("running",)
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'deep_release'"
    lost = running.release_id
    with city.vault.connect("deep_steward"):
        city.admin().execute(
            query + " AND pid <> %s AND datname = current_database()",
            (city.release.info.backend_pid,),
        )
    mark = "SELECT state FROM release.release WHERE release_id = %s"
    assert eventually(
        lambda: (
            mark_now(city.vault) is None
            and city.release.execute(mark, (lost,)).fetchone() == ("crashed",)
        )
    )
    running.close()
    begin(city).close()
