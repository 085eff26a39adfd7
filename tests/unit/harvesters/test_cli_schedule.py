"""The commands around the schedule as a steward sees them: sentences, JSON, exit codes."""

import json
import time

import pytest
from click.testing import CliRunner

from harvesters import jobs
from harvesters.cli import cli
from harvesters.cli_schedule import COMMANDS
from harvesters.journal import Key
from harvesters.perform import BEAT_S
from harvesters.standing import LEASE_S, Outcome

from .conftest import as_csv, hydrants_only, numbered

KEY = Key("aizuwakamatsu", "hydrant")
NOWHERE = "redis://:hidden@127.0.0.1:1/0"


def aizu(*arguments, expect=0):
    """Runs the command and looks at the exit code."""
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == expect, result.output
    return result


def status():
    """What machines are told of the source."""
    return stands()[str(KEY)]


def stands():
    """What machines are told of all sources."""
    told = json.loads(aizu("status", "--json").stdout)
    return {f"{one['city']}/{one['source']}": one for one in told}


@pytest.mark.usefixtures("queue_env")
def test_a_source_that_was_never_run_waits_for_its_time(journal):
    """And whoever asks is told that nobody will run it."""
    assert "予定係が動いていません" in aizu("status").stderr
    journal.scheduler_lives("here")
    assert aizu("status").stderr == ""
    journal.anchor(KEY, journal.now())
    told = status()
    assert (told["state"], told["waits_for"], told["run"], told["runs"]) == ("", "slot", None, [])
    assert told["next_run"].endswith("T18:00:00+00:00")  # three in the morning in Japan


@pytest.mark.usefixtures("queue_env")
def test_pause_and_resume(journal):
    """Who and why stand in the status; a second resume says that there was nothing to do."""
    aizu("pause", "hydrant", "--reason", "点検中")
    told = status()
    assert (told["waits_for"], told["paused"]["reason"]) == ("paused", "点検中")
    assert told["paused"]["by"] in told["waits"]
    assert "点検中" in aizu("run-now", "hydrant", expect=2).stderr
    assert "再開しました" in aizu("resume", "hydrant").stdout
    assert "止まっていません" in aizu("resume", "hydrant").stdout
    assert status()["paused"] is None
    assert journal.known([KEY])[KEY].wanted is None


@pytest.mark.usefixtures("queue_env")
def test_run_now_leaves_word_for_the_scheduler(journal):
    """With the name of who asked."""
    aizu("run-now", "hydrant")
    assert journal.known([KEY])[KEY].wanted.by
    assert status()["waits"] == "予定係（aizu schedule）"


@pytest.mark.usefixtures("queue_env")
def test_a_run_by_hand_is_journaled_and_covers_its_slot(journal):
    """Seen on every machine."""
    aizu("run", "hydrant")
    told = status()
    (run,) = told["runs"]
    assert (told["state"], told["rows"], run["step"], run["repairs"]) == ("ok", 1486, "publish", 0)
    assert told["last_good"] == told["checked_at"] == run["ended_at"]
    assert run["seconds"] < 60
    assert told["waits_for"] == "slot"
    assert journal.known([KEY])[KEY].standing.slot % 86_400 == 18 * 3600


@pytest.mark.usefixtures("journal")
def test_a_paused_source_is_left_out_of_a_run_of_all(queue_env, portal):
    """It is named with the reason; whoever names the source runs it all the same."""
    queue_env.setattr(jobs, "load_city", hydrants_only(jobs.load_city))
    aizu("pause", "hydrant", "--reason", "点検中")
    assert "点検中" in aizu("run", "--all").stderr
    assert portal.calls == []
    aizu("run", "hydrant")
    assert portal.calls[-1][0] == "aizu_publish"
    aizu("resume", "hydrant")
    aizu("run", "--all")
    assert [call[0] for call in portal.calls].count("aizu_publish") == 2


@pytest.mark.usefixtures("queue_env")
def test_a_file_does_not_stand_for_the_slot(journal, tmp_path):
    """The address is asked all the same."""
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(numbered(1200)))
    aizu("run", "hydrant", "--from", str(path))
    assert journal.known([KEY])[KEY].standing.slot is None
    assert len(journal.runs(KEY)) == 1


@pytest.mark.usefixtures("queue_env")
def test_a_run_by_hand_does_not_overlap_another(journal, portal):
    """It says who runs it, and publishes nothing."""
    run = journal.claim(KEY, journal.now(), queue="batch", deadline=60)
    waiting = status()
    assert (waiting["waits_for"], waiting["run"]["state"]) == ("worker", "queued")
    assert "aizu worker --queue batch" in waiting["waits"]
    journal.start(KEY, run.id, "other-machine-7")
    assert "other-machine-7" in aizu("run", "hydrant", expect=1).stderr
    assert "other-machine-7" in status()["waits"]
    assert portal.calls == []


