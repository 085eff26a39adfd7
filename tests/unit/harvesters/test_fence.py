"""Under the journal every word to the portal has the number of its run."""

import pytest
from click.testing import CliRunner

from harvesters.cli import cli
from harvesters.journal import Key

from .conftest import as_csv, numbered

KEY = Key("aizuwakamatsu", "hydrant")
pytestmark = pytest.mark.usefixtures("queue_env")


def run(*words):
    return CliRunner().invoke(cli, ["run", "hydrant", *words])


def fences(portal):
    """What went to the portal, and under which number."""
    return [(action, fence(parts)) for action, _, parts in portal.calls]


def fence(parts):
    """The number in a call, or in the one check of it."""
    return int(parts.get("checks", [parts])[0]["fence"])


def ahead(portal, highest):
    """A portal that has heard of a run with this number."""
    told = {"fence": [{"highest": highest, "message": "x"}], "__type": "Validation Error"}

    class Answers(dict):
        def __getitem__(self, action):
            late = action == "aizu_publish" and fence(portal.calls[-1][2]) < highest
            return (409, refusal) if late else super().__getitem__(action)

    refusal = {"success": False, "error": told}
    portal.answers = Answers(portal.answers)


def test_publication_and_failure_have_the_number_of_their_run(journal, portal, tmp_path):
    """Each run has a higher one."""
    assert run().exit_code == 0
    first = journal.known([KEY])[KEY].standing.token
    (tmp_path / "few.csv").write_bytes(as_csv(numbered(3)))
    assert run("--from", str(tmp_path / "few.csv")).exit_code == 1
    second = journal.known([KEY])[KEY].standing.token
    assert second > first
    assert fences(portal) == [
        ("aizu_harvest_unchanged", first),
        ("aizu_publish", first),
        ("aizu_harvest_unchanged", second),
        ("aizu_harvest_status", second),
    ]


def test_a_journal_that_has_forgotten_learns_from_the_portal(journal, portal):
    """After Redis has lost its memory and its clock was set back the first run puts it right, in one go."""
    highest = int(journal.now() * 1000) + 86_400_000
    ahead(portal, highest)
    for number in (1, 2):
        assert run().exit_code == 0
        assert journal.known([KEY])[KEY].standing.token == highest + number
    sent = [number for action, number in fences(portal) if action == "aizu_publish"]
    assert sent[0] < highest
    assert sent[1:] == [highest + 1, highest + 2]
    assert [one.state for one in journal.runs(KEY)] == ["ok", "ok"]


def test_without_a_journal_there_is_no_number(queue_env, portal):
    """Nobody else could have taken the run over."""
    queue_env.setenv("AIZU_REDIS_URL", "")
    assert run().exit_code == 0
    (_, _, asked), (_, _, parts) = portal.calls
    assert "fence" not in asked["checks"][0]
    assert "fence" not in parts
