"""Pages for those who look after the data: the sources of their datasets, their last runs, run now, pause, resume."""

from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from flask import Blueprint, current_app, request
from werkzeug.exceptions import Forbidden, NotFound

blueprint = Blueprint("aizu_stewards", __name__)
KEPT_RUNS = 100
UNDER_WAY = ("running", "queued", "wanted")


@blueprint.errorhandler(tk.ObjectNotFound)
def not_found(error: Exception) -> Any:
    """No source of this name."""
    return current_app.handle_http_exception(NotFound(str(error)))


@blueprint.errorhandler(tk.NotAuthorized)
def forbidden(error: Exception) -> Any:
    """Strangers are asked who they are; others learn that the page is not for them."""
    if tk.current_user.is_anonymous:
        return tk.redirect_to("user.login", came_from=request.full_path.rstrip("?"))
    return current_app.handle_http_exception(Forbidden(str(error)))


def _context() -> Context:
    return {"user": tk.current_user.name, "auth_user_obj": tk.current_user}


@blueprint.route("/aizu/stewards")
def index() -> str:
    """All sources; first those that somebody must look at."""
    found = tk.get_action("aizu_sources")(_context(), {})
    return tk.render("aizu/stewards.html", {**found, **_moment(found)})


@blueprint.route("/aizu/stewards/<name>")
def read(name: str) -> str:
    """One source, its last runs and the cells that were wrong."""
    found = tk.get_action("aizu_sources")(_context(), {"name": name, "runs": KEPT_RUNS})
    variables = {**found, "source": found["sources"][0], **_moment(found)}
    return tk.render("aizu/steward_source.html", variables)


@blueprint.route("/aizu/stewards/<name>", methods=["POST"])
def wish(name: str) -> Any:
    """A button was pressed; what is said of it stands above the page it was on."""
    asked = {"name": name, "wish": request.form.get("wish"), "reason": request.form.get("reason")}
    try:
        tk.get_action("aizu_source_wish")(_context(), asked)
    except tk.ValidationError as error:
        tk.h.flash_error(" ".join(str(told) for told in error.error_summary.values()))
    else:
        tk.h.flash_success(_done(str(asked["wish"])))
    if request.form.get("from") == "list":
        return tk.redirect_to("aizu_stewards.index")
    return tk.redirect_to("aizu_stewards.read", name=name)


def _moment(found: dict[str, Any]) -> dict[str, Any]:
    """How old the page is, and whether it will be another one in a few seconds."""
    under_way = any(source["now"] in UNDER_WAY for source in found["sources"])
    return {"as_of": datetime.now(UTC), "under_way": under_way}


def _done(wish: str) -> str:
    return str(
        {
            "run": tk._("It will run in a moment; this page shows how it goes."),
            "pause": tk._("Paused. No run begins until it is resumed."),
            "resume": tk._("Resumed. What was missed is run once."),
        }[wish]
    )
