"""Says 503, come again, and not 500, while a database is away: nothing is wrong with what was asked."""

import logging
from collections.abc import Iterable
from typing import Any

from ckan import model
from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]

log = logging.getLogger(__name__)


class HonestInOutages:
    """The portal as WSGI, whose failures while a database is away are no faults of its own."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers as the portal does, but for 500."""

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            if status.startswith("500") and database_is_away():
                return start_response("503 Service Unavailable", HEADERS, exc_info)
            return start_response(status, headers, exc_info)

        try:
            answer: Iterable[bytes] = self.app(environ, start)
        except SQLAlchemyError:
            # Even the page that tells of an error asks the database.
            if not database_is_away():
                raise
            log.exception("A database is away")
            start_response("503 Service Unavailable", HEADERS)
            return [b"The database is away; please come again.\n"]
        return answer


def database_is_away() -> bool:
    """Whether the catalogue's or the DataStore's database does not answer."""
    try:
        for engine in (model.Session.get_bind().engine, get_write_engine(), get_read_engine()):
            # A connection that waited in the pool does not know yet.
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return True
    return False
