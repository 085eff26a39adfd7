"""What setup.cfg says is installed is what there is."""

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = {"ckanext": "ckanext-aizu/ckanext", "harvesters.schemas": "schemas"}


def setup() -> configparser.ConfigParser:
    """The file as setuptools reads it."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_every_package_is_listed():
    """A folder with an __init__.py that is not in the list would be missing from the wheel."""
    found = {"harvesters.schemas"}
    tops = {
        "aizu_vault": "ckanext-aizu/aizu_vault",
        "ckanext": "ckanext-aizu/ckanext",
        "harvesters": "harvesters",
    }
    for top, folder in tops.items():
        for init in (ROOT / folder).glob("**/__init__.py"):
            inside = init.parent.relative_to(ROOT / folder).parts
            found.add(".".join((top, *inside)))
    assert set(setup()["options"]["packages"].split()) == found


def test_every_logic_module_says_what_it_exports():
    """CKAN makes every public function of an action module an API; __all__ keeps helpers out."""
    for module in (ROOT / "ckanext-aizu" / "ckanext").glob("*/logic/*.py"):
        if module.name != "__init__.py":
            assert "\n__all__ = [" in module.read_text(encoding="utf-8"), module


def test_lock_files_are_plain_and_name_no_registry():
    """Lines `name==version`, with a marker where needed; no address anywhere."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        for line in (ROOT / name).read_text().splitlines():
            assert re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; .+)?", line), line


def test_the_development_lock_holds_the_same_versions():
    """What is tested is what is served."""
    served, tested = (
        {line.split(" ;")[0] for line in (ROOT / name).read_text().splitlines()}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert served <= tested


def test_every_descriptor_has_source_recordings_expectation_and_page():
    """One dataset, one name, five places."""
    for schema in (ROOT / "schemas").glob("*.yaml"):
        name = schema.stem
        assert (ROOT / "harvesters" / "sources" / f"{name.replace('-', '_')}.py").exists()
        assert list((ROOT / "tests" / "recordings" / name).glob("*"))
        assert list((ROOT / "tests" / "expected").glob(f"{name}*"))
        assert (ROOT / "docs" / "datasets" / f"{name}.md").exists()
