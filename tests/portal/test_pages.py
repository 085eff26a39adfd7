"""What citizens, machines and stewards get from the portal's addresses."""

import io
import json
import re
import subprocess
import uuid
from urllib.parse import unquote

import pytest
import rdflib
import requests
from bs4 import BeautifulSoup
from ckanapi import NotAuthorized, ValidationError

HYDRANT = "aizuwakamatsu-hydrant"
PAGES = (
    "/",
    "/dataset/",
    f"/dataset/{HYDRANT}",
    "/organization/",
    "/organization/aizuwakamatsu-kikikanri",
    "/group/",
    "/group/safety",
    "/about",
    "/user/login",
    "/user/reset",
    "/feeds/dataset.atom",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["", "/en"])
def test_page_answers_without_placeholders(portal, path, language):
    """Every page answers in both languages, in its language, without a word of a placeholder."""
    answer = portal.get(language + path)
    assert answer.status_code == 200
    assert "lorem" not in answer.text.lower()
    if "html" in answer.headers["Content-Type"]:
        text = BeautifulSoup(answer.text, "html.parser").get_text()
        assert "placehold" not in text.lower()
        assert f'<html lang="{language.strip("/") or "ja"}"' in answer.text


def test_missing_page_says_so_in_our_words(portal):
    """An address that does not exist gives the city's own page with 404."""
    answer = portal.get("/dataset/no-such-dataset")
    assert answer.status_code == 404
    assert "会津若松市" in answer.text


# rdflib's own JSON-LD reader uses what rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("suffix", "form"), [("ttl", "turtle"), ("xml", "xml"), ("jsonld", "json-ld")]
)
def test_dcat_describes_dataset_and_files(portal, suffix, form):
    """DCAT-AP: the dataset with its department, licence, frequency and a distribution for each file."""
    answer = portal.get(f"/dataset/{HYDRANT}.{suffix}")
    assert answer.status_code == 200
    graph = rdflib.Graph().parse(data=answer.content, format=form)
    dcat = rdflib.Namespace("http://www.w3.org/ns/dcat#")
    terms = rdflib.DCTERMS
    (found,) = graph.subjects(rdflib.RDF.type, dcat.Dataset)
    files = portal.api().action.package_show(id=HYDRANT)["resources"]
    assert len(set(graph.objects(found, dcat.distribution))) == len(files) == 4
    assert str(graph.value(found, terms.title)) == "会津若松市 消防水利施設一覧"
    for wanted in (terms.publisher, terms.accrualPeriodicity, terms.spatial, dcat.contactPoint):
        assert graph.value(found, wanted) is not None, wanted
    assert (found, dcat.theme, None) in graph
    for distribution in graph.objects(found, dcat.distribution):
        assert "creativecommons.org/licenses/by/4.0" in str(
            graph.value(distribution, terms.license)
        )


def test_catalogue_lists_the_dataset(portal):
    """The catalogue as a whole is there for other portals to harvest."""
    graph = rdflib.Graph().parse(data=portal.get("/catalog.ttl").content, format="turtle")
    titles = {str(title) for title in graph.objects(None, rdflib.DCTERMS.title)}
    assert "会津若松市 消防水利施設一覧" in titles


def test_croissant_and_schema_org(portal):
    """Machine learners find Croissant, search engines schema.org inside the page."""
    croissant = portal.get(f"/dataset/{HYDRANT}/croissant.jsonld").json()
    assert any("Dataset" in str(part.get("@type")) for part in croissant.get("@graph", [croissant]))
    page = BeautifulSoup(portal.get(f"/dataset/{HYDRANT}").text, "html.parser")
    told = [json.loads(part.text) for part in page.select('script[type="application/ld+json"]')]
    assert "schema.org" in json.dumps(told)


@pytest.mark.parametrize(
    "words", ["消火栓", "栓", "消防水利", "ﾎﾟﾝﾌﾟ OR 消火栓", "aizuwakamatsu-hydrant"]
)
def test_search_finds_by_part_of_a_word(portal, words):
    """The catalogue's search finds the hydrants by any of the words people type."""
    found = portal.api().action.package_search(q=words)
    assert HYDRANT in [dataset["name"] for dataset in found["results"]]


@pytest.mark.parametrize(
    "words", ["図書館カード", "zzz", '"', "((", "*", "'; DROP TABLE x; --", "🚒"]
)
def test_search_survives_whatever_is_typed(portal, words):
    """Broken or strange queries give a page, never an error of the server."""
    answer = portal.get("/dataset/", params={"q": words})
    assert answer.status_code < 500


