"""Japanese names that CKAN's own rules destroy: of files (避難所.csv became .csv), of datasets (町丁別人口 became __) and of tags (道 was refused)."""

import re
import unicodedata
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import munge
from pykakasi import Kakasi

MAX_FILE_NAME_BYTES = 200
# What a path, a header or a shell would stumble over; everything else is a letter of somebody's language.
_UNSAFE_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%#&+]')
_UNSEEN = ("Cf", "Cs")
_TAG = re.compile(r"[\w \-.・･（）()／/＆&＋+～〜―ー、，'’:：　]+")
_ascii_title_to_name = munge.munge_title_to_name


def install() -> None:
    """Puts our rules in the place of CKAN's; CKAN looks each of them up in its module when it calls it."""
    munge.munge_filename = file_name
    munge.munge_title_to_name = dataset_name
    munge.munge_tag = tag_name


def file_name(filename: str | bytes) -> str:
    """The name of an uploaded file as it may be stored and offered: letters kept, path removed.

    >>> file_name("C:/data/避難所 一覧.CSV")
    '避難所-一覧.csv'
    """
    text = filename.decode("utf-8", "replace") if isinstance(filename, bytes) else filename
    # CKAN hands a stored file's name back as the last part of its address.
    text = unicodedata.normalize("NFC", unquote(text)).replace("\\", "/")
    # A mark that turns the direction of writing shows one suffix for another.
    text = "".join(char for char in text if unicodedata.category(char) not in _UNSEEN)
    path = PurePosixPath(text)
    stem = _UNSAFE_IN_FILE_NAMES.sub("", path.stem).strip(" .　")
    stem = re.sub(r"[\s　]+", "-", stem) or "file"
    suffix = re.sub(r"[^0-9A-Za-z.]", "", path.suffix).lower()
    room = MAX_FILE_NAME_BYTES - len(suffix)
    return stem.encode()[:room].decode("utf-8", "ignore") + suffix


def dataset_name(name: str) -> str:
    """A name for an address from a title: Japanese is written as it is read, in Latin letters.

    The parameter is called as in the function of CKAN that this stands for.

    >>> dataset_name("消火栓・防火水槽一覧 2026")
    'shoukasen-bouka-suisou-ichiran-2026'
    """
    text = unicodedata.normalize("NFKC", name)
    if not text.isascii():
        words = (item["hepburn"] for item in _kakasi().convert(text))
        text = re.sub(r"[^0-9A-Za-z]+", "-", "-".join(words))
    return _ascii_title_to_name(text)


def tag_name(tag: str) -> str:
    """A tag as it is stored: width and case made one, nothing taken away that is a letter."""
    text = unicodedata.normalize("NFKC", tag).strip().lower()
    return "".join(_TAG.findall(text))[: model.MAX_TAG_LENGTH]


def tag_name_validator(value: str, _context: Any) -> str:
    """Accepts letters of every script and the marks that Japanese terms carry: ・（）／ー."""
    if not _TAG.fullmatch(value):
        wrong = sorted(set(_TAG.sub("", value)))
        raise tk.Invalid(
            tk._('Tag "%s" has characters that a tag cannot have: %s') % (value, " ".join(wrong))
        )
    return value


def tag_length_validator(value: str, _context: Any) -> str:
    """One character is a word in Japanese: 道, 雪."""
    if not 1 <= len(value) <= model.MAX_TAG_LENGTH:
        raise tk.Invalid(
            tk._('Tag "%s" must have between 1 and %i characters') % (value, model.MAX_TAG_LENGTH)
        )
    return value


def tag_string_convert(key: Any, data: Any, _errors: Any, context: Any) -> None:
    """Takes the tags of a form, parted by commas, apart; CKAN's own would check them by its rules."""
    text = data[key]
    names = text.split(",") if isinstance(text, str) else text
    present = [part[1] for part in data if len(part) == 3 and part[0] == "tags"]
    for number, name in enumerate(
        (n.strip() for n in names if n.strip()), max(present, default=-1) + 1
    ):
        data["tags", number, "name"] = tag_name_validator(
            tag_length_validator(name, context), context
        )


VALIDATORS = {
    "tag_name_validator": tag_name_validator,
    "tag_length_validator": tag_length_validator,
    "tag_string_convert": tag_string_convert,
}


@cache
def _kakasi() -> Kakasi:
    return Kakasi()  # type: ignore[no-untyped-call]  # pykakasi has no types