@pytest.mark.usefixtures("queue_env")
def test_a_failure_is_told_with_its_step_and_the_last_good_rows(queue_env, demo_city):
    """The host that failed is left alone."""
    aizu("run", "hydrant")
    good = status()["last_good"]
    time.sleep(1.1)  # times are told in seconds
    queue_env.setenv("AIZU_CITY_URL", f"{demo_city}/fault/500")
    aizu("run", "hydrant", expect=3)
    told = status()
    assert (told["state"], told["rows"], told["last_good"]) == ("failed", 1486, good)
    assert told["waits_for"] == "host"
    assert "故障" in told["message"]
    queue_env.setenv("AIZU_CITY_URL", f"{demo_city}/fault/missing-column")
    aizu("run", "hydrant", expect=1)
    assert (status()["waits_for"], status()["runs"][0]["step"]) == ("slot", "fetch")


@pytest.mark.usefixtures("queue_env")
def test_a_portal_that_is_down_is_a_host_like_any_other(queue_env):
    """The run is made again when it is back."""
    queue_env.setenv("AIZU_PORTAL_URL", "http://127.0.0.1:1")
    aizu("run", "hydrant", expect=4)
    assert (status()["waits_for"], status()["runs"][0]["step"]) == ("host", "fetch")


@pytest.mark.usefixtures("queue_env")
def test_a_source_of_another_machine_is_seen_without_its_city_file(journal):
    """Its runs, at least."""
    other = Key("elsewhere", "bus")
    run = journal.start_here(other, 0.0, deadline=9, worker="far", asked_by="x", covers=True)
    journal.end(other, run.token, Outcome(state="ok", message="良", message_en="good", rows=5))
    told = stands()
    assert (told[str(KEY)]["state"], told[str(other)]["state"]) == ("", "ok")
    assert told[str(other)]["waits_for"] == "nobody"
    assert "elsewhere" in aizu("status").stdout


@pytest.mark.parametrize("words", [("pause", "hydrant", "--reason", "x"), ("resume", "hydrant")])
@pytest.mark.parametrize(("url", "code"), [("", 2), (NOWHERE, 4), ("http://x", 2)])
def test_without_redis_commands_say_so(queue_env, words, url, code):
    """And never show its password."""
    queue_env.setenv("AIZU_REDIS_URL", url)
    told = aizu(*words, expect=code).stderr
    assert "AIZU_REDIS_URL" in told
    assert "hidden" not in told


def test_without_redis_the_status_is_that_of_this_machine(queue_env):
    """With a sentence on the other machines, if there should be one."""
    queue_env.setenv("AIZU_REDIS_URL", "")
    aizu("run", "hydrant")
    queue_env.setenv("AIZU_REDIS_URL", NOWHERE)
    result = aizu("status", "--json")
    assert "127.0.0.1:1" in result.stderr
    assert [one["state"] for one in json.loads(result.stdout)] == ["ok"]


@pytest.mark.usefixtures("queue_env")
@pytest.mark.parametrize("command", ["pause", "resume", "run-now"])
def test_a_source_that_the_city_does_not_have_is_refused(command):
    """With those that it has."""
    words = ["--reason", "x"] if command == "pause" else []
    assert "hydrant" in aizu(command, "hydrnat", *words, expect=2).stderr


@pytest.mark.usefixtures("settings_env")
def test_schedule_and_worker_need_a_portal_to_publish_to():
    """Else every run would fail in the end."""
    for command in ("schedule", "worker"):
        assert "AIZU_API_TOKEN" in aizu(command, expect=2).stderr


@pytest.mark.usefixtures("queue_env")
def test_english_is_spoken_where_it_is_asked_for(queue_env):
    """Sentences and table."""
    queue_env.setenv("LC_ALL", "en_GB.UTF-8")
    assert "is paused" in aizu("pause", "hydrant", "--reason", "works").stdout
    output = aizu("status").output
    assert "paused by" in output
    assert "waits for" in output
    assert "no scheduler" in output


def test_every_command_is_light_and_whole():
    """What main() takes for itself is what the group has."""
    assert {command.name for command in COMMANDS} < set(cli.commands)


def test_a_lease_outlives_several_heartbeats():
    """One that gets lost does not cost a run."""
    assert LEASE_S >= 3 * BEAT_S
