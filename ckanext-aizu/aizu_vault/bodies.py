"""Reads what comes with a request, strictly."""

import json
from typing import Any, Final, TypeGuard

from flask import request
from gunicorn.http.errors import ParseException

from aizu_vault.answers import Refusal, RefusedRequestError

LARGEST: Final = 64 * 1024
_LONGEST: Final = 200


def receive() -> None:
    """Takes the body in, whatever kind it is; it is kept for who reads it.

    Raises:
        RefusedRequestError: it is too large, or breaks off.
    """
    try:
        body = request.get_data()
    except (OSError, ParseException):
        raise RefusedRequestError(Refusal.MALFORMED) from None
    # What comes in chunks ends at the limit without a word.
    if len(body) > LARGEST:
        raise RefusedRequestError(Refusal.TOO_LARGE)


def read_json(*words: str) -> dict[str, Any]:
    """An object of JSON that has none but these words.

    Raises:
        RefusedRequestError: it is not.
    """
    said = read_any_json()
    if said.keys() - set(words):
        raise RefusedRequestError(Refusal.MALFORMED)
    return said


def read_any_json() -> dict[str, Any]:
    """An object of JSON.

    Raises:
        RefusedRequestError: it is not.
    """
    if request.mimetype != "application/json":
        raise RefusedRequestError(Refusal.MALFORMED)
    try:
        said = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise RefusedRequestError(Refusal.MALFORMED) from None
    if not isinstance(said, dict):
        raise RefusedRequestError(Refusal.MALFORMED)
    return said


def are_words(said: object, *names: str) -> TypeGuard[dict[str, str]]:
    """Whether it is an object of words under some of these names, as the database can take them."""
    return (
        isinstance(said, dict)
        and not said.keys() - set(names)
        and all(isinstance(one, str) and _is_plain(one) for one in said.values())
    )


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable()
