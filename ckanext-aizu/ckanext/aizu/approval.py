"""A steward's word on what the gate refused: it is published all the same, or let go."""

from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.aizu import held, publishing, stored, versions
from ckanext.aizu.departments import department
from ckanext.aizu.held import Held
from ckanext.aizu.place import Place, now, opened, user_id


def approve(context: Context, name: str, content_hash: str, reason: str) -> dict[str, Any]:
    """Publishes what is held of a dataset, as it was sent.

    Differences and reasons are those found when it was refused: any publication since would have
    ended that it is held.

    Args:
        context: of the action.
        name: of the dataset.
        content_hash: of what the steward has looked at.
        reason: why it is right, in his words.

    Returns:
        The answer of aizu_approve.
    """
    with opened(context, name) as place:
        refused = _asked(place, content_hash).version
        if not stored.is_whole(refused):
            message = tk._("Its files are not kept any more")
            raise tk.ValidationError({"content_hash": [message]})
        with department(context, refused.organization) as owner_id:
            approved = replace(
                refused,
                published_at=now(),
                published_by=user_id(context),
                reason=reason,
                dataset={**refused.dataset, "owner_org": owner_id},
            )
            stored.publish(place, approved)
        return publishing.answer(approved, changed=True)


def discard(context: Context, name: str, content_hash: str) -> dict[str, Any]:
    """Lets go what is held of a dataset.

    Returns:
        The answer of aizu_discard.
    """
    with opened(context, name) as place:
        held.discard(place.database, _asked(place, content_hash))
    return {"name": name, "content_hash": content_hash}


def _asked(place: Place, content_hash: str) -> Held:
    with place.database.cursor() as cur:
        # From here on nobody removes its files.
        versions.keep_blobs(cur)
        found = held.of_dataset(cur, place.dataset_id)
    if found is None:
        raise nothing_held()
    if found.version.content_hash != content_hash:
        message = tk._("Something else is held back by now: look at it first")
        raise tk.ValidationError({"content_hash": [message]})
    return found


def nothing_held() -> tk.ObjectNotFound:
    """Of a dataset that nobody has to decide about."""
    return tk.ObjectNotFound(tk._("Nothing of this dataset is held back"))
