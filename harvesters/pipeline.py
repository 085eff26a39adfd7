"""fetch → normalise → validate → publish, each step on its own and all of them as run()."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from harvesters import fetch as fetching
from harvesters import fingerprint, keep, unchanged
from harvesters import publish as publishing
from harvesters import report as reporting
from harvesters import validate as validating
from harvesters.checked import tell_status
from harvesters.errors import (
    ColumnsError,
    HarvestError,
    InvalidTableError,
    NotInCatalogueError,
    NotTheListError,
    OutrunError,
    OwnFaultError,
    PortalError,
    PortalUnreachableError,
    QueueUnreachableError,
    SupersededError,
)
from harvesters.fetch import Snapshot
from harvesters.jobs import Job, no_address
from harvesters.publish import Published
from harvesters.source import Package
from harvesters.validate import Verdict
from harvesters.words import Words

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The tables with their verdict and the complete report."""

    snapshot: Snapshot
    package: Package
    verdict: Verdict
    report: dict[str, Any]


def run(job: Job, file: Path | None = None) -> Published:
    """All four steps; however it ends, the folder and the dataset's page know of it."""
    for told in job.folder.broken():
        job.tell("fetch", told)
    try:
        snapshot = fetch(job, file)
        made_from = fingerprint.of(job, snapshot)
        published = _as_it_is(job, made_from) or _anew(job, snapshot, made_from)
    except SupersededError:
        raise
    except HarvestError as error:
        job.guard(0)
        _record_failure(job, error)
        raise
    except Exception as error:  # noqa: BLE001  a fault in one source must not stop the others
        failed = _own_fault(job, error)
        job.guard(0)
        _record_failure(job, failed)
        raise failed from error
    return published


def _as_it_is(job: Job, made_from: str) -> Published | None:
    """Notes that nothing has changed, if readers have all that would come of the snapshot."""
    published = (job.ask or unchanged.at_once)(job, made_from)
    if published:
        job.tell("publish", _outcome(published))
        _record_success(job, published, {"fingerprint": made_from})
    return published


def _anew(job: Job, snapshot: Snapshot, made_from: str) -> Published:
    """Normalises, validates and publishes a snapshot."""
    checked = validate(job, snapshot, normalise(job, snapshot))
    refuse_invalid(checked)
    if checked.package.of_the_moment:
        made_from = ""
    published = publish(job, checked, made_from)
    repairs = sum(repair.count for repair in checked.package.repairs)
    _record_success(job, published, {"repairs": repairs, "fingerprint": made_from})
    return published


def check(job: Job, file: Path | None = None) -> Checked:
    """Fetch, normalise and validate, without a portal."""
    snapshot = fetch(job, file)
    return validate(job, snapshot, normalise(job, snapshot))


def fetch(job: Job, file: Path | None = None) -> Snapshot:
    """The bytes from the address, or from a file in its place; kept on disk either way."""
    known = job.folder.last_snapshot()
    snapshot = fetching.read_file(file) if file else _download(job, known)
    if known and replace(known, fetched_at=snapshot.fetched_at) == snapshot:
        job.folder.seen_again(snapshot)
    else:
        job.folder.keep_snapshot(snapshot)
    where, size = file or snapshot.url, len(snapshot.content)
    same = known is not None and known.sha256 == snapshot.sha256
    job.tell(
        "fetch",
        Words(
            f"{where}（{size:,} バイト{'、前回と同じ' if same else ''}）",
            f"{where} ({size:,} bytes{', as before' if same else ''})",
        ),
    )
    return snapshot


def normalise(job: Job, snapshot: Snapshot) -> Package:
    """The city's file in the columns of the descriptor."""
    package = named(
        snapshot, lambda: job.source.normalise(snapshot, job.feed, job.city, job.beside)
    )
    for told in (read_told(package), *package.notes):
        job.tell("normalise", told)
    return package


def read_told(package: Package) -> Words:
    """How much was read, and what was repaired."""
    repairs = reporting.repairs_told(package.repairs)
    rows, tables = package.row_count, len(package.tables)
    encoding = package.tables[0].encoding
    ja, en = (f"{tables} 表 ", f" in {tables} tables") if tables > 1 else ("", "")
    return Words(
        f"{ja}{rows:,} 行（{encoding}）、{repairs.ja}",
        f"{rows:,} rows{en} ({encoding}), {repairs.en}",
    )


def named(snapshot: Snapshot, read: Callable[[], Package]) -> Package:
    """The tables that are read; a refusal says which file it is about."""
    try:
        return read()
    except (NotTheListError, ColumnsError) as error:
        if snapshot.filename in error.words.en:  # a zip has names inside, and says its own
            raise
        told = Words(*(f"{snapshot.filename}: {text}" for text in error.words))
        kind = ColumnsError if isinstance(error, ColumnsError) else NotTheListError
        raise kind(told.ja, told.en) from error


