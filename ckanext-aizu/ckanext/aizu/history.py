"""The versions of a dataset as its readers are told of them: by the API, on pages and in feeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.aizu import blobs, coordinates, versions
from ckanext.aizu.versions import GONE, Version

if TYPE_CHECKING:
    from ckanext.aizu.diff import Diff

JSON = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One table of two versions, compared."""

    dataset: JSON
    before: Version
    after: Version
    table: str
    diff: "Diff"

    @property
    def position(self) -> tuple[str, str] | None:
        """The columns of latitude and longitude, where both versions have them."""
        return coordinates.columns(self.diff.before.types.keys() & self.diff.after.types.keys())


def dataset_of(context: Context, name: str) -> JSON:
    """The dataset, for those who may see it: its versions are for the same."""
    found: JSON = tk.get_action("package_show")(tk.fresh_context(context), {"id": name})
    return found


def listed(context: Context, dataset: JSON, limit: int, offset: int) -> tuple[list[JSON], int]:
    """What is said of some versions, the newest first; and how many there are."""
    with versions.reading() as cur:
        found = versions.of_dataset(cur, dataset["id"], limit, offset)
        count = versions.count(cur, dataset["id"])
    may_know = _may_know_names(context, dataset)
    return [_entry(dataset, version, may_know=may_know) for version in found], count


def one(dataset: JSON, number: int) -> Version:
    """A version by its number.

    Raises:
        ckan.plugins.toolkit.ObjectNotFound: there is none.
    """
    with versions.reading() as cur:
        found = versions.numbered(cur, dataset["id"], number)
    if found is None:
        raise tk.ObjectNotFound(tk._("There is no version %i of this dataset") % number)
    return found


def _entry(dataset: JSON, version: Version, *, may_know: bool) -> JSON:
    """What a list says of a version; who published it, to those who look after the dataset."""
    names = {"published_by": publisher(version)} if may_know else {}
    return {
        "number": version.number,
        "state": version.state,
        "published_at": version.published_at,
        "published_by_program": is_by_program(version),
        **names,
        "content_hash": version.content_hash,
        "replaces": version.replaces,
        "restores": version.restores,
        "reason": version.reason,
        "lifted": version.lifted,
        "rows": version.rows,
        "changes": version.changes,
        "files": [
            file(part, _address("file", dataset, version, filename=part["filename"]))
            | {"kept": version.state != GONE}
            for part in version.parts
        ],
        "url": _address("read", dataset, version),
    }


def whole(context: Context, dataset: JSON, version: Version) -> JSON:
    """All that is known of a version."""
    return {
        **_entry(dataset, version, may_know=_may_know_names(context, dataset)),
        "dataset": version.dataset,
        "resources": version.resources,
        "source": version.source,
        "report_url": _address("report", dataset, version),
    }


def file(part: JSON, url: str) -> JSON:
    """What is said of a file."""
    return {
        **{name: part[name] for name in ("filename", "format", "media_type", "size", "sha256")},
        "part": versions.part_name(part),
        "title": part["title"],
        "title_en": part["title_en"],
        "url": url,
    }


def _address(page: str, dataset: JSON, version: Version, **more: str) -> str:
    return str(
        tk.h.url_for(
            f"aizu_versions.{page}",
            id=dataset["name"],
            number=version.number,
            _external=True,
            locale="default",
            **more,
        )
    )


def _may_know_names(context: Context, dataset: JSON) -> bool:
    try:
        tk.check_access("package_update", tk.fresh_context(context), {"id": dataset["id"]})
    except tk.NotAuthorized:
        return False
    return True


def _user(version: Version) -> model.User | None:
    return model.User.get(version.published_by) if version.published_by else None


def publisher(version: Version) -> str:
    """Name of the account that sent it."""
    user = _user(version)
    return user.display_name if user else ""


def is_by_program(version: Version) -> bool:
    """Whether that is the harvesters' account."""
    user = _user(version)
    extras: Mapping[str, Any] = (user.plugin_extras or {}) if user else {}
    return bool(extras.get("aizu"))


def compared(dataset: JSON, before: int, after: int, table: str) -> Comparison:
    """Compares a table of two versions.

    Args:
        dataset: of `dataset_of`.
        before: number of the version that counts as the earlier one.
        after: of the other.
        table: its name; "" for the first that the later version has.

    Raises:
        ckan.plugins.toolkit.ObjectNotFound: a version, or the table in both, is not there.
        ckan.plugins.toolkit.ValidationError: the files of a version are gone.
    """
    return comparison(dataset, one(dataset, before), one(dataset, after), table)


def comparison(dataset: JSON, old: Version, new: Version, table: str) -> Comparison:
    """Compares a table of two versions, of which the later one may still be held; as `compared`."""
    # Polars takes a while to load, and the portal's other pages do without it.
    from ckanext.aizu import plan
    from ckanext.aizu.diff import Table

    table = table or next(iter(tables(old, new)))
    if table not in tables(old, new):
        raise tk.ObjectNotFound(tk._("Neither version has a table of this name"))
    for version in (old, new):
        part = version.part(f"table:{table}")
        if part and (version.state == GONE or not blobs.is_kept(part["sha256"])):
            message = tk._("The files of version %i are not kept any more") % version.number
            raise tk.ValidationError({"version": [message]})
    nothing = Table(content=b"", fields=[])
    diff = plan.compared(
        table, plan.stored(old, table) or nothing, plan.stored(new, table) or nothing
    )
    return Comparison(dataset=dataset, before=old, after=new, table=table, diff=diff)


def tables(before: Version, after: Version) -> dict[str, JSON]:
    """The tables of two versions by name, those of the later one first."""
    return {item["name"]: item for item in [*after.resources, *before.resources]}


def aizu_version_totals(version: JSON) -> dict[str, int]:
    """Returns how many rows of all tables became what in a version."""
    kinds = ("added", "changed", "removed")
    return {kind: sum(one[kind] for one in version["changes"].values()) for kind in kinds}