def test_facets_count_and_filter(portal):
    """Facets count what a filter finds."""
    api = portal.api().action
    found = api.package_search(**{"facet.field": ["organization", "groups", "res_format", "tags"]})
    for item in found["search_facets"]["groups"]["items"]:
        filtered = api.package_search(fq=f'groups:"{item["name"]}"', rows=0)
        assert filtered["count"] == item["count"]


@pytest.fixture
def steward(portal):
    """An API of the harvesters' account, which is an editor in the city's departments."""
    return portal.api(portal.token).action


@pytest.fixture
def draft(steward):
    """A dataset of a steward, deleted after the test."""
    made = []

    def create(**fields):
        name = f"test-{uuid.uuid4().hex[:8]}"
        given = {"name": name, "title": "試験", "notes": "試験", "license_id": "cc-by"}
        made.append(name)
        owner = "aizuwakamatsu-kikikanri"
        return steward.package_create(**{**given, "owner_org": owner, **fields})

    yield create
    for name in made:
        try:
            steward.package_delete(id=name)
        except ValidationError:
            continue


def test_private_datasets_stay_private(portal, draft):
    """A private dataset is found by its department, by nobody else, in search, page and API."""
    private = draft(private=True, title="非公開の試験")
    own = portal.api(portal.token).action.package_search(q="非公開の試験", include_private=True)
    assert private["name"] in [found["name"] for found in own["results"]]
    asked = portal.api().action.package_search(q="非公開の試験", include_private=True)
    assert private["name"] not in [found["name"] for found in asked["results"]]
    with pytest.raises(NotAuthorized):
        portal.api().action.package_show(id=private["name"])
    assert portal.get(f"/dataset/{private['name']}").status_code in (403, 404)


@pytest.mark.parametrize("tag", ["道", "雪", "防災・消防", "避難所（屋内）", "AED"])
def test_japanese_tags(draft, tag):
    """Tags of one letter and with the marks of Japanese are accepted and come back as written."""
    assert [found["name"] for found in draft(tags=[{"name": tag}])["tags"]] == [tag]


@pytest.mark.parametrize("tag", ["a,b", "<script>", "a\nb"])
def test_tags_that_are_no_words(portal, tag):
    """A tag with signs of markup or a line break is refused, and the sign is named."""
    given = {"name": "test-tags", "title": "試験", "notes": "試験", "license_id": "cc-by"}
    owner = "aizuwakamatsu-kikikanri"
    answer = requests.post(
        f"{portal.url}/api/3/action/package_create",
        json={**given, "owner_org": owner, "tags": [{"name": tag}]},
        headers={"Authorization": portal.token},
        timeout=60,
    )
    assert answer.status_code == 409
    assert tag.strip() in answer.json()["error"]["tags"][0]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("避難所一覧", "hinanjo-ichiran"),
        ("除雪車の位置 2026", "josetsusha-no-ichi-2026"),
        ("消火栓・防火水槽一覧 2026", "shoukasen-bouka-suisou-ichiran-2026"),
    ],
)
def test_japanese_title_gives_a_name(portal, title, name):
    """The name proposed for a Japanese title can be read."""
    answer = portal.get("/aizu/dataset-name", params={"title": title})
    assert answer.json() == {"name": name}


@pytest.mark.parametrize("file", ["避難所.csv", "令和8年度 予算（案）.xlsx", "plain.csv"])
def test_uploaded_file_keeps_its_name(portal, draft, file):
    """A file with a Japanese name is downloaded under that name."""
    dataset = draft()
    portal.api(portal.token).call_action(
        "resource_create",
        {"package_id": dataset["id"], "name": "試験"},
        files={"upload": (file, io.BytesIO("名称\r\nあ\r\n".encode()))},
    )
    (resource,) = portal.api(portal.token).action.package_show(id=dataset["id"])["resources"]
    assert unquote(resource["url"]).endswith("/download/" + file.replace(" ", "-"))
    path = resource["url"].replace(portal.url, "")
    assert portal.get(path).content == "名称\r\nあ\r\n".encode()


def test_every_link_of_the_first_pages_leads_somewhere(portal):
    """No link on home, list and dataset page leads to an error."""
    seen = set()
    for path in ("/", "/dataset/", f"/dataset/{HYDRANT}"):
        page = BeautifulSoup(portal.get(path).text, "html.parser")
        links = {a["href"].split("#")[0] for a in page.select("a[href]")}
        seen |= {link.replace(portal.url, "") for link in links}
    local = sorted(link for link in seen if link.startswith("/"))
    assert len(local) > 20
    broken = [link for link in local if portal.get(link, stream=True).status_code >= 400]
    assert broken == []