def validate(job: Job, snapshot: Snapshot, package: Package) -> Checked:
    """Frictionless's verdict; the report is kept whatever it says."""
    verdict = validating.validate(package, job.feed, job.city)
    report = reporting.complete(verdict.report, package)
    job.folder.keep_report(report)
    job.tell("validate", _judged(report))
    return Checked(snapshot=snapshot, package=package, verdict=verdict, report=report)


def _judged(report: dict[str, Any]) -> Words:
    warnings = reporting.count_of(reporting.warnings(report))
    told = Words("問題ありません", "valid")
    if not report["valid"]:
        errors = reporting.errors_told(report)
        told = Words(f"誤り {errors.ja}", errors.en)
    if warnings:
        told = Words(f"{told.ja}、注意 {warnings:,} 件", f"{told.en}, {warnings:,} warnings")
    return told


def refuse_invalid(checked: Checked) -> None:
    """A table that breaks its schema is not published."""
    if checked.report["valid"]:
        return
    first, told = reporting.errors(checked.report)[0], reporting.errors_told(checked.report)
    raise InvalidTableError(
        f"{told.ja}の誤りがあるため公開しません。最初の誤り: {_sentence(first, 'ja')}",
        f"{told.en}, not published; the first: {_sentence(first, 'en')}",
        checked.report,
    )


def publish(job: Job, checked: Checked, made_from: str) -> Published:
    """Everything about the dataset to the portal, in one request."""

    def send(fence: int | None) -> Published:
        return publishing.publish(
            job.settings,
            job.city,
            job.feed,
            checked.snapshot,
            checked.package,
            checked.verdict,
            checked.report,
            made_from,
            job.override_reason,
            fence,
        )

    published = _numbered(job, send)
    job.tell("publish", _outcome(published))
    return published


def _numbered(job: Job, send: Callable[[int | None], T]) -> T:
    """Sends under the run's number; where the journal knows less than the portal, under a higher one.

    So it is after Redis has lost what it knew and its clock was set back.
    """
    try:
        return send(job.guard(0))
    except OutrunError as error:
        return send(job.guard(error.highest))


def _download(job: Job, known: Snapshot | None) -> Snapshot:
    if not job.feed.url:
        raise no_address(job)
    with fetching.polite_session(job.settings.contact) as session:
        return job.source.fetch(job.feed, session, known, job.progress)


def _sentence(finding: reporting.Finding, language: str) -> str:
    if finding.message:
        return Words(finding.message, finding.message_en).said(language)
    row, column, value, rule, _ = finding.cells(language)
    place = f"{row} 行目 " if language == "ja" else f"row {row} "
    return f"{place if row else ''}{column} {value!r} {rule}" if column else rule


def _outcome(published: Published) -> Words:
    name, rows = published.name, published.rows
    if published.changed:
        return Words(f"{name} を更新しました（{rows:,} 行）", f"{name} updated ({rows:,} rows)")
    return Words(f"{name} は変更なし（{rows:,} 行）", f"{name} unchanged ({rows:,} rows)")


def _record_success(job: Job, published: Published, news: dict[str, Any]) -> None:
    state = "ok" if published.changed else "unchanged"
    good = {"rows": published.rows, "last_good": _now(), "portal_seconds": published.seconds}
    _keep(job, state, _outcome(published), good | news)


def _record_failure(job: Job, error: HarvestError) -> None:
    """The folder and the dataset's page learn why; a silent portal is told of nothing."""
    _keep(job, "failed", error.words, {})
    silent = isinstance(error, PortalUnreachableError | QueueUnreachableError)
    if silent or not job.settings.portal_url:
        return
    try:
        _numbered(
            job,
            lambda fence: tell_status(
                job.settings, job.city, job.feed, "failed", error.words, error, fence
            ),
        )
    except NotInCatalogueError:
        return  # never published yet, so there is no page that could say it
    except HarvestError as refused:
        if not isinstance(error, PortalError):
            job.tell("publish", refused.words)


def _own_fault(job: Job, error: Exception) -> OwnFaultError:
    """One line for the clerk; the traceback, for whoever mends it, goes to error.log."""
    log = job.settings.var / "harvest" / "error.log"
    keep.add_to(log, f"{_now()} {job.city.id} {job.source.name}\n" + _traceback(error))
    kind = type(error).__name__
    return OwnFaultError(
        f"プログラムの誤りで止まりました（{kind}）。詳しくは {log} にあります。",
        f"stopped by a fault of the program ({kind}); the details are in {log}",
    )


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error)) + "\n"


def _keep(job: Job, state: str, told: Words, news: dict[str, Any]) -> None:
    """The status of this run over what is still true of the one before."""
    job.folder.keep_status(
        (job.folder.status() or {})
        | {
            "city": job.city.id,
            "source": job.source.name,
            "state": state,
            "message": told.ja,
            "message_en": told.en,
            "checked_at": _now(),
        }
        | news
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
