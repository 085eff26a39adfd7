"""What stewards ask about the sources of their datasets, and want to be done with them."""

from typing import Any

import ckan.plugins.toolkit as tk
import redis
from ckan import model
from ckan.types import Context

from ckanext.aizu import harvests, sources
from ckanext.aizu.harvests import Harvest, Harvests
from ckanext.aizu.logic import schema

__all__ = ["aizu_source_wish", "aizu_sources"]


@tk.side_effect_free
@tk.validate_action_data(schema.sources)
def aizu_sources(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Lists the sources of the datasets that you may change: how they stand and their last runs.

    :param name: optional, a dataset; only its source is told, with the cells that were wrong
    :param runs: optional, how many of the last runs of each (1; 100 at most)
    :returns: `journal` (whether the portal's Redis answers), `scheduler` (whether one runs) and
        `sources`: `name`, `id`, `title`, `title_en`, `organization`, `published`, `state` (`fresh`,
        `failed`, `held`, `late`, `unchecked`), `message`, `message_en` (why it is not well),
        `check` (as in aizu_harvest_status), `held`; and of those that are harvested on a schedule
        `source`, `now`, `until`, `next_run`, `schedule`, `run`, `paused`, `wanted`, `runs`
    """
    tk.check_access("aizu_sources", context, data_dict)
    package, name = _asked(data_dict.get("name", ""))
    known = harvests.read(data_dict["runs"], name)
    if name and not package and name not in known.by_dataset:
        raise tk.ObjectNotFound(tk._("No source is known of %s") % name)
    return {
        "journal": known.answered,
        "scheduler": known.scheduler,
        "sources": [sources.one(package, name, known)] if name else sources.listed(context, known),
    }


@tk.validate_action_data(schema.source_wish)
def aizu_source_wish(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Has a source run now, stops it, or lets it run again; the scheduler hears of it within seconds.

    :param name: a dataset
    :param wish: `run`, `pause` or `resume`
    :param reason: why it is stopped; every steward sees it
    :returns: the source, as in aizu_sources
    """
    tk.check_access("aizu_source_wish", context, data_dict)
    package, name = _asked(data_dict["name"])
    try:
        known = harvests.read(1, name)
        _do(_harvest(known, name), known.scheduler, data_dict, _who(context))
    except redis.RedisError as error:
        raise tk.ValidationError({"wish": [_silent()]}) from error
    return sources.one(package, name, harvests.read(1, name))


def _asked(name_or_id: str) -> tuple[model.Package | None, str]:
    """The dataset, if there is one, and its name."""
    package = model.Package.get(name_or_id) if name_or_id else None
    return package, package.name if package else name_or_id


def _harvest(known: Harvests, name: str) -> Harvest:
    if not known.answered:
        raise tk.ValidationError({"wish": [_silent()]})
    if name not in known.by_dataset:
        message = tk._("%s is not harvested on a schedule")
        raise tk.ValidationError({"name": [message % name]})
    return known.by_dataset[name]


def _do(harvest: Harvest, scheduler: bool, asked: dict[str, Any], who: str) -> None:
    wish, reason = asked["wish"], asked["reason"]
    if wish == "resume":
        harvests.resume(harvest.key)
    elif wish == "pause":
        if not reason:
            raise tk.ValidationError({"reason": [tk._("Please say why; every steward sees it.")]})
        harvests.pause(harvest.key, who, reason)
    elif harvest.paused:
        raise tk.ValidationError({"wish": [tk._("The source is paused: resume it first")]})
    elif harvests.now(harvest, scheduler) == "unplanned":
        message = tk._("Not scheduled: the city file has no address for it")
        raise tk.ValidationError({"wish": [message]})
    else:
        harvests.run_now(harvest.key, who)


def _silent() -> str:
    return str(tk._("The portal's Redis does not answer: nothing was changed"))


def _who(context: Context) -> str:
    user = model.User.get(context.get("user") or "")
    return user.display_name if user else ""
