"""When a withdrawal is acknowledged, nothing of that person is handed over any more, however the two fall together."""

import itertools
import random
import threading
import time
from contextlib import ExitStack
from functools import partial

import pytest

from aizu_vault.events import withdraw
from aizu_vault.intake import ingest
from aizu_vault.progress import Pace
from aizu_vault.pseudonyms import in_order

from .city import PEOPLE, yes
from .conftest import ALL
from .releases import agree, begin, beside, crowd, measured

RACES = 1_000 if ALL else 50
CROWD, EACH = 80, 25
"""People, and how many of them withdraw while the releases of one round run."""


@pytest.fixture
def small_chunks(monkeypatch):
    """So that a release of few people has many."""
    monkeypatch.setattr("aizu_vault.progress.MOST_PERSONS", 7)
    monkeypatch.setattr("aizu_vault.chunks.SEGMENT_ROWS", 8)


class Tape:
    """What happened, in its order: a piece was given, it was handed over, a withdrawal was acknowledged."""

    def __init__(self):
        self.steps = []
        self.seconds = []

    def take(self, city, agreement, chance):
        """A recipient to whom each piece takes a moment."""
        going = begin(city, agreement=agreement)
        for piece in going:
            persons = hearts(piece)
            self.steps.append(("given", persons))
            time.sleep(chance.choice([0, 0, 0.002, 0.01]))
            self.steps.append(("handed over", persons))
        going.close()

    def withdraw(self, city, number, one, nonce):
        """One person withdraws."""
        begun = time.perf_counter()
        withdraw(city.recorder, city.keys, one, nonce=nonce)
        self.seconds.append(time.perf_counter() - begun)
        self.steps.append(("acknowledged", {number}))

    def check(self):
        """That nothing follows an acknowledgement, and that it was a race."""
        gone, seen, late = set(), set(), 0
        for step, persons in self.steps:
            if step == "acknowledged":
                gone |= persons
                late += not persons & seen
            else:
                assert not persons & gone, "handed over after the acknowledgement"
                seen |= persons
        return late


def hearts(piece):
    """Whose rows are in a piece, by number."""
    cells = [line.split(b",")[2] for line in piece.splitlines()]
    return {int(cell) for cell in cells if cell != b"heart"}


@pytest.mark.usefixtures("small_chunks")
def test_races_of_release_and_withdrawal(city):
    """Seeded: two recipients, and one after another withdraws at any moment."""
    people = crowd(city, CROWD)
    agree(city, "second")
    chance, late = random.Random(1), 0
    for number in range(RACES // EACH):
        city.record_all(*[(one, yes(one, f"yes-{number}")) for one in people])
        tape = Tape()
        takers = [
            threading.Thread(target=tape.take, args=(city, deal, random.Random(number)))
            for deal in ("deal", "second")
        ]
        for taker in takers:
            taker.start()
        for place in chance.sample(range(CROWD), EACH):
            time.sleep(chance.uniform(0, 0.03))
            tape.withdraw(city, place, people[place], f"no-{number}")
        for taker in takers:
            taker.join()
        late += tape.check()
    assert 0 < late < RACES, "some of them were in time, and some were not"


BEFORE, FIRST, SECOND = range(3)
"""Before anything is decided, and while a piece is on its way to the recipient."""


def test_all_interleavings_of_two_chunks_and_two_withdrawals(city, monkeypatch):
    """Two people, a chunk each: whoever had not been decided on by then does not go."""
    monkeypatch.setattr("aizu_vault.progress.MOST_PERSONS", 1)
    monkeypatch.setattr("aizu_vault.release.Pace", partial(Pace, persons=1))
    two = [one for _, one in in_order(city.keys.agreement("deal"), PEOPLE[:2])]
    ingest(city.vault, "vitals", measured(two, days=1))
    recorders = [city.recorder, city.connect("deep_consent")]
    moments = itertools.product((BEFORE, FIRST, SECOND), repeat=2)
    falls = list(itertools.product(moments, ([0, 1], [1, 0])))
    for number, (when, order) in enumerate(falls if ALL else random.Random(3).sample(falls, 6)):
        city.record_all(*[(one, yes(one, f"yes-{number}")) for one in two])
        # If nothing of the first person goes, the second one's chunk is the first piece.
        decided = [BEFORE, BEFORE if when[0] == BEFORE else FIRST]
        expected = {two[place] for place in (0, 1) if when[place] > decided[place]}
        got = set()
        with ExitStack() as withdrawals:
            pieces = iter(begin(city))
            for moment in (BEFORE, FIRST, SECOND):
                for place in order:
                    if when[place] == moment:
                        said = partial(withdraw, recorders[place], city.keys, two[place])
                        act = partial(said, nonce=f"no-{number}")
                        withdrawals.enter_context(beside(city, act))
                got |= {PEOPLE[heart - 60] for heart in hearts(next(pieces, b""))}
        assert got == expected
