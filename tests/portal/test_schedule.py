"""The portal harvests by itself: what is due, what somebody asks for, and again after a worker has died."""

import json
import os
import signal
from datetime import UTC, datetime

from .copies import eventually

BEGAN = datetime.now(UTC).isoformat(timespec="seconds")


def told(portal, source):
    """What `aizu status` tells machines of a source."""
    run = portal.aizu("status", "--json")
    here = ("aizuwakamatsu", source)
    (found,) = [one for one in json.loads(run.stdout) if (one["city"], one["source"]) == here]
    return found


def pid(portal, name):
    """The process of the Procfile's line."""
    return json.loads((portal.var / "run" / "state.json").read_text())["processes"][name]


def test_live_source_is_harvested_by_itself(portal):
    """Since the tests began there was a run that nobody asked for, and the page's last check is newer."""

    def by_itself():
        return [run for run in told(portal, "bus-live")["runs"] if run["slot"] > BEGAN]

    assert eventually(by_itself, 100)
    run = by_itself()[0]
    assert (run["state"], run["asked_by"], run["step"]) == ("ok", "", "publish"), run
    dataset = portal.api().action.package_show(id="aizuwakamatsu-bus-live")
    assert datetime.fromisoformat(dataset["harvest_checked"]) > datetime.fromisoformat(BEGAN)


def test_run_now_is_done_though_a_worker_has_died(portal):
    """Kill -9 of the worker as soon as the run is asked for: it is started again and does it."""

    def asked():
        return [run for run in told(portal, "library-seats")["runs"] if run["asked_by"]]

    known = asked()[:1]
    before = pid(portal, "live")
    assert portal.aizu("run-now", "library-seats").returncode == 0
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: asked()[:1] not in ([], known), 90)
    run = asked()[0]
    assert (run["state"] in ("ok", "unchanged"), run["step"]) == (True, "publish")
    assert pid(portal, "live") != before


def test_paused_source_waits(portal):
    """Its page stays as it is; the status says who has stopped it and why."""
    stands = told(portal, "hydrant")
    assert stands["waits_for"] == "paused"
    assert stands["paused"]["reason"] == "試験"
    assert "aizu resume hydrant" in portal.aizu("run-now", "hydrant").stderr
