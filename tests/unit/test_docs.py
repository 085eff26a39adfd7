"""What the docs say of settings, scripts and files is what there is."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("**/*.md"))
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
SCRIPTS = sorted(
    path.name
    for path in (ROOT / "scripts").iterdir()
    if path.is_file() and path.stat().st_mode & 0o100
)


def declared() -> list[dict[str, str]]:
    """The settings of scripts/stack/settings.py, read without running it."""
    tree = ast.parse((ROOT / "scripts" / "stack" / "settings.py").read_text(encoding="utf-8"))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Setting"
    ]
    return [{word.arg: ast.literal_eval(word.value) for word in call.keywords} for call in calls]


@pytest.mark.parametrize("setting", declared(), ids=lambda setting: setting["name"])
def test_every_setting_is_documented_with_its_default(setting):
    """One line in the table of docs/operate.md, word for word."""
    default = f"`{setting['default']}`" if setting["default"] else ""
    assert f"| `{setting['name']}` | {setting['meaning']} | {default} |" in OPERATE


def test_the_command_reads_no_setting_the_portal_does_not_write():
    """What harvesters/settings.py reads is declared for the operator or written by scripts/serve."""
    source = (ROOT / "harvesters" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(AIZU_\w+)":', source))
    written = set(re.findall(r"AIZU_\w+", (ROOT / "scripts" / "stack" / "portal.py").read_text()))
    assert read <= written | {setting["name"] for setting in declared()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_script_exists(page):
    """Links to files and names of scripts lead somewhere."""
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in link:
            assert (page.parent / link).exists(), link
    for script in re.findall(r"scripts/([a-z-]+)(?![\w/.-])", text):
        assert (ROOT / "scripts" / script).exists(), script


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_mentioned(script):
    """A script nobody reads of is a script nobody needs."""
    mentioned = any(re.search(rf"\b{script}\b", page.read_text(encoding="utf-8")) for page in PAGES)
    used = any(
        script in path.read_text(encoding="utf-8", errors="replace")
        for path in [*(ROOT / "scripts").glob("*"), *(ROOT / "scripts" / "stack").glob("*.py")]
        if path.is_file() and path.name != script
    )
    assert mentioned or used


@pytest.mark.parametrize("plugin", ["aizu", "aizu_deep"])
def test_every_action_is_documented(plugin):
    """Each action of the extension is on docs/api.md."""
    source = (ROOT / f"ckanext-aizu/ckanext/{plugin}/logic/action.py").read_text(encoding="utf-8")
    (names,) = re.findall(r"__all__ = \[(.+?)\]", source, re.DOTALL)
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for name in re.findall(r'"(\w+)"', names):
        assert f"`{name}`" in text


def test_every_field_of_the_dataset_type_has_labels_in_both_languages():
    """A steward sees the form in Japanese or in English, not a mixture."""
    described = yaml.safe_load(
        (ROOT / "ckanext-aizu/ckanext/aizu/dataset.yaml").read_text(encoding="utf-8")
    )
    for field in described["dataset_fields"] + described["resource_fields"]:
        if field.get("form_snippet", "") is not None and field["label"] != "URI":
            assert set(field["label"]) == {"ja", "en"}, field["field_name"]


def test_serve_says_what_it_can_do():
    """scripts/serve --help names every option that docs/operate.md uses."""
    told = subprocess.run(
        [ROOT / "scripts" / "serve", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in re.findall(r"scripts/serve (--[a-z-]+)", OPERATE):
        assert option in told


def test_no_file_depends_on_the_machine_it_was_written_on():
    """No path of this checkout and no choice of a package registry stands in any file of ours."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    told = re.compile(re.escape(f"{ROOT}/") + r"|--(?:extra-)?index-url|--find-links")
    for name in filter(None, listed.split("\0")):
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        if name != "tests/unit/test_docs.py":
            found = told.search(text)
            assert found is None, f"{name}: {found}"
