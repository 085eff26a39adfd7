"""What the docs say of the command, its settings and its modules is what there is."""

import re

import pytest
from click.testing import CliRunner

from harvesters import errors, settings
from harvesters.cli import cli
from harvesters.rules import REPAIRS, RULES

from .conftest import ROOT

DOCS = ROOT / "docs"
COMMANDS = (DOCS / "commands.md").read_text(encoding="utf-8")
OURS = (
    "data-flow.md",
    "add-a-dataset.md",
    "commands.md",
    "datasets/hydrant.md",
    "datasets/bus.md",
    "datasets/bus-live.md",
    "datasets/deep-log.md",
    "datasets/library.md",
    "datasets/library-seats.md",
    "datasets/snowplow.md",
)


@pytest.mark.parametrize("name", ["", *sorted(cli.commands)])
def test_the_help_of_every_command_is_in_the_docs(name):
    """Word for word; the failure shows what to put there."""
    arguments = [name, "--help"] if name else ["--help"]
    result = CliRunner().invoke(cli, arguments, prog_name="aizu", terminal_width=100)
    title = f"### aizu {name}".rstrip()
    assert f"{title}\n\n```\n{result.output.rstrip()}\n```" in COMMANDS


@pytest.mark.parametrize("name", settings.DEFAULTS)
def test_every_setting_is_in_the_docs(name):
    """With its default."""
    (line,) = re.findall(rf"^\| `{name}` \|.*$", COMMANDS, re.MULTILINE)
    assert settings.DEFAULTS[name] in line


def test_every_exit_code_is_in_the_docs():
    """The table has a line for each code that an error carries."""
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.HarvestError)
    }
    for code in codes | {0}:
        assert f"\n| {code} |" in COMMANDS


def test_every_error_is_drawn_in_the_tree():
    """Name and exit code, in the docstring of the module."""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.HarvestError):
            assert re.search(rf"\b{name}\b", errors.__doc__), name


def test_every_rule_is_explained_on_the_page_of_the_dataset():
    """A clerk who reads a rule finds it there; most of them stand where all lists are explained."""
    pages = [path.read_text(encoding="utf-8") for path in (DOCS / "datasets").glob("*.md")]
    told = "".join(pages)
    assert [rule for rule in (*RULES, *REPAIRS) if f"`{rule}`" not in told] == []


@pytest.mark.parametrize("name", OURS)
def test_every_link_leads_somewhere(name):
    """Relative links end at a file that is there."""
    page = DOCS / name
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_module_is_in_the_data_flow_or_its_neighbours():
    """Nobody has to guess what a module of the harvesters is for."""
    flow = (DOCS / "data-flow.md").read_text(encoding="utf-8")
    told = {"cli", "settings", "source", "words", "configuration", "japanese", "geojson"}
    modules = {path.stem for path in (ROOT / "harvesters").glob("*.py")} - {"__init__"}
    assert {name for name in modules - told if f"{name}.py" not in flow} == set()
