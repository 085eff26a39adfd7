"""Every text that the portal shows has Japanese words, the same placeholders, and the city's own vocabulary."""

import re
from collections.abc import Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "catalogues.py"
POSITIONAL = re.compile(r"%[a-z]")
PLACEHOLDER = re.compile(r'%\(\w+\)[a-z]|%[a-z]|\{[^{}]*\}|</?\w+|href="[^"]*')
# CKAN's own Japanese says 組織 and グループ for what are departments and themes here, and ユーザ, パッケージ.
FOREIGN_WORDS = re.compile(r"組織|グループ|パッケージ|ユーザ(?!ー)|メンバ(?!ー)")
FOREIGN_ENGLISH = re.compile(r"organi[sz]ation|group", re.IGNORECASE)


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    """The script that extracts the texts, so that test and tool read the same sources."""
    spec = spec_from_file_location("catalogues", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def texts(catalogues: ModuleType) -> Catalog:
    """Every text of our own, of the extensions in use and of CKAN, extracted now."""
    found: Catalog = catalogues.shown()
    return found


@pytest.fixture(scope="module")
def japanese(catalogues: ModuleType) -> Catalog:
    """Our Japanese catalogue."""
    ours: Catalog = catalogues.read(catalogues.catalogue_path("ja"))
    return ours


@pytest.fixture(scope="module")
def english(catalogues: ModuleType) -> Catalog:
    """Our English catalogue: only what we word differently."""
    ours: Catalog = catalogues.read(catalogues.catalogue_path("en"))
    return ours


@pytest.fixture(scope="module")
def core(catalogues: ModuleType) -> Catalog:
    """The Japanese catalogue that CKAN brings."""
    theirs: Catalog = catalogues.read(catalogues.CORE / "ja" / "LC_MESSAGES" / "ckan.po")
    return theirs


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """The plural forms of a text; a text without plural has one."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def words(message: Message) -> str:
    """The translation of an entry in its last form, as the English plural is the one with a number."""
    return forms(message.string)[-1]


def messages(catalogue: Catalog) -> Iterator[Message]:
    """The entries of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def test_every_text_has_japanese_words(
    catalogues: ModuleType, texts: Catalog, japanese: Catalog, core: Catalog
) -> None:
    """A text without Japanese, ours or CKAN's, fails here by name."""
    missing = [message.id for message in catalogues.untranslated(texts, japanese, core)]
    assert len(texts) > 1300
    assert missing == []


@pytest.mark.parametrize("language", ["japanese", "english"])
def test_placeholders_and_markup_are_those_of_the_source(
    language: str, request: pytest.FixtureRequest
) -> None:
    """A lost or misspelt placeholder would break the page on which the text stands."""

    def marks(text: str) -> list[str]:
        return sorted(PLACEHOLDER.findall(text))

    ours = messages(request.getfixturevalue(language))
    assert [m.id for m in ours if marks(words(m)) != marks(forms(m.id)[-1])] == []


@pytest.mark.parametrize("language", ["japanese", "english"])
def test_positional_placeholders_keep_their_order(
    language: str, request: pytest.FixtureRequest
) -> None:
    """%s has no name: turning two of them round would exchange the values."""

    def order(text: str) -> list[str]:
        return POSITIONAL.findall(text)

    ours = messages(request.getfixturevalue(language))
    assert [m.id for m in ours if order(words(m)) != order(forms(m.id)[-1])] == []


@pytest.mark.parametrize("language", ["japanese", "english"])
def test_no_entry_is_empty_or_a_guess(
    catalogues: ModuleType, language: str, request: pytest.FixtureRequest
) -> None:
    """Fuzzy and empty entries are left out by gettext, and the source would show through."""
    ours = request.getfixturevalue(language)
    assert [m.id for m in messages(ours) if not catalogues.is_translated(m)] == []
    assert list(ours.obsolete) == []


def test_japanese_has_one_plural_form(japanese: Catalog) -> None:
    """All texts with numbers take the rule of this catalogue; any other rule brings English back."""
    assert japanese.num_plurals == 1
    assert japanese.plural_expr == "0"
    assert {len(forms(message.string)) for message in messages(japanese)} == {1}


def test_the_japanese_words_are_those_of_the_city(japanese: Catalog, core: Catalog) -> None:
    """Departments are 部署, themes 分野: no text falls back to CKAN's words for them."""
    effective = {message.id: message for source in (core, japanese) for message in messages(source)}
    assert [key for key, m in effective.items() if FOREIGN_WORDS.search(words(m))] == []


def test_the_english_words_are_those_of_the_city(texts: Catalog, english: Catalog) -> None:
    """What CKAN calls organizations and groups are departments and themes in English, too."""
    theirs = [
        english.get(message.id) or message
        for message in messages(texts)
        if not any(file.startswith("ckanext/aizu") for file, _line in message.locations)
    ]
    shown = [(forms(m.string) or forms(m.id))[-1] for m in theirs]
    assert [text for text in shown if FOREIGN_ENGLISH.search(PLACEHOLDER.sub("", text))] == []


def test_texts_of_scripts_are_in_the_template(
    catalogues: ModuleType, texts: Catalog, japanese: Catalog
) -> None:
    """CKAN hands a browser only those texts that a template file places in a JavaScript file."""

    def of_scripts(catalogue: Catalog) -> set[str]:
        return {
            forms(m.id)[0]
            for m in messages(catalogue)
            if any(file.endswith(".js") for file, _line in m.locations)
        }

    template = catalogues.read(catalogues.TEMPLATE)
    assert of_scripts(texts) & of_scripts(japanese)
    assert {key for key in of_scripts(texts) if key in japanese} <= of_scripts(template)
