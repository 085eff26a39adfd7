"""Reads what comes as JSON, strictly."""

import json
from typing import Any, Final, TypeGuard

from flask import request

from aizu_vault.answers import Refusal, RefusedRequestError

LARGEST: Final = 64 * 1024
_LONGEST: Final = 200


def read_json(*words: str) -> dict[str, Any]:
    """An object of JSON that has none but these words.

    Raises:
        RefusedRequestError: it is not.
    """
    if request.mimetype != "application/json":
        raise RefusedRequestError(Refusal.MALFORMED)
    body = request.get_data(cache=False)
    # What comes in chunks ends there without a word.
    if len(body) > LARGEST:
        raise RefusedRequestError(Refusal.TOO_LARGE)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedRequestError(Refusal.MALFORMED) from None
    if not isinstance(said, dict) or said.keys() - set(words):
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
