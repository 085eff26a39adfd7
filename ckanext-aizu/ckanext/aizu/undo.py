"""Brings an earlier version of a dataset back, byte for byte, as a new version."""

from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.aizu import publishing, stored, versions
from ckanext.aizu.place import Place, now, opened, user_id
from ckanext.aizu.versions import Version


def undo(context: Context, name: str, to: int | None, reason: str) -> dict[str, Any]:
    """Makes the content of an earlier version the current one.

    Args:
        context: of the action.
        name: of the dataset.
        to: number of the version that comes back; None: the one before the current.
        reason: why, in the steward's words.

    Returns:
        The answer of aizu_undo.
    """
    with opened(context, name) as place:
        if place.current is None:
            raise tk.ObjectNotFound(tk._("The dataset has no versions"))
        earlier = _earlier(place, place.current, to)
        again = _again(place, place.current, earlier, reason)
        stored.publish(place, again)
        return publishing.answer(again, changed=True) | {"restores": earlier.number}


def _earlier(place: Place, current: Version, to: int | None) -> Version:
    number = current.number - 1 if to is None else to
    with place.database.cursor() as cur:
        found = versions.numbered(cur, place.dataset_id, number)
        # From here on nobody removes its files.
        versions.keep_blobs(cur)
    if found is None or found.number == current.number:
        message = tk._("There is no version %i before the current one, which is version %i")
        raise tk.ValidationError({"to": [message % (number, current.number)]})
    if found.state == versions.GONE or not stored.is_whole(found):
        message = tk._("The files of version %i are not kept any more")
        raise tk.ValidationError({"to": [message % number]})
    return found


def _again(place: Place, current: Version, earlier: Version, reason: str) -> Version:
    from ckanext.aizu import plan as planning  # Polars, as in publishing

    with place.database.cursor() as cur:
        number = versions.next_number(cur, place.dataset_id)
    again = replace(
        earlier,
        number=number,
        state=versions.CURRENT,
        in_step=False,
        published_at=now(),
        published_by=user_id(place.context),
        replaces=current.number,
        restores=earlier.number,
        reason=reason,
        lifted=[],
    )
    return replace(again, changes=planning.changes_between(current, again))
