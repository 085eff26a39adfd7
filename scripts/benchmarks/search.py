"""How fast the search answers and follows changes as the catalogue grows, in one process of CKAN."""

import json
import multiprocessing
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.catalogue import ORGANIZATIONS, TAGS, Dataset, create, datasets, fill, source
from benchmarks.table import Row, columns
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench"
PORT = 5091
SIZES = (400, 1_000, 10_000, 50_000)
# So many are created as the portal does it and rebuilt; the others are a row and a document each.
CREATED = 400
WARM_UP, FEWEST, MOST, SECONDS = 3, 20, 60, 3.0

GOAL = {1_000: 10.0, 10_000: 50.0}  # milliseconds of p50, by size
GOAL_INDEX, GOAL_REBUILD = 10.0, 200
FACETS = json.dumps(["organization", "groups", "tags", "res_format"])
PAGE = {"rows": 20, "facet.field": FACETS}
SEARCHES: dict[str, Dataset] = {
    "everything": {"q": "*:*"},
    "rare word (消火栓)": {"q": "消火栓"},
    "frequent word (統計)": {"q": "統計"},
    "two words (人口 世帯)": {"q": "人口 世帯"},
    "reading (しょうかせん)": {"q": "しょうかせん"},
    "one department, one format": {"fq": f"organization:{ORGANIZATIONS[3]} res_format:CSV"},
    "one tag": {"fq": f'tags:"{TAGS[0]}"'},
}
DEEP = {name: SEARCHES[name] for name in ("everything", "frequent word (統計)")}
ACTIONS: dict[str, tuple[str, Dataset]] = {
    "suggestions for しょう": ("aizu_search_suggest", {"q": "しょう"}),
    "suggestions for 統": ("aizu_search_suggest", {"q": "統"}),
    "four similar datasets": ("aizu_search_similar", {"id": "bench-0"}),
}
PLAIN_WORDS = ("消火栓", "統計")
INDEX_ONE = "index one changed dataset"
INDEX_SIZE = "index in the database, MB"
_FORK = multiprocessing.get_context("fork")
# What searches without Solr do that ask CKAN's own tables: no facets, and the page is still to be read.
PLAIN_SQL = """
with words as (select plainto_tsquery('simple', %(q)s) as q, '%%' || %(q)s || '%%' as part),
found as (
  select id, metadata_modified, ts_rank_cd(to_tsvector('simple', text), words.q) as rank
  from words, package, concat_ws(' ', name, title, notes, author, maintainer) text
  where state = 'active' and not private and (to_tsvector('simple', text) @@ words.q
    or name ilike part or title ilike part or notes ilike part))
select id, count(*) over () from found order by rank desc, metadata_modified desc limit 20
"""


def measure(sizes: Sequence[int]) -> None:
    """Prints a table with a column per size, and the goals beside.

    Args:
        sizes: how many datasets the catalogue has at each measurement, ascending.
    """
    shutil.rmtree(VAR, ignore_errors=True)
    with _portal(), _ckan(VAR / "ckan.ini"):
        before = _pss()
        _search({"q": "消火栓"})
        out(f"One process of CKAN: {before:.0f} MB, after its first search {_pss():.0f} MB (PSS)")
        catalogue = datasets()
        done = min(CREATED, sizes[0])
        create(islice(catalogue, done), done)
        _rebuild(done)
        rows: dict[str, Row] = {}
        for size in sizes:
            fill(islice(catalogue, size - done), done, size)
            _measure_all(rows, size)
            done = size
    shutil.rmtree(VAR, ignore_errors=True)
    busy = f"load {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors"
    out(f"\n{source()}; p50 / p95 in ms, goals for p50; {busy}")
    out(columns("", [f"{size:,}" for size in sizes], "growth of p50", "hits", "goal"))
    for row in rows.values():
        out(row.line())


# -- the portal ---------------------------------------------------------------------------------


@contextmanager
def _portal() -> Iterator[None]:
    """A portal without datasets; what is measured runs beside it, on its servers."""
    serve = [str(ROOT / "scripts" / "serve"), "--var", str(VAR), "--port", str(PORT), "--no-demo"]
    process = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None, "asked for above"
    try:
        out("Starting an empty portal …")
        if not any(line.startswith("Ready") for line in process.stdout):
            raise SystemExit("the portal did not start; see scripts/serve")
        yield
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def _ckan(ini: Path) -> Iterator[None]:
    """CKAN with all plugins of the portal in this process, in the place of a web worker."""
    from ckan.cli import load_config
    from ckan.config.middleware import make_app

    with make_app(load_config(str(ini))).test_request_context():
        yield


