"""How every source stands, for people and for machines: what it waits for, its next run, its last runs."""

from datetime import UTC, datetime
from typing import Any

from harvesters import keep, queue
from harvesters.city import City, Feed, load_city
from harvesters.dispatch import decided, planned
from harvesters.errors import ConfigurationError
from harvesters.journal import Journal, Key, Known
from harvesters.schedule import JST, Decision
from harvesters.settings import Settings
from harvesters.standing import Ended, Run
from harvesters.words import Words

SHOWN_RUNS = 10
UNKNOWN = Words("まだ実行していません", "not run yet")


def of_all_machines(journal: Journal, settings: Settings) -> list[dict[str, Any]]:
    """Every source that was ever run, and those of this machine's city."""
    cities = {settings.city: _city(settings.city, settings)}
    here = cities[settings.city]
    keys = dict.fromkeys(Key(settings.city, name) for name in (here.feeds if here else ()))
    keys |= dict.fromkeys(journal.sources())
    cities |= {name: _city(name, settings) for name in {key.city for key in keys} - {settings.city}}
    known = journal.known(keys)
    return [_source(journal, settings, key, known[key], cities[key.city]) for key in sorted(keys)]


def _city(name: str, settings: Settings) -> City | None:
    """A city whose file is whole; that of one that another machine harvests need not be here."""
    try:
        return load_city(name, *settings.servers)
    except ConfigurationError:
        return None


def of_this_machine(settings: Settings) -> list[dict[str, Any]]:
    """What the folders of this machine tell, where there is no queue."""
    return [told for folder in keep.folders(settings.var) if (told := folder.status())]


def _source(
    journal: Journal, settings: Settings, key: Key, known: Known, city: City | None
) -> dict[str, Any]:
    feed = city.feeds.get(key.source) if city else None
    runs = journal.runs(key, SHOWN_RUNS)
    told: dict[str, Any] = {"city": key.city, "source": key.source}
    told |= _last(runs) if runs else keep.folder(settings.var, *key).status() or _never()
    if known.standing.last_good is not None:
        told |= {"last_good": iso(known.standing.last_good), "rows": known.standing.rows}
    told["paused"] = (
        {"by": known.paused.by, "reason": known.paused.reason, "at": iso(known.paused.at)}
        if known.paused
        else None
    )
    told |= _waiting(journal, settings, key, known, city, feed)
    told["run"] = _open(known.standing.run)
    told["runs"] = [_ended(run) for run in runs]
    return told


def _waiting(
    journal: Journal,
    settings: Settings,
    key: Key,
    known: Known,
    city: City | None,
    feed: Feed | None,
) -> dict[str, Any]:
    """What the source waits for, in a word for machines and in a sentence for people."""
    one = planned(city, settings).get(key) if city else None
    if not city or not feed or not one:
        words = Words("予定にありません（アドレスなし）", "not scheduled (no address)")
        return {"waits_for": "nobody", "waits": words.ja, "waits_en": words.en, "next_run": None}
    now = journal.now()
    pauses = journal.hosts(one.hosts)
    decision = decided(one, known, pauses, now)
    words = _said(journal, decision, known, one.schedule.queue, now)
    upcoming = None if known.paused else decision.until or one.schedule.next(now)
    return {
        "waits_for": decision.waits_for,
        "waits": words.ja,
        "waits_en": words.en,
        "next_run": iso(upcoming) if upcoming else None,
    }


def _said(journal: Journal, decision: Decision, known: Known, queue_name: str, now: float) -> Words:
    """One line: what it waits for."""
    run, paused, until = known.standing.run, known.paused, clock(decision.until)
    if run and decision.waits_for == "end":
        worker, seconds = run.worker, now - run.started_at
        return Words(
            f"実行中 {run.step} {seconds:.0f} 秒（{worker}）",
            f"running {run.step} {seconds:.0f} s ({worker})",
        )
    if decision.waits_for == "worker":
        return _for_worker(queue.workers(journal.redis, queue_name), queue_name)
    if paused and decision.waits_for == "paused":
        return Words(
            f"停止中（{paused.by}: {paused.reason}）", f"paused by {paused.by}: {paused.reason}"
        )
    return {
        "host": Words(f"サーバーの回復を {until} まで", f"the server, until {until}"),
        "slot": Words(f"{until} の予定", f"its time, {until}"),
    }.get(decision.waits_for, Words("予定係（aizu schedule）", "the scheduler"))


def _for_worker(workers: int, queue_name: str) -> Words:
    if workers:
        return Words("順番（作業プロセス）", "a worker that is free")
    return Words(
        f"作業プロセスが動いていません: aizu worker --queue {queue_name}",
        f"no worker runs: aizu worker --queue {queue_name}",
    )


def _never() -> dict[str, Any]:
    return {"state": "", "message": UNKNOWN.ja, "message_en": UNKNOWN.en, "checked_at": ""}


def _last(runs: list[Ended]) -> dict[str, Any]:
    last = runs[0]
    return {
        "state": last.state,
        "message": last.message,
        "message_en": last.message_en,
        "checked_at": iso(last.ended_at),
        "repairs": last.repairs,
    }


def _open(run: Run | None) -> dict[str, Any] | None:
    """A run that has not ended, in the words of machines."""
    if not run:
        return None
    running = run.state == "running"
    return {
        "id": run.id,
        "slot": iso(run.slot),
        "asked_by": run.asked_by,
        "state": run.state,
        "starts": run.starts,
        "worker": run.worker,
        "queued_at": iso(run.queued_at),
        "started_at": iso(run.started_at) if running else None,
        "heartbeat": iso(run.heartbeat) if running else None,
        "step": run.step,
    }


def _ended(run: Ended) -> dict[str, Any]:
    return {
        "id": run.id,
        "slot": iso(run.slot),
        "asked_by": run.asked_by,
        "state": run.state,
        "starts": run.starts,
        "worker": run.worker,
        "queued_at": iso(run.queued_at),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "seconds": round(run.ended_at - run.started_at, 3),
        "step": run.step,
        "rows": run.rows,
        "repairs": run.repairs,
        "message": run.message,
        "message_en": run.message_en,
    }


def iso(instant: float) -> str:
    """For machines, as everywhere else: UTC."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="seconds")


def clock(instant: float | None) -> str:
    """For people, in Japanese time."""
    return f"{datetime.fromtimestamp(instant, JST):%m-%d %H:%M:%S}" if instant else ""
