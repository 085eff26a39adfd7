"""The fence: releases hold it together, who narrows takes it alone and waits for no chunk that begins later."""

import threading

import psycopg
import pytest

from aizu_vault.fence import close_fences, release_fence


def is_closed(connection, dataset):
    """Whether a release would have to wait."""
    query = "SELECT pg_try_advisory_lock_shared(hashtext('vault.fence'), hashtext(%s))"
    (free,) = connection.execute(query, (dataset,)).fetchone()
    if free:
        connection.execute(query.replace("try_advisory_lock", "advisory_unlock"), (dataset,))
    return not free


@pytest.fixture
def connect(untouched):
    """Connections that are closed with the test."""
    opened = []

    def connected(role):
        opened.append(untouched.vault.connect(role))
        return opened[-1]

    yield connected
    for one in opened:
        one.close()


def test_releases_share_the_fence(connect):
    """Of one dataset, at the same time; nobody has it afterwards."""
    first, second = connect("deep_release"), connect("deep_release")
    with release_fence(first, "vitals"), release_fence(second, "vitals"):
        pass
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    assert first.execute(locks).fetchone() == (0,)


def test_who_narrows_waits_for_the_chunk_and_goes_before_the_next(connect):
    """The queue is fair: releases one after another do not starve a withdrawal."""
    going, next_one, narrowing = (connect("deep_release") for _ in range(3))
    order = []

    def narrow():
        with narrowing.transaction():
            close_fences(narrowing, ["vitals"])
            order.append("withdrawal")

    def release():
        with release_fence(next_one, "vitals"):
            order.append("next chunk")

    threads = [threading.Thread(target=narrow), threading.Thread(target=release)]
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with release_fence(going, "vitals"):
        for number, thread in enumerate(threads, 1):
            thread.start()
            while going.execute(waiting).fetchone() != (number,):
                pass
        order.append("chunk")
    for thread in threads:
        thread.join()
    assert order == ["chunk", "withdrawal", "next chunk"]


def test_the_fence_is_held_until_the_transaction_ends(connect):
    """And for those datasets alone."""
    narrowing, release = connect("deep_consent"), connect("deep_release")
    with narrowing.transaction():
        close_fences(narrowing, ["vitals", "energy"])
        assert is_closed(release, "vitals")
        assert is_closed(release, "energy")
        assert not is_closed(release, "mobility")
    assert not is_closed(release, "vitals")


def test_the_fence_opens_when_a_chunk_fails(connect):
    """In the middle of its transaction, or with its connection."""
    release, other = connect("deep_release"), connect("deep_consent")
    undefined = pytest.raises(psycopg.errors.UndefinedTable)
    with undefined, release_fence(release, "vitals"), release.transaction():
        release.execute("SELECT FROM vault.nothing")
    with other.transaction():
        close_fences(other, ["vitals"])
    with pytest.raises(BrokenPipeError), release_fence(release, "vitals"):
        release.close()
        raise BrokenPipeError
    with other.transaction():
        close_fences(other, ["vitals"])


def test_two_who_narrow_the_same_datasets_do_not_block_one_another(connect):
    """Whatever order they name them in."""
    first, second = connect("deep_consent"), connect("deep_steward")

    def narrow(connection, datasets):
        for _ in range(50):
            with connection.transaction():
                close_fences(connection, datasets)

    other = threading.Thread(target=narrow, args=(second, ["energy", "vitals"]))
    other.start()
    narrow(first, ["vitals", "energy"])
    other.join()


def test_who_waits_too_long_is_told(connect):
    """Instead of standing in the queue, where it would hold up all releases."""
    release, narrowing = connect("deep_release"), connect("deep_consent")
    narrowing.execute("SET lock_timeout = '50ms'")
    too_long = pytest.raises(psycopg.errors.LockNotAvailable)
    with release_fence(release, "vitals"), too_long, narrowing.transaction():
        close_fences(narrowing, ["vitals"])
