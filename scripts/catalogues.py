"""Brings our catalogues in line with every text the portal shows, and names what has no Japanese yet.

After changing a text run `scripts/translations`, fill in the empty entries of the Japanese catalogue, and
run it again.
"""

import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import ckan
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

OURS = Path(__file__).resolve().parents[1] / "ckanext-aizu"
THEIRS = Path(ckan.__file__).resolve().parents[1]
CORE = THEIRS / "ckan" / "i18n"
I18N = OURS / "ckanext" / "aizu" / "i18n"
TEMPLATE = I18N / "ckanext-aizu.pot"
# ckan.pot names texts of every extension CKAN ships; these packages have texts that it lacks.
PACKAGES = [
    (OURS, "ckanext"),
    (THEIRS, "ckan"),
    (THEIRS, "ckanext/dcat"),
    (THEIRS, "ckanext/scheming"),
]
# What is put together at run time, where no extraction finds it: states, kinds of activity, and the
# labels of form errors.
STATES = ("active", "deleted", "draft", "inactive", "pending")
ACTIVITIES = (
    *("New Package", "Changed Package", "Deleted Package", "Follow Dataset"),
    *("New Resource View", "Changed Resource View", "Deleted Resource View"),
    *("New Organization", "Changed Organization", "Deleted Organization", "Follow Organization"),
    *("New Group", "Changed Group", "Deleted Group", "Follow Group"),
    *("New User", "Changed User", "Follow User"),
)
FIELDS = (
    *("Activity type", "Capacity", "Email", "End date", "Expires in", "Fields", "Fullname", "Id"),
    *("Image upload", "License id", "Message", "Notes", "Old password", "Owner org", "Package id"),
    *("Password1", "Password2", "Private", "Records", "Reset key", "Resource id", "Start date"),
    *("Tag string", "Type", "Upload", "View type"),
)
METHODS = [
    ("**/tests/**", "ignore"),
    ("**/vendor/**", "ignore"),
    ("**midnight-blue/**", "ignore"),
    ("**/templates/**.html", "ckan"),
    ("**/templates/**.txt", "ckan"),
    ("**/assets/**.js", "javascript"),
    ("**/base/javascript/**.js", "javascript"),
    ("**.py", "python"),
]


def catalogue_path(locale: str) -> Path:
    """Where our translations into a language lie."""
    return I18N / locale / "LC_MESSAGES" / "ckanext-aizu.po"


def read(path: Path, locale: str | None = None) -> Catalog:
    """A catalogue from disk; an absent one is empty."""
    return read_po(BytesIO(path.read_bytes() if path.exists() else b""), locale=locale)


def texts_of(package: Path, base: Path) -> Catalog:
    """Every text that a package hands to gettext in templates, Python and JavaScript."""
    found = Catalog()
    for file, _line, text, _comments, context in extract_from_dir(package, METHODS):
        place = (package / file).relative_to(base).as_posix()
        found.add(text, locations=[(place, 0)], context=context)
    return found


def shown() -> Catalog:
    """Every text the portal can show: ours, that of the extensions, and that of CKAN."""
    texts = Catalog()
    for source in (
        *(texts_of(base / name, base) for base, name in PACKAGES),
        read(CORE / "ckan.pot"),
    ):
        for message in source:
            if message.id:
                texts.add(message.id, locations=message.locations, context=message.context)
    for text in STATES + ACTIVITIES + FIELDS:
        texts.add(text, locations=[("ckan/logic/__init__.py", 0)])
    return texts


def is_translated(message: Message | None) -> bool:
    """Whether every plural form has words; a fuzzy entry is a guess that gettext leaves out."""
    if message is None or message.fuzzy:
        return False
    forms = message.string if isinstance(message.string, tuple | list) else [message.string]
    return bool(forms) and all(forms)


def untranslated(texts: Catalog, *catalogues: Catalog) -> Iterator[Message]:
    """The texts for which none of the catalogues has words."""
    for message in texts:
        if message.id and not any(
            is_translated(each.get(message.id, message.context)) for each in catalogues
        ):
            yield message


def template_for(catalogue: Catalog, wanted: Catalog) -> Catalog:
    """The wanted texts, with the dates of the catalogue: git knows better when something changed."""
    template = Catalog(
        project="aizu-portal",
        version="0.1.0",
        header_comment=(
            "# Every text of our own, and those of CKAN and its extensions"
            " that we complete or word differently."
        ),
        msgid_bugs_address="aizu-portal",
        last_translator="aizu-portal",
        language_team="aizu-portal",
        creation_date=catalogue.creation_date,
        revision_date=catalogue.revision_date,
        fuzzy=False,
    )
    for message in wanted:
        if message.id:
            template.add(message.id, locations=message.locations, context=message.context)
    return template


def kept(catalogue: Catalog, texts: Catalog) -> Catalog:
    """The texts of a catalogue that are still shown."""
    still = Catalog()
    for message in texts:
        if message.id and message.id in catalogue:
            still.add(message.id, locations=message.locations, context=message.context)
    return still


def write(path: Path, catalogue: Catalog) -> None:
    """Sorted and without line numbers, so that a moved line is not a change."""
    with path.open("wb") as target:
        write_po(
            target,
            catalogue,
            width=110,
            sort_by_file=True,
            include_lineno=False,
            ignore_obsolete=True,
        )


def update(locale: str, texts: Catalog, *, add: Iterable[Message] = ()) -> Catalog:
    """Rewrites our catalogue of a language: what is shown no longer goes, what is added waits for words."""
    catalogue = read(catalogue_path(locale), locale)
    wanted = kept(catalogue, texts)
    for message in add:
        wanted.add(message.id, locations=message.locations, context=message.context)
    catalogue.update(template_for(catalogue, wanted), no_fuzzy_matching=True)
    write(catalogue_path(locale), catalogue)
    return catalogue


def main() -> int:
    """Rewrite template and catalogues; 1 when a text has no Japanese."""
    texts = shown()
    core = read(CORE / "ja" / "LC_MESSAGES" / "ckan.po", "ja")
    japanese = update("ja", texts, add=untranslated(texts, core))
    update("en", texts)
    write(TEMPLATE, template_for(japanese, japanese))
    left = list(untranslated(texts, japanese, core))
    for message in left:
        places = ", ".join(sorted({file for file, _line in message.locations}))
        sys.stdout.write(f"no Japanese: {message.id!r} ({places})\n")
    sys.stdout.write(
        f"{len(texts)} texts, {len(japanese)} in our Japanese catalogue, {len(left)} without Japanese\n"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
