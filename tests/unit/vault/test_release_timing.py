"""How long a release takes does not tell whether the vault has something about somebody who does not consent."""

import random
import time
from datetime import timedelta
from statistics import NormalDist

import numpy as np
import pytest

from aizu_vault.intake import ingest

from .city import PEOPLE, yes
from .conftest import ALL
from .releases import DAY, measured, release

PAIRS = 10_000
SILENT = PEOPLE[-1]
HAS, HAS_NOT = 0, 1
pytestmark = pytest.mark.skipif(not ALL, reason="measures for minutes; only with --all")


def bring(city, consenting):
    """Two days of everybody, of which one person has but the first."""
    rows = measured()
    first = rows["time"] < DAY + timedelta(days=1)
    ingest(city.vault, "vitals", rows.filter(first | (rows["subject"] != str(SILENT))))
    city.record_all(*[(one, yes(one)) for one in consenting])


def took(city, day):
    """Seconds for everything of one day, and what came."""
    begin, end = (DAY + timedelta(days=one) for one in (day, day + 1))
    where = {"time": {"from": begin.isoformat(), "to": end.isoformat()}}
    before = time.perf_counter()
    answer = release(city, where=where)
    return time.perf_counter() - before, answer


def pairs(city, many):
    """Seconds for the day on which that person has something and for the other one, asked in random order."""
    seconds = ([], [])
    for _ in range(20):
        took(city, HAS), took(city, HAS_NOT)
    for _ in range(many):
        for day in random.sample((HAS, HAS_NOT), 2):
            seconds[day].append(took(city, day)[0])
    return seconds


def mann_whitney(one, other):
    """How likely such a difference is by chance (two-sided, normal approximation; no ties among measured times)."""
    both = np.concatenate([one, other])
    ranks = np.empty(len(both))
    ranks[both.argsort()] = np.arange(1, len(both) + 1)
    n, m = len(one), len(other)
    u = ranks[:n].sum() - n * (n + 1) / 2
    z = (u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * (1 - NormalDist().cdf(abs(z)))


def test_silence_takes_as_long_as_nothing(city):
    """A day on which the vault has rows of somebody who said nothing is asked as fast as a day on which it has none."""
    bring(city, PEOPLE[:-1])
    assert took(city, HAS)[1].count(b"\n") == took(city, HAS_NOT)[1].count(b"\n") > 1
    assert mann_whitney(*pairs(city, PAIRS)) > 0.0001


def test_rows_that_go_take_longer(city):
    """The same measurement finds one person more, once that person consents."""
    bring(city, PEOPLE)
    assert mann_whitney(*pairs(city, 200)) < 0.0001
