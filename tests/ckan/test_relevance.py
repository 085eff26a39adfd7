"""What people type into the search box and what must come, over a catalogue of some thousand Japanese datasets."""

import csv
import json
import os
import random
import re
import tarfile
import unicodedata
from itertools import product
from pathlib import Path

import pytest
import yaml
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.tests import helpers

HERE = Path(__file__).parent / "relevance"
REAL = Path(__file__).parents[3] / "shared/data/ckan/tokyo_package_show_all_dev.tar.gz"
LEAST = 500
MOST = 10_000 if os.environ.get("AIZU_TEST_ALL") else 1_500
CITY = list(csv.DictReader((HERE / "catalogue.csv").open(encoding="utf-8")))
IN_CITY = " OR ".join(sorted({row["organization"] for row in CITY}))
QUERIES = yaml.safe_load((HERE / "queries.yaml").read_text("utf-8"))
PLACES = (
    "喜多方市",
    "郡山市",
    "白河市",
    "米沢市",
    "新発田市",
    "日光市",
    "長岡市",
    "山形市",
    "上越市",
)
THEMES = (
    *("公園一覧", "公衆トイレ一覧", "人口の推移", "保育所の定員", "図書館の蔵書数", "ごみの排出量"),
    *("バス路線の利用者数", "観光客の推移", "避難所の収容人数", "AEDの設置場所", "文化財一覧"),
    *("小学校の児童数", "水道の使用量", "道路の延長", "橋の点検結果", "農産物の出荷額", "事業所数"),
    *("選挙の投票率", "交通量調査", "防災訓練の記録", "職員数", "歳出の内訳", "高齢者の人数"),
    *("子育て支援施設", "がん検診の受診率", "火災の件数", "空き家の戸数", "気温の記録", "統計書"),
    *("広報の部数", "会議の記録", "消防団の名簿", "都市計画の区域", "学校給食", "産業別の人数"),
)


def document(dataset):
    """A dataset as CKAN hands it to the index."""
    files = dataset["resources"]
    return {
        "index_id": dataset["name"],
        "id": dataset["name"],
        "name": dataset["name"],
        "title": dataset["title"],
        "title_string": dataset["title"],
        "notes": dataset["notes"] or "",
        "tags": [tag["name"] for tag in dataset["tags"]],
        "organization": (dataset["organization"] or {}).get("name"),
        "maintainer": dataset.get("maintainer"),
        "author": dataset.get("author"),
        "res_name": [file["name"] or "" for file in files],
        "res_description": [file["description"] or "" for file in files],
        "res_format": [file["format"] for file in files],
        "site_id": search.config["ckan.site_id"],
        "entity_type": "package",
        "dataset_type": "dataset",
        "state": "active",
        "capacity": "public",
        "permission_labels": ["public"],
        "metadata_modified": "2026-01-01T00:00:00Z",
        "validated_data_dict": json.dumps({"name": dataset["name"]}),
    }


def made(name, title, **values):
    files = [
        {"name": file, "description": "", "format": ""} for file in values.get("files", "").split()
    ]
    return {
        "name": name,
        "title": title,
        "notes": values.get("notes", ""),
        "tags": [{"name": tag} for tag in values.get("tags", "").split()],
        "organization": {"name": values.get("organization", "elsewhere")},
        "resources": files,
    }


def real_datasets():
    """Some datasets of a real catalogue, always the same; some answers in the archive are no JSON."""
    found = {}
    with tarfile.open(REAL) as archive:
        for member in archive:
            text = archive.extractfile(member).read()
            if text.startswith(b"{"):
                dataset = json.loads(text)["result"]
                found[dataset["name"]] = dataset
    return random.Random(3).sample(list(found.values()), min(MOST, len(found)))


def generated_datasets():
    """Titles as neighbouring towns have them."""
    pairs = list(product(PLACES, THEMES))
    random.Random(3).shuffle(pairs)
    return [
        made(
            f"filler-{number}", f"{place}{theme}", notes=f"{place}の{theme}を年度ごとにまとめた表。"
        )
        for number, (place, theme) in enumerate(pairs)
    ]


@pytest.fixture(scope="module")
def catalogue(reset_index, pytestconfig):
    """Fills the index; says with what."""
    others = real_datasets() if REAL.exists() else generated_datasets()
    datasets = [*(made(**row) for row in CITY), *others]
    assert len(datasets) >= LEAST
    reset_index()
    make_connection().add([document(dataset) for dataset in datasets])
    whose = f"real ones of {REAL.name}" if REAL.exists() else f"generated ones: no {REAL.name}"
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nSearching {len(CITY)} datasets of a city and {len(others)} {whose}")  # noqa: T201
    yield {dataset["name"]: dataset for dataset in datasets}
    reset_index()