def test_files_and_secrets_are_private(portal):
    """Secrets can be read by their owner only, and are not served."""
    for name in ("secrets.json", "ckan.ini", "harvest.env"):
        assert (portal.var / name).stat().st_mode & 0o077 == 0
        assert portal.get(f"/{name}").status_code == 404


def test_database_is_not_open_to_everybody(portal):
    """The own PostgreSQL does not let in a local user without a password."""
    port = re.search(r"127\.0\.0\.1:(\d+)/ckan", (portal.var / "ckan.ini").read_text())[1]
    found = subprocess.run(
        ["psql", "-w", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-c", "select 1"],
        capture_output=True,
        text=True,
    )
    assert found.returncode != 0
    assert "password" in found.stderr


def filled(form):
    """What a browser would send if the steward pressed the button at once."""
    values = []
    for field in form.select("input[name], textarea[name], select[name]"):
        if field.name == "select":
            chosen = field.select("option[selected]") or field.select("option")[:1]
            values += [(field["name"], option.get("value", option.text)) for option in chosen]
        elif field.name == "textarea":
            values.append((field["name"], field.text.lstrip("\n")))
        elif field.get("type") not in ("checkbox", "radio", "submit", "file") or field.has_attr(
            "checked"
        ):
            values.append((field["name"], field.get("value", "")))
    return values


def test_saving_the_form_unchanged_changes_nothing(portal, desk):
    """A steward who opens the dataset's form and saves loses nothing that the form does not show."""
    name = HYDRANT
    before = portal.api().action.package_show(id=name)
    page = BeautifulSoup(desk.get(f"{portal.url}/dataset/edit/{name}").text, "html.parser")
    form = page.select_one("form#dataset-edit")
    answer = desk.post(f"{portal.url}/dataset/edit/{name}", data=[*filled(form), ("save", "save")])
    answer.raise_for_status()
    after = portal.api().action.package_show(id=name)
    changing = {"metadata_modified"}
    kept = without_blanks(
        {
            key: value
            for key, value in before.items()
            if key not in changing and not key.startswith("harvest_")
        }
    )
    assert without_blanks({key: after.get(key) for key in kept}) == kept


def without_blanks(value):
    """A form sends its empty fields as empty texts."""
    if isinstance(value, list):
        return [without_blanks(one) for one in value]
    if isinstance(value, dict):
        return {key: without_blanks(one) for key, one in value.items() if one not in ("", None)}
    return value


def test_saving_a_resource_form_keeps_its_role(portal, desk):
    """The form of a resource keeps role, hash and encoding, by which the next harvest knows it."""
    before = portal.api().action.package_show(id=HYDRANT)["resources"][0]
    path = f"{portal.url}/dataset/{HYDRANT}/resource/{before['id']}/edit"
    page = BeautifulSoup(desk.get(path).text, "html.parser")
    form = page.select_one("form#resource-edit")
    desk.post(path, data=[*filled(form), ("save", "go-metadata")]).raise_for_status()
    after = portal.api().action.package_show(id=HYDRANT)["resources"][0]
    for key in ("kind", "hash", "encoding", "url", "mimetype", "datastore_active", "name_en"):
        assert after[key] == before[key], key


def test_every_file_with_places_has_a_map(portal):
    """GeoJSON and table are shown as a map; the table also as a table."""
    dataset = portal.api().action.package_show(id=HYDRANT)
    for resource in dataset["resources"]:
        views = portal.api().action.resource_view_list(id=resource["id"])
        kinds = {view["view_type"] for view in views}
        expected = {"table": {"aizu_map", "aizu_table"}, "geojson": {"aizu_map"}}
        assert kinds == expected.get(resource["kind"], set())


def test_no_address_on_a_page_runs_a_script(portal, draft):
    """A contact's page that is no web address is not made a link."""
    made = draft(contact=[{"name": "課", "url": "javascript:alert(1)"}])
    assert "javascript:alert" not in portal.get(f"/dataset/{made['name']}").text


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999", "9" * 30])
def test_page_numbers_of_any_kind(portal, page):
    """A page of the table that does not exist is an empty one or the first."""
    table = portal.api().action.package_show(id=HYDRANT)["resources"][0]["id"]
    path = f"/dataset/{HYDRANT}/resource/{table}"
    assert portal.get(path, params={"page": page}).status_code == 200


def test_machines_read_the_portals_name(portal):
    """Feed, catalogue and API say whose portal this is, not CKAN."""
    assert "会津若松市オープンデータ" in portal.get("/feeds/dataset.atom").text
    assert portal.api().action.status_show()["site_title"] == "会津若松市オープンデータ"
