"""The commands around the schedule: schedule, worker, pause, resume, run-now, status."""

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
import redis

from harvesters import dispatch, keep, overview, queue
from harvesters import settings as setting
from harvesters.city import load_city
from harvesters.city_file import CityFile
from harvesters.connection import unreachable
from harvesters.errors import ConfigurationError, HarvestError
from harvesters.journal import Journal, Key, Note, connect
from harvesters.settings import Settings, need_portal
from harvesters.terminal import as_table
from harvesters.words import Words, language

STATUS = Words(
    "市,データ,状態,確認,最終成功,行数,待っているもの,説明",
    "city,source,state,checked,last good,rows,waits for,message",
)
NO_SCHEDULER = Words(
    "予定係が動いていません: aizu schedule", "no scheduler is running: aizu schedule"
)

# As in console.py, which loads what shows tables and their errors: too much for these commands.
city_option = click.option(
    "--city",
    metavar="CITY",
    help="市のファイルの名前。Name of a file in schemas/cities. [AIZU_CITY, aizuwakamatsu]",
)


@click.command()
@city_option
def schedule(city: str | None) -> None:
    """予定の時刻にデータを待ち行列に入れる。いくつ動かしてもよい。

    Queue what is due, by the `schedule:` of the city file, until it is stopped. Any number may run.
    """
    with _refusals() as current:
        file = CityFile(city or current.city, *current.servers)
        need_portal(current)
        dispatch.keep_dispatching(current, file, _note)


@click.command()
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice(queue.QUEUES),
    help="受け持つ待ち行列。Queue to work on; both, live first, where none is named.",
)
def worker(queues: tuple[str, ...]) -> None:
    """待ち行列のデータを実行する。何台の機械で動かしてもよい。

    Run what is queued, until it is stopped; on as many machines as there are.
    """
    from harvesters.worker import work  # not above: RQ's worker is loaded where one is wanted

    with _refusals() as current:
        need_portal(current)
        work(current, list(queues or queue.QUEUES), _note)


@click.command()
@click.argument("source")
@city_option
@click.option(
    "--reason", required=True, help="理由。担当者全員に見える。Why; every steward sees it."
)
def pause(source: str, city: str | None, reason: str) -> None:
    """データの実行を止める。実行中のものは最後まで続く。

    Stop a source until it is resumed; a run that goes on is not touched.
    """
    with _refusals() as current:
        journal, key = _known(current, city, source)
        journal.pause(key, Note(by=getpass.getuser(), at=journal.now(), reason=reason))
    _done(f"{key} を止めました。", f"{key} is paused")


@click.command()
@click.argument("source")
@city_option
def resume(source: str, city: str | None) -> None:
    """止めたデータを再開する。逃した予定は一度だけ実行する。

    Let a paused source run again; however many times it missed, it runs once.
    """
    with _refusals() as current:
        journal, key = _known(current, city, source)
        was_paused = journal.resume(key)
    if was_paused:
        _done(f"{key} を再開しました。", f"{key} is resumed")
    else:
        _done(f"{key} は止まっていません。", f"{key} was not paused")


@click.command("run-now")
@click.argument("source")
@city_option
def run_now(source: str, city: str | None) -> None:
    """予定を待たずに、作業プロセスに実行させる。Have a worker run a source before its time."""
    with _refusals() as current:
        journal, key = _known(current, city, source)
        if paused := journal.known([key])[key].paused:
            raise is_paused(key, paused)
        journal.want(key, Note(by=getpass.getuser(), at=journal.now()))
    _done(f"{key} を次に実行します。aizu status で見られます。", f"{key} is next; see aizu status")


def is_paused(key: Key, paused: Note) -> ConfigurationError:
    """What is said of a source that somebody has stopped."""
    return ConfigurationError(
        f"{key} は {paused.by} が止めています（{paused.reason}）。先に aizu resume {key.source}",
        f"{key} is paused by {paused.by} ({paused.reason}); first: aizu resume {key.source}",
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="機械のための JSON。JSON, for machines.")
def status(as_json: bool) -> None:
    """どの機械のものでも、前回の結果と、いま待っているもの。

    How the last runs ended, on whichever machine, and what each source waits for.
    """
    spoken = language()
    current = setting.read()
    found = _found(current, spoken)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    click.echo(as_table([_row(one, spoken) for one in found], STATUS.said(spoken).split(",")))


def _found(current: Settings, spoken: str) -> list[dict[str, Any]]:
    """What Redis tells of all machines, else what the folders tell of this one."""
    for folder in keep.folders(current.var):
        for broken in folder.broken():
            click.echo(broken.said(spoken), err=True)
    _tell_broken_city(current, spoken)
    if not current.redis_url:
        return overview.of_this_machine(current)
    try:
        journal = connect(current)
        if not journal.scheduler():
            click.echo(NO_SCHEDULER.said(spoken), err=True)
        return overview.of_all_machines(journal, current)
    except redis.RedisError as error:
        click.echo(unreachable(current, error).words.said(spoken), err=True)
        return overview.of_this_machine(current)


def _tell_broken_city(current: Settings, spoken: str) -> None:
    """Says so while schedulers and workers go on with what the file said before."""
    try:
        load_city(current.city, *current.servers)
    except ConfigurationError as error:
        click.echo(error.words.said(spoken), err=True)


def _row(one: dict[str, Any], spoken: str) -> list[str]:
    english = "_en" if spoken == "en" else ""
    times = [_local(one.get(key) or "") for key in ("checked_at", "last_good")]
    rows = one.get("rows")
    return [
        *(str(one.get(key, "")) for key in ("city", "source", "state")),
        *times,
        "" if rows is None else f"{rows:,}",
        one.get(f"waits{english}", ""),
        one[f"message{english}"],
    ]


def _local(instant: str) -> str:
    return overview.clock(datetime.fromisoformat(instant).timestamp()) if instant else ""


def _known(current: Settings, city: str | None, source: str) -> tuple[Journal, Key]:
    """The journal, and a source that the city file has."""
    loaded = load_city(city or current.city, *current.servers)
    if source not in loaded.feeds:
        names = ", ".join(loaded.feeds)
        raise ConfigurationError(
            f"{source} は schemas/cities/{loaded.id}.yaml にありません。あるもの: {names}",
            f"{source} is not in schemas/cities/{loaded.id}.yaml; there are: {names}",
        )
    return connect(current), Key(loaded.id, source)


@contextmanager
def _refusals() -> Iterator[Settings]:
    """The settings; an error of ours or of Redis becomes a message and its exit code."""
    current = setting.read()
    try:
        yield current
    except redis.RedisError as error:
        _refuse(unreachable(current, error))
    except HarvestError as error:
        _refuse(error)


def _refuse(error: HarvestError) -> None:
    click.secho(error.words.said(language()), fg="red", err=True)
    sys.exit(error.exit_code)


def _done(ja: str, en: str) -> None:
    click.echo(Words(ja, en).said(language()))


def _note(words: Words) -> None:
    click.echo(words.said(language()), err=True)


COMMANDS = (schedule, worker, pause, resume, run_now, status)
