"""Every text that the portal shows has Japanese words, the same placeholders, and the city's own vocabulary."""

import re
from collections.abc import Iterator, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message

# CKAN's extractor imports passlib, which imports a module that Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore:'crypt' is deprecated:DeprecationWarning")

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "translations"
POSITIONAL = re.compile(r"%[a-z]")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{[^{}]*\}|<[^<>]+>")
# CKAN's own Japanese says 組織 and グループ for what are departments and themes here, and ユーザ, パッケージ.
FOREIGN_WORDS = re.compile(r"組織|グループ|パッケージ|ユーザ(?!ー)|メンバ(?!ー)")


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    """The script that extracts the texts, so that test and tool read the same sources."""
    loader = SourceFileLoader("translations", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def texts(translations: ModuleType) -> Catalog:
    """Every text of our own, of the extensions in use and of CKAN, extracted now."""
    found: Catalog = translations.shown()
    return found


@pytest.fixture(scope="module")
def japanese(translations: ModuleType) -> Catalog:
    """Our Japanese catalogue."""
    ours: Catalog = translations.read(translations.catalogue_path("ja"))
    return ours


@pytest.fixture(scope="module")
def core(translations: ModuleType) -> Catalog:
    """The Japanese catalogue that CKAN brings."""
    theirs: Catalog = translations.read(translations.CORE / "ja" / "LC_MESSAGES" / "ckan.po")
    return theirs


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """The plural forms of a text; a text without plural has one."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def words(message: Message) -> str:
    """The Japanese of an entry, which has one form."""
    return "".join(forms(message.string))


def messages(catalogue: Catalog) -> Iterator[Message]:
    """The entries of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def test_every_text_has_japanese_words(
    translations: ModuleType, texts: Catalog, japanese: Catalog, core: Catalog
) -> None:
    """A text without Japanese, ours or CKAN's, fails here by name."""
    missing = [message.id for message in translations.untranslated(texts, japanese, core)]
    assert len(texts) > 1300
    assert missing == []


def test_placeholders_and_markup_are_those_of_the_english_text(japanese: Catalog) -> None:
    """A lost or misspelt placeholder would break the page on which the text stands."""

    def marks(text: str) -> list[str]:
        return sorted(PLACEHOLDER.findall(text))

    different = [m.id for m in messages(japanese) if marks(words(m)) != marks(forms(m.id)[-1])]
    assert different == []


def test_positional_placeholders_keep_their_order(japanese: Catalog) -> None:
    """%s has no name: turning two of them round would exchange the values."""

    def order(text: str) -> list[str]:
        return POSITIONAL.findall(text)

    turned = [m.id for m in messages(japanese) if order(words(m)) != order(forms(m.id)[-1])]
    assert turned == []


def test_no_entry_is_empty_or_a_guess(translations: ModuleType, japanese: Catalog) -> None:
    """Fuzzy and empty entries are left out by gettext, and the English would show through."""
    assert [m.id for m in messages(japanese) if not translations.is_translated(m)] == []
    assert list(japanese.obsolete) == []


def test_japanese_has_one_plural_form(japanese: Catalog) -> None:
    """Portal texts with numbers take the rule of this catalogue; any other rule brings English back."""
    assert japanese.num_plurals == 1
    assert japanese.plural_expr == "0"
    assert {len(forms(message.string)) for message in messages(japanese)} == {1}


def test_the_words_are_those_of_the_city(japanese: Catalog, core: Catalog) -> None:
    """Departments are 部署, themes 分野: no text falls back to CKAN's words for them."""
    effective = {message.id: message for source in (core, japanese) for message in messages(source)}
    strange = [key for key, m in effective.items() if FOREIGN_WORDS.search(words(m))]
    assert strange == []


def test_texts_of_scripts_are_in_the_template(
    translations: ModuleType, texts: Catalog, japanese: Catalog
) -> None:
    """CKAN hands a browser only those texts that a template file places in a JavaScript file."""

    def of_scripts(catalogue: Catalog) -> set[str]:
        return {
            forms(m.id)[0]
            for m in messages(catalogue)
            if any(file.endswith(".js") for file, _line in m.locations)
        }

    template = translations.read(translations.TEMPLATE)
    assert of_scripts(texts) & of_scripts(japanese)
    assert {key for key in of_scripts(texts) if key in japanese} <= of_scripts(template)