# -- measuring ----------------------------------------------------------------------------------


def _measure_all(rows: dict[str, Row], size: int) -> None:
    def row(name: str, goals: dict[int, float]) -> Row:
        return rows.setdefault(name, Row(name=name, goals=goals))

    def search(name: str, query: Dataset) -> None:
        found = row(f"{name}, 4 facets", GOAL)
        found.hits.append(f"{_search(query)['count']:,}")
        found.add(size, _times(partial(_search, query)))

    for name, query in SEARCHES.items():
        search(name, query)
    for name, query in DEEP.items():
        start = int(_search({**query, "rows": 0})["count"] * 0.8)
        search(f"{name} from 80 % on", {**query, "start": start})
    for name, (action, data) in ACTIONS.items():
        row(name, {}).add(size, _times(partial(_act, action, data)))
    row(INDEX_ONE, dict.fromkeys(SIZES, GOAL_INDEX)).add(size, _times(_reindexing()))
    for word in PLAIN_WORDS:
        row(f"plain SQL finds {word}: no facets, no page", {}).add(
            size, _times(partial(_plain_sql, word))
        )
    row(INDEX_SIZE, {}).keep(size, _index_megabytes())


def _times(act: Callable[[], Any]) -> list[float]:
    """Milliseconds of each run after the warm-up."""
    for _ in range(WARM_UP):
        act()
    found: list[float] = []
    while len(found) < FEWEST or (len(found) < MOST and sum(found) < SECONDS * 1000):
        start = time.perf_counter()
        act()
        found.append((time.perf_counter() - start) * 1000)
    return found


def _act(action: str, data: Dataset) -> Any:
    """An action as a visitor's."""
    import ckan.plugins.toolkit as tk

    return tk.get_action(action)({"user": ""}, dict(data))


def _search(query: Dataset) -> Dataset:
    answer: Dataset = _act("package_search", {**PAGE, **query})
    return answer


def _reindexing() -> Callable[[], None]:
    """Indexes a few datasets in turn, each with another title every time."""
    from ckan import model
    from ckan.lib.search import index_for

    index, again = index_for(model.Package), cycle(islice(datasets(), MOST))
    versions = count()

    def act() -> None:
        dataset = next(again)
        changed = {**dataset, "title": f"{dataset['title']} {next(versions)}"}
        index.update_dict({**changed, "with_custom_schema": changed})

    return act


def _plain_sql(word: str) -> None:
    from ckan import model

    with model.ensure_engine().connect() as connection:
        connection.exec_driver_sql(PLAIN_SQL, {"q": word}).all()


def _index_megabytes() -> float:
    from ckan import model

    sql = "select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' and relnamespace = 'aizu_search'::regnamespace"
    with model.ensure_engine().connect() as connection:
        return float(connection.exec_driver_sql(sql).scalar_one()) / 1e6


def _pss() -> float:
    """Memory of this process in MB, shared pages divided by their sharers."""
    (line,) = re.findall(
        r"^Pss: *(\d+) kB", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE
    )
    return int(line) / 1e3


def _rebuild(size: int) -> None:
    """Rebuilds the index of what CKAN has created, as its two commands do."""
    from ckan import model
    from ckan.lib.search import rebuild

    ids = [package_id for (package_id,) in model.Session.query(model.Package.id)]
    # A process that is forked has connections of its own.
    model.Session.remove()
    for processes in (1, os.cpu_count() or 1):
        shares = [ids[number::processes] for number in range(processes)]
        forked = [_FORK.Process(target=rebuild, kwargs={"package_ids": share}) for share in shares]
        start = time.perf_counter()
        for process in forked:
            process.start()
        for process in forked:
            process.join()
        if any(process.exitcode for process in forked):
            raise SystemExit("the rebuild failed")
        rate = size / (time.perf_counter() - start)
        mark = "✓" if rate >= GOAL_REBUILD else "✗"
        command = "rebuild" if processes == 1 else f"rebuild-fast, {processes} processes"
        out(f"{command}: {rate:.0f} datasets/s (goal {GOAL_REBUILD}) {mark}")
