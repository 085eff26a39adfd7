"""A steward's change of the city file is taken up while everything runs; a mistake stops nothing."""

import shutil
from pathlib import Path

import pytest

from harvesters import configuration, dispatch
from harvesters import settings as setting
from harvesters.city_file import CityFile
from harvesters.errors import ConfigurationError
from harvesters.journal import Key
from harvesters.worker import _city_file

HYDRANT = Key("aizuwakamatsu", "hydrant")


@pytest.fixture
def file(monkeypatch, tmp_path):
    """A copy of the city file that may be changed."""
    shutil.copytree(Path(str(configuration.SCHEMAS)), tmp_path / "schemas")
    monkeypatch.setattr(configuration, "SCHEMAS", tmp_path / "schemas")
    return tmp_path / "schemas/cities/aizuwakamatsu.yaml"


def change(file, before, after):
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def hydrant_schedule(city):
    return city.city.feeds["hydrant"].schedule.text


def test_a_change_is_read_once(file):
    """And said."""
    city = CityFile("aizuwakamatsu", "")
    assert city.look() is None
    change(file, "schedule: 0 3 * * *", "schedule: 15 4 * * *")
    assert "aizuwakamatsu.yaml" in city.look().ja
    assert hydrant_schedule(city) == "15 4 * * *"
    assert city.look() is None


@pytest.mark.parametrize("broken", ["schedule: nonsense", "schedule: [", None])
def test_of_a_broken_file_the_last_good_state_counts(file, broken):
    """It is said what is wrong, once; the next good state is taken."""
    city = CityFile("aizuwakamatsu", "")
    if broken:
        change(file, "schedule: 0 3 * * *", broken)
    else:
        file.unlink()
    told = city.look()
    assert "broken" in told.en
    assert "aizuwakamatsu.yaml" in told.en
    assert hydrant_schedule(city) == "0 3 * * *"
    assert city.look() is None
    shutil.copy(Path(__file__).parents[3] / "schemas/cities/aizuwakamatsu.yaml", file)
    change(file, "schedule: 0 3 * * *", "schedule: 1 2 * * *")
    assert "read again" in city.look().en
    assert hydrant_schedule(city) == "1 2 * * *"


def test_a_file_that_is_broken_from_the_beginning_is_refused(file):
    """There is nothing that could stay in force."""
    file.write_text("[", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        CityFile("aizuwakamatsu", "")


def test_a_scheduler_takes_the_change_up(file, settings_env, redis_server, monkeypatch):
    """Without being started anew; what is wrong is said in its log."""
    settings_env.setenv("AIZU_REDIS_URL", redis_server.url)
    settings_env.setenv("AIZU_CITY_URL", "http://127.0.0.1:1")
    said, looks = [], []

    def tick(_journal, sources):
        looks.append(sources[HYDRANT].schedule.text)
        if len(looks) == 1:
            change(file, "schedule: 0 3 * * *", "schedule: 15 4 * * *")
        elif len(looks) == 2:
            change(file, "schedule: 15 4 * * *", "schedule: 99 4 * * *")
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "tick", tick)
    monkeypatch.setattr(dispatch, "TICK_S", 0.01)
    monkeypatch.setattr(dispatch.signal, "signal", lambda *_: None)
    current = setting.read()
    with pytest.raises(KeyboardInterrupt):
        dispatch.keep_dispatching(current, CityFile("aizuwakamatsu", current.city_url), said.append)
    assert looks == ["0 3 * * *", "15 4 * * *", "15 4 * * *"]
    assert ["read again" in said[0].en, "99 4" in said[1].en] == [True, True]


@pytest.mark.usefixtures("settings_env")
def test_a_worker_goes_on_with_what_the_file_said_before(file, capsys):
    """Its processes inherit what it remembers; the log says why."""
    known = _city_file("aizuwakamatsu")
    change(file, "schedule: 0 3 * * *", "schedule: nonsense")
    assert hydrant_schedule(_city_file("aizuwakamatsu")) == hydrant_schedule(known) == "0 3 * * *"
    assert "nonsense" in capsys.readouterr().out
