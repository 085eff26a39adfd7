"""Descriptors and city files are read once, and a mistake in them is explained in one line."""

import pytest
import yaml
from frictionless import Package

from harvesters import city, configuration, dataset, jobs, settings
from harvesters.errors import ConfigurationError

from .conftest import ROOT

SCHEMAS = ROOT / "schemas"
DESCRIPTORS = sorted(path.stem for path in SCHEMAS.glob("*.yaml"))
CITIES = sorted(path.stem for path in (SCHEMAS / "cities").glob("*.yaml"))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A copy of schemas/ in which tests may spoil one value."""
    for path in SCHEMAS.rglob("*.yaml"):
        copy = tmp_path / path.relative_to(SCHEMAS)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(configuration, "SCHEMAS", tmp_path)
    dataset.load.cache_clear()
    yield tmp_path
    dataset.load.cache_clear()


def spoil(path, *keys, value):
    """Puts a value into a YAML file; `None` takes the key away."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    part = content
    for key in keys[:-1]:
        part = part[key]
    if value is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_descriptor_is_a_data_package(name):
    """Frictionless itself finds nothing wrong with it."""
    content = yaml.safe_load((SCHEMAS / f"{name}.yaml").read_text(encoding="utf-8"))
    described = dataset.load(name)
    assert described.name == name
    resources = [resource.name for resource in described.resources]
    assert Package.from_descriptor(content).resource_names == resources


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_dataset_has_its_five_places(name):
    """Descriptor, source module, recording, expected table and page go by one name."""
    assert name in {source.name for source in jobs.SOURCES}
    assert list((ROOT / "tests" / "recordings" / name).iterdir())
    assert list((ROOT / "tests" / "expected" / name).iterdir())
    assert (ROOT / "docs" / "datasets" / f"{name}.md").is_file()


@pytest.mark.parametrize("name", CITIES)
def test_every_city_file_can_be_used(name):
    """Every source of it has a descriptor, a module, an office and themes."""
    loaded = city.load_city(name, "http://127.0.0.1:1")
    assert set(loaded.feeds) <= {source.name for source in jobs.SOURCES}
    for feed in loaded.feeds.values():
        assert "{" not in feed.url


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("code",), "7202", "schemas/cities/sabae.yaml: code: got '7202', expected six digits"),
        (("code",), 182079, "code: got 182079, expected a text (quote numbers)"),
        (("name",), None, "name: got None, expected a text"),
        (("bbox", "west"), "136", "bbox.west: got '136', expected a number"),
        (("bbox", "west"), 137.0, "west < east"),
        (("departments", 0, "name"), "防災課", "lower-case letters, digits, hyphens"),
        (("sources", "hydrant", "department"), "x", "expected one of: sabae-bosai"),
        (("sources", "hydrant", "themes"), ["fire"], "expected some of: safety"),
        (("sources", "hydrant", "simulated"), "yes", "sources.hydrant.simulated: got 'yes'"),
        (("sources", "hydrant", "rows", "minimum"), 9999, "at most 4000"),
        (("sources", "hydrant", "rows", "minimum"), -1, "a whole number from 0 up"),
        (("sources", "hydrant", "columns", "種類"), "種別", "expected a standard column"),
        (("sources", "hydrant", "columns", "備考"), False, "expected a heading in quotes"),
        (("sources", "hydrant", "constants", "ＩＤ"), "1", "expected a standard column"),
        (("sources", "hydrant", "extra", 0, "type"), "text", "expected one of: string, number"),
        (("sources", "hydrant", "extra", 0, "name"), "備考", "that the standard does not have"),
        (("sources", "hydrant", "extra", 0, "name"), "消" * 22, "63 bytes"),
        (("sources", "hydrant", "ignore"), "消火栓名", "expected a list of texts"),
        (("sources", "hydrant", "igonre"), [], "igonre: got 'igonre', expected a known key"),
        (("sources", "tram"), {}, "schemas/tram.yaml does not exist. There are: bus"),
    ],
)
def test_a_mistake_in_a_city_file_is_explained_in_one_line(files, keys, value, expected):
    """File, key, what came and what was expected."""
    spoil(files / "cities" / "sabae.yaml", *keys, value=value)
    with pytest.raises(ConfigurationError) as caught:
        city.load_city("sabae")
    assert expected in caught.value.words.en
    assert "\n" not in caught.value.words.ja


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("name",), "hydrants", "expected one of: hydrant"),
        (("coordinates", "latitude"), "lat", "coordinates.latitude: got 'lat'"),
        (("resources", 0, "schema", "primaryKey"), ["No"], "expected names that are in fields"),
        (("resources", 0, "schema", "fields", 14, "constraints"), {"pattern": "x"}, "Table Schema"),
        (("resources",), [], "coordinates: got"),
        (("resources", 0, "name"), "Hydrant!", "lower-case letters"),
        (("colour",), "red", "expected a known key"),
    ],
)
def test_a_mistake_in_a_descriptor_is_explained_in_one_line(files, keys, value, expected):
    """The same for the descriptors; Frictionless judges the Table Schema."""
    spoil(files / "hydrant.yaml", *keys, value=value)
    with pytest.raises(ConfigurationError) as caught:
        dataset.load("hydrant")
    assert expected in caught.value.words.en
    assert "schemas/hydrant.yaml" in caught.value.words.ja


@pytest.mark.usefixtures("files")
def test_an_unknown_city_is_told_which_there_are():
    """The list of files is the answer to a misspelt name."""
    with pytest.raises(ConfigurationError, match="aizuwakamatsu, sabae, yaizu"):
        city.load_city("aizu")


def test_a_file_that_is_no_yaml_is_refused(files):
    """A tab or an open bracket ends with the parser's words, in one line."""
    (files / "cities" / "sabae.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is not YAML"):
        city.load_city("sabae")


def test_settings_come_from_the_environment_then_the_file_then_the_defaults(tmp_path):
    """The environment wins over harvest.env, which wins over what is built in."""
    (tmp_path / "harvest.env").write_text(
        "# written by scripts/serve\nAIZU_PORTAL_URL=http://127.0.0.1:5000/\nAIZU_CITY=yaizu\n"
    )
    read = settings.read({"AIZU_VAR": str(tmp_path), "AIZU_CITY": "sabae"})
    assert read.portal_url == "http://127.0.0.1:5000"
    assert read.city == "sabae"
    assert read.contact == ""
    assert settings.read({"AIZU_VAR": str(tmp_path / "nowhere")}).city == "aizuwakamatsu"


def test_the_folder_is_that_of_the_checkout_wherever_the_command_is_called(tmp_path, monkeypatch):
    """As for scripts/serve; a relative path that somebody gives is theirs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "CHECKOUT", tmp_path / "checkout")
    assert settings.read({}).var == tmp_path / "var"
    (tmp_path / "checkout" / "var").mkdir(parents=True)
    assert settings.read({}).var == tmp_path / "checkout" / "var"
    assert settings.read({"AIZU_VAR": "mine"}).var == tmp_path / "mine"


def test_the_checkout_is_the_one_of_the_scripts():
    """Command and portal speak of the same folder."""
    assert (settings.CHECKOUT / "scripts" / "serve").is_file()
