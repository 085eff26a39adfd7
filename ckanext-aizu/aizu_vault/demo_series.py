"""The invented series of the demonstration: a winter day of pulse and temperature, a cold week of household power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from aizu_vault.demo_people import SEED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aizu_vault.demo_people import Citizen, Household

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Places = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

DAY: Final = np.datetime64("2026-01-20T00:00", "us") - np.timedelta64(9, "h")
"""00:00 in Japan of a Tuesday after snow."""
WEEK: Final = np.datetime64("2026-01-19T00:00", "us") - np.timedelta64(9, "h")
MINUTES, HALF_HOURS = 24 * 60, 7 * 48
_WORN: Final = (180, 900)
"""For how many minutes people wear the device, at least and at most."""


def vitals(households: Sequence[Household]) -> pl.DataFrame:
    """Pulse and temperature of everybody, for each minute in which the device is worn."""
    citizens = [one for household in households for one in household.members]
    rng = np.random.default_rng(SEED)
    many = len(citizens)
    worn = rng.integers(*_WORN, many)
    begin = rng.integers(0, MINUTES - worn)
    who = np.repeat(np.arange(many), worn)
    minute = np.arange(len(who)) - np.repeat(np.cumsum(worn) - worn, worn) + begin[who]
    hour = minute / 60
    ages = np.array([one.age() for one in citizens])
    resting = np.where(ages < 12, 92 - 2 * ages, 66) + rng.normal(0, 6, many)
    feverish = rng.random(many) < 0.03
    shovels = (rng.random(many) < 0.2) & (ages > 20) & (ages < 75)
    snow = shovels[who] * _bump(hour, 6.6, 0.5)
    awake = _awake(hour)
    pulse = resting[who] + 9 * awake + 38 * snow + 14 * feverish[who]
    pulse += 5 * np.sin(minute / 23 + who) * awake + rng.normal(0, 2.5, len(who))
    warmth = 36.3 + rng.normal(0, 0.15, many)[who] + 0.35 * np.sin((hour - 10) / 24 * 2 * np.pi)
    warmth += 1.6 * feverish[who] + 0.25 * snow + rng.normal(0, 0.04, len(who))
    return pl.DataFrame(
        {
            "subject": _ids(citizens, who),
            "time": _times(DAY, minute, 1),
            "pulse": pl.Series(np.clip(pulse, 40, 190).round().astype("i8")),
            "temperature": pl.Series(warmth.round(2)),
        }
    )


def energy(households: Sequence[Household]) -> pl.DataFrame:
    """Kilowatt-hours of every household in each half-hour of the week; one home's heating fails."""
    rng = np.random.default_rng(SEED + 1)
    many = len(households)
    who = np.repeat(np.arange(many), HALF_HOURS)
    slot = np.tile(np.arange(HALF_HOURS), many)
    hour = (slot % 48) / 2
    size = np.array([len(one.members) for one in households])
    base = 0.05 + 0.03 * size + rng.gamma(2, 0.02, many)
    electric = rng.random(many) < 0.4
    failed = np.flatnonzero(electric)[7]
    cold = 1 + 0.25 * np.cos((hour - 5) / 24 * 2 * np.pi) + 0.1 * np.sin(slot / 90)
    heating = (0.5 + 0.1 * size)[who] * electric[who] * cold * (0.45 + 0.55 * _awake(hour))
    heating[(who == failed) & (slot > HALF_HOURS - 48)] = 0
    daily = _bump(hour, 7, 1.1) + 1.6 * _bump(hour, 19, 2.0)
    kwh = base[who] + 0.16 * np.sqrt(size)[who] * daily + heating
    kwh *= rng.lognormal(0, 0.18, len(who))
    holders = [household.members[0] for household in households]
    return pl.DataFrame(
        {
            "subject": _ids(holders, who),
            "time": _times(WEEK, slot, 30),
            "kwh": pl.Series(kwh.round(3)),
        }
    )


def _bump(hour: Numbers, middle: float, width: float) -> Numbers:
    return np.exp(-np.square((hour - middle) / width))


def _awake(hour: Numbers) -> Numbers:
    """From 0, in deep sleep, to 1."""
    depth: Numbers = 1 / (1 + np.exp(-(hour - 6) * 2)) / (1 + np.exp((hour - 22.5) * 2))
    return depth


def _ids(citizens: Sequence[Citizen], who: Places) -> pl.Series:
    return pl.Series([str(one.subject_id) for one in citizens]).gather(who)


def _times(begin: np.datetime64, steps: Places, minutes: int) -> pl.Series:
    return pl.Series(begin + steps * np.timedelta64(minutes, "m")).dt.replace_time_zone("UTC")