def names(query, **options):
    """All that comes, page after page."""
    names, total = [], 1
    while len(names) < total:
        asked = {"q": query, "fl": ["name"], "start": len(names), "rows": 1000, **options}
        page = helpers.call_action("package_search", **asked)
        total = page["count"]
        names += [dataset["name"] for dataset in page["results"]]
    return names


def faults(found, *, first=(), has=(), never=(), order=()):
    """What of the expected is missing, what came against it, in words."""
    places = [found.index(name) for name in order if name in found]
    told = {
        "not within the first three": [name for name in first if name not in found[:3]],
        "missing": [name for name in (*has, *order) if name not in found],
        "must not come": [name for name in never if name in found],
        "in the wrong order": list(order) if places != sorted(places) else [],
    }
    return [f"{what}: {', '.join(which)}" for what, which in told.items() if which]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(asked, id=f"{group}: {asked['q']}")
        for group, many in QUERIES.items()
        for asked in many
    ],
)
@pytest.mark.usefixtures("catalogue")
def test_what_is_typed_finds_what_is_meant(asked):
    """Every query has what must come and what must not."""
    expected = dict(asked)
    query, where = expected.pop("q"), expected.pop("in", None)
    found = names(query, **({"fq": f"organization:({IN_CITY})"} if where else {}))
    wrong = faults(found, **expected)
    if wrong:
        came = f"{len(found)} came: {', '.join(found[:5])}"
        pytest.fail(f"{query} → {'; '.join(wrong)} ({came})", pytrace=False)


# What a text must have to be a right answer, as a pattern that leaves out what only looks alike.
RIGHT = {
    "下水道": r"下水道",
    "市町村": r"市町村",
    "商業": r"(?<!工)商業",
    "京都": r"(?<!東)京都",
    "本人": r"(?<!日)本人",
    "会議": r"(?<!議)会議(?!員)",
    "議会": r"(?<![協審])議会",
    "合計": r"(?<!総)合計",
    "土地": r"(?<!国)土地",
    "火災": r"(?<!噴)火災",
    "分別": r"(?<!区)分別",
    "産業": r"(?<![水動畜遺])産業",
    "活用": r"(?<!生)活用",
    "成人": r"(?<!構)成人",
    "動機": r"(?<!原)動機",
    "人事": r"(?<![個法])人事",
    "集計": r"(?<!収)集計",
    "金融": r"(?<!資)金融",
    "バス": r"バス(?!ケット)",
    "パン": r"(?<![ァ-ヶー])パン(?![フダ])",
    "リンク": r"(?<![ドプブ])リンク(?!ラ)",
    "ペット": r"(?<!カー)ペット",
    "プラン": r"プラン(?!ター|クトン)",
    "公園": "公園",
    "文化財": "文化財",
    "道路": "道路",
    "学校": "[学學]校",
    "消防": "消防",
    "都市計画": "都市の?計画",
}


def plain(*texts):
    return unicodedata.normalize("NFKC", "\n".join(filter(None, texts)))


def whole_text(dataset):
    files = [part for file in dataset["resources"] for part in (file["name"], file["description"])]
    people = (dataset.get("maintainer"), dataset.get("author"))
    tags = [tag["name"] for tag in dataset["tags"]]
    return plain(dataset["title"], dataset["notes"], *tags, *files, *people)


@pytest.mark.parametrize("query", RIGHT)
def test_everything_that_comes_is_about_the_word(catalogue, query):
    """No dataset comes whose text has the characters only across the border of two words."""
    wrong = [n for n in names(query) if not re.search(RIGHT[query], whole_text(catalogue[n]))]
    titles = "; ".join(f"{name} {catalogue[name]['title']}" for name in wrong[:3])
    assert not wrong, f"{query} → {len(wrong)} must not come: {titles}"


@pytest.mark.parametrize("query", RIGHT)
def test_every_title_with_the_word_comes_before_mere_mentions(catalogue, query):
    """Of real titles, too, none with the word is missing, and none comes after one without."""
    found = names(query)
    titled = {n for n, d in catalogue.items() if re.search(RIGHT[query], plain(d["title"]))}
    missing = sorted(titled - set(found))
    assert not missing, f"{query} → missing: {[catalogue[n]['title'] for n in missing[:3]]}"
    late = [n for n in found[len(titled) :] if n in titled]
    assert not late, f"{query} → below mere mentions: {[catalogue[n]['title'] for n in late[:3]]}"
