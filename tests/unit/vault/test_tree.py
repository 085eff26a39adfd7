"""The tree in PostgreSQL is that of RFC 9162, and of pymerkle."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from aizu_vault.log.tree import FAN, Tree, store_tiles

from .conftest import ALL, load_script

script = load_script()
# The leaves and roots with which implementations of Certificate Transparency are compared.
LEAVES = [
    bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
] + [bytes.fromhex("606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def fill(connection, bodies):
    """Leaves of any bytes, past the entries."""
    with connection.transaction():
        first, at, _ = connection.execute("SELECT * FROM audit.take_log('{}')").fetchone()
        nothing = [None] * len(bodies)
        connection.execute(
            "SELECT audit.append_leaves(%s, %s, %s, %s::bytea[], %s::bytea[])",
            (first, at, bodies, nothing, nothing),
        )


def parent(left, right):
    """An inner node, written down once more."""
    return sha256(b"\x01" + left + right).digest()


@pytest.fixture(scope="module")
def many(server, empty_log):
    """A tree of more leaves than two levels of tiles hold, and the same in memory."""
    bodies = [b"leaf %d" % number for number in range(FAN * FAN + 300)]
    connection = server.connect(server.create(empty_log))
    fill(connection, bodies)
    same = InmemoryTree()
    same.append_entries(bodies)
    store_tiles(connection, Tree(connection), len(bodies))
    yield connection, same
    connection.close()


def test_roots_are_those_of_certificate_transparency(log):
    """Also that of the empty tree."""
    fill(log.connection, LEAVES)
    assert [Tree(log.connection).get_root(size).hex() for size in range(9)] == ROOTS


def test_proofs_are_those_of_the_example_in_the_rfc(log):
    """RFC 9162, 2.1.5: seven leaves, nodes a to l."""
    fill(log.connection, LEAVES[:7])
    a, b, c, d, e, f, j = (sha256(b"\0" + leaf).digest() for leaf in LEAVES[:7])
    g, h, i = parent(a, b), parent(c, d), parent(e, f)
    k, last = parent(g, h), parent(i, j)
    tree = Tree(log.connection)
    assert tree.get_root() == parent(k, last)
    assert tree.inclusion(0, 7) == [b, h, last]
    assert tree.inclusion(3, 7) == [c, g, last]
    assert tree.inclusion(4, 7) == [f, j, k]
    assert tree.inclusion(6, 7) == [i, k]
    assert tree.consistency(3, 7) == [c, d, g, last]
    assert tree.consistency(4, 7) == [last]
    assert tree.consistency(6, 7) == [i, j, k]


def test_a_proof_of_another_length_is_refused(log):
    """Though it leads to the root of a smaller or a larger tree."""
    fill(log.connection, LEAVES)
    tree = Tree(log.connection)
    path = [node.hex() for node in tree.inclusion(0, 8)]
    assert script.included(LEAVES[0], 0, 8, path) == tree.get_root(8)
    assert refused(script.included, LEAVES[0], 0, 8, path[:2], want=tree.get_root(4))
    assert refused(script.included, LEAVES[0], 0, 4, path, want=tree.get_root(8))


def test_roots_are_those_of_pymerkle(many):
    """For every small size and around full tiles, with and without the stored tiles."""
    connection, same = many
    edges = [
        FAN - 1,
        FAN,
        FAN + 1,
        3 * FAN,
        5 * FAN + 77,
        FAN * FAN - 1,
        FAN * FAN,
        same.get_size(),
    ]
    with_tiles, from_leaves = Tree(connection), Tree(connection, stored_tiles=False)
    for size in [*range(40), *edges]:
        assert with_tiles.get_root(size) == same.get_root(size), size
        assert from_leaves.get_root(size) == same.get_root(size), size


def test_tiles_are_stored_and_used(many):
    """A whole tree of two levels is read from few rows."""
    connection, same = many
    counted = connection.execute("SELECT level, count(*) FROM audit.log_tile GROUP BY 1 ORDER BY 1")
    assert counted.fetchall() == [(1, FAN + 1), (2, 1)]
    tree = Tree(connection)
    read = []
    real = tree._column
    tree._column = lambda query, values: (read.append(values), real(query, values))[1]
    tree.inclusion(12_345, same.get_size())
    assert len(read) < 20


sizes = st.integers(1, FAN * FAN + 300)


@settings(max_examples=1_000 if ALL else 100, deadline=None)
@given(st.data())
def test_every_proof_convinces_and_no_other_does(many, data):
    """Inclusion and consistency at random sizes; one altered byte, or another root, and they fail."""
    connection, same = many
    tree = Tree(connection)
    later = data.draw(sizes | st.integers(1, 40))
    earlier, index = data.draw(st.integers(0, later)), data.draw(st.integers(0, later - 1))
    path = [node.hex() for node in tree.inclusion(index, later)]
    leaf = b"leaf %d" % index
    root = same.get_root(later)
    assert script.included(leaf, index, later, path) == root
    other = data.draw(st.integers(0, later - 1).filter(lambda one: one != index) | st.none())
    if other is not None:
        assert refused(script.included, leaf, other, later, path, want=root)
    way = [node.hex() for node in tree.consistency(earlier, later)]
    heads = (earlier, same.get_root(earlier), None), (later, root, None)
    script.check_consistent(*heads, way)
    forged = (earlier, sha256(b"other").digest(), None)
    if earlier:
        assert refused(script.check_consistent, forged, heads[1], way)
    if way:
        place = data.draw(st.integers(0, len(way) - 1))
        altered = [*way[:place], sha256(way[place].encode()).hexdigest(), *way[place + 1 :]]
        assert refused(script.check_consistent, *heads, altered)
        assert refused(script.check_consistent, *heads, way[:-1])
        assert refused(script.check_consistent, *heads, [*way, way[-1]])


def refused(check, *words, want=None):
    """Whether a check says no."""
    try:
        return check(*words) != want
    except (script.WrongError, ValueError):
        return True
