"""The vault over HTTP: releases for recipients, withdrawals and proofs for citizens, the signed log for everybody."""

import csv
import io
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import psycopg
from flask import Flask, Response, g, jsonify, make_response, request
from psycopg import Connection
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from aizu_vault import withdrawal_page as page
from aizu_vault.answers import CLOSED, Refusal, RefusedRequestError, refuse
from aizu_vault.bodies import LARGEST, are_words, read_any_json, read_json, receive
from aizu_vault.key_files import KeysError
from aizu_vault.log.bundles import make_bundle
from aizu_vault.log.entries import as_text
from aizu_vault.log.errors import NotReadyError
from aizu_vault.log.heads import check_ready, daily_heads, newest_head
from aizu_vault.refusals import BudgetError, BusyError, RefusedError, WishError
from aizu_vault.release import STALLED_SECONDS, Release
from aizu_vault.restored import check_whole
from aizu_vault.settings import UnreachableError, Vault, VaultError
from aizu_vault.streams import Places, Stream
from aizu_vault.subjects import subject_of_login
from aizu_vault.tokens import TokenError, user_of
from aizu_vault.trees import Tree
from aizu_vault.upkeep import Upkeep
from aizu_vault.wishes import OwnWish, Wish, own_wish_of, wish_of
from aizu_vault.withdrawals import DataClass, ScopeError, data_classes, person_of_code, withdraw_now
from aizu_vault.wrong_codes import WrongCodes

SECONDS: Final = 60
"""How long a whole answer may take to send, beside a release."""
_WITHDRAWAL: Final = "/deep/withdraw"
_REFUSALS: Final = (
    (TokenError, Refusal.UNAUTHORISED),
    (ScopeError, Refusal.MALFORMED),
    (WishError, Refusal.MALFORMED),
    (RefusedError, Refusal.NOT_PERMITTED),
    (BusyError, Refusal.RUNNING),
    (BudgetError, Refusal.BUDGET),
    (NotReadyError, Refusal.NOT_READY),
    (UnreachableError, Refusal.UNAVAILABLE),
    (psycopg.OperationalError, Refusal.UNAVAILABLE),
    (RequestEntityTooLarge, Refusal.TOO_LARGE),
    (NotFound, Refusal.NOT_FOUND),
    (MethodNotAllowed, Refusal.METHOD),
    (HTTPException, Refusal.MALFORMED),
)
"""The first that an error is decides; what is not here is a fault of the service."""

Method = Literal["GET", "POST"]


def application() -> Flask:
    """The service of the vault that AIZU_VAULT names, as gunicorn starts it."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aizu_vault").setLevel(logging.INFO)
    vault = Vault.open()
    Upkeep(vault).start()
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST + 1, PROVIDE_AUTOMATIC_OPTIONS=False)
    # nginx in front says who asks.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)  # type: ignore[method-assign]
    # An address that is not quite right leads nowhere; being led on would repeat it, to whatever host was named.
    app.url_map.merge_slashes = False
    service = Service(folder=vault.places.folder)
    for path, method, answer in service.routes():
        app.add_url_rule(path, answer.__name__, answer, methods=[method])
    app.before_request(_limit_time)
    app.before_request(receive)
    app.after_request(_close)
    app.register_error_handler(Exception, service.refuse)
    return app


@dataclass(frozen=True, kw_only=True)
class Service:
    """What answers; nothing is kept between requests but wrong codes, and releases that run."""

    folder: Path
    wrong_codes: WrongCodes = field(default_factory=WrongCodes)
    places: Places = field(default_factory=Places)

    @property
    def vault(self) -> Vault:
        """Opened anew for each request: its keys may have been renewed."""
        if "vault" not in g:
            g.vault = Vault.open(self.folder)
        opened: Vault = g.vault
        return opened

    def routes(self) -> Iterable[tuple[str, Method, Callable[[], Response]]]:
        """Each way in."""
        return (
            ("/deep/release", "POST", self.release),
            ("/deep/own", "POST", self.own),
            (_WITHDRAWAL, "GET", self.form),
            (_WITHDRAWAL, "POST", self.withdraw),
            ("/deep/log/bundle", "POST", self.bundle),
            ("/deep/log/head", "GET", self.head),
            ("/deep/log/heads.csv", "GET", self.heads),
            ("/deep/log/key", "GET", self.key),
            ("/deep/health", "GET", self.health),
        )

    def release(self) -> Response:
        """Rows under an agreement, as they are decided."""
        said = read_any_json()
        with self.vault.connect("deep_release") as connection:
            user = self._user_of_token(connection)
        wish = wish_of(said)
        return self._stream(user, wish, f"{user} {wish.agreement}")

    def own(self) -> Response:
        """The rows about whoever asks."""
        said = read_any_json()
        with self.vault.connect("deep_consent") as connection:
            user = self._user_of_token(connection)
            subject = self._person_of_login(connection, user)
        return self._stream(str(subject), own_wish_of(said), user)

    def form(self) -> Response:
        """The page for withdrawing."""
        return page.show_form(self._kinds())

    def withdraw(self) -> Response:
        """Withdraws, by the form of the page or as JSON with a code or a token."""
        if request.mimetype == "application/x-www-form-urlencoded":
            return self._withdraw_by_form()
        said = read_json("code", "scope")
        with self.vault.connect("deep_consent") as connection:
            subject = self._who_withdraws(connection, said.get("code"))
            nodes = said.get("scope", {})
            if not are_words(nodes, *Tree):
                raise RefusedRequestError(Refusal.MALFORMED)
            scope, recorded = withdraw_now(connection, self.vault, subject, nodes)
        said = {name: getattr(scope, name) for name in (*Tree, "version")}
        at = as_text(recorded.recorded_at)
        return jsonify(withdrawn=said, recorded_at=at, entry=recorded.leaf_index)

    def bundle(self) -> Response:
        """All entries about whoever asks, with proofs."""
        since = read_json("since").get("since")
        if since is not None and (type(since) is not int or since < 0):
            raise RefusedRequestError(Refusal.MALFORMED)
        with self.vault.connect("deep_consent") as connection:
            user = self._user_of_token(connection)
            subject = self._person_of_login(connection, user)
        key = self.vault.keys.read([subject]).get(subject)
        if key is None:
            raise RefusedRequestError(Refusal.NOT_PERMITTED)
        with self.places.held(user), self.vault.connect("deep_audit") as connection:
            return jsonify(
                make_bundle(connection, self.vault.signer, subject, key.log, since=since)
            )

    def head(self) -> Response:
        """The newest signed head of the log, for everybody."""
        with self.vault.connect("deep_audit") as connection:
            newest = newest_head(connection, self.vault.signer.trusted)
        if newest is None:
            raise RefusedRequestError(Refusal.NOT_READY)
        return _text(newest.note, "text/plain")

    def heads(self) -> Response:
        """The first signed head of each day, for everybody."""
        with self.vault.connect("deep_audit") as connection:
            found = daily_heads(connection, self.vault.signer.trusted)
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(("day", "tree_size", "root", "signed_at", "note"))
        for day, head in found:
            size, root = head.checkpoint.size, head.checkpoint.root.hex()
            writer.writerow((day, size, root, as_text(head.signed_at), head.note))
        return _text(table.getvalue(), "text/csv")

    def key(self) -> Response:
        """The log's public key, as `verify_log.py` takes it; whoever relies on it has it from elsewhere, too."""
        return _text(f"{self.vault.signer.trusted}\n", "text/plain")

    def health(self) -> Response:
        """Whether withdrawals and releases work."""
        with self.vault.connect("deep_consent") as connection:
            check_ready(connection)
            check_whole(self.vault, connection)
        return jsonify(status="ok")

    def refuse(self, error: Exception) -> Response:
        """What whoever asked is told of an error; withdrawals are told that they are none."""
        refusal = _refusal_of(error)
        is_withdrawal = (request.path, request.method) == (_WITHDRAWAL, "POST")
        if is_withdrawal and refusal.status >= 500:
            refusal = Refusal.NOT_WITHDRAWN
        cause = None if isinstance(error, RefusedRequestError | HTTPException) else error
        if is_withdrawal and request.mimetype == "application/x-www-form-urlencoded":
            return page.show_refusal(self._kinds(), refusal, cause)
        return refuse(refusal, cause)

    def _kinds(self) -> list[DataClass]:
        """What can be stopped alone; nothing where the vault does not answer, for the page says more than that."""
        missing = suppress(VaultError, KeysError, psycopg.Error)
        with missing, self.vault.connect("deep_consent") as connection:
            return data_classes(connection)
        return []

    def _stream(self, user: str, wish: Wish | OwnWish, holder: str) -> Response:
        self.places.take(holder)
        leave = partial(self.places.leave, holder)
        try:
            release = Release.begin(self.vault, user, wish)
        except BaseException:
            leave()
            raise
        connection = request.environ["gunicorn.socket"]
        connection.settimeout(STALLED_SECONDS)
        answer = Response(Stream(release, leave, connection))
        answer.headers["Content-Type"] = release.media_type
        answer.headers["Aizu-Release"] = str(release.release_id)
        return answer

    def _withdraw_by_form(self) -> Response:
        what = request.form.get("what", page.EVERYTHING)
        with self.vault.connect("deep_consent") as connection:
            subject = self._person_of_code(connection, request.form.get("code", ""))
            kinds = {page.value_of(kind): kind for kind in data_classes(connection)}
            if what not in (page.EVERYTHING, *kinds):
                raise RefusedRequestError(Refusal.MALFORMED)
            stopped = kinds.get(what)
            nodes = {"data": stopped.code} if stopped else {}
            _, recorded = withdraw_now(connection, self.vault, subject, nodes)
        return page.show_done(recorded, stopped)

    def _who_withdraws(self, connection: Connection[Any], code: object) -> UUID:
        """By a token or by a code, and not by both."""
        if (code is None) is (request.authorization is None):
            raise RefusedRequestError(Refusal.UNAUTHORISED if code is None else Refusal.MALFORMED)
        if code is None:
            return self._person_of_login(connection, self._user_of_token(connection))
        if not isinstance(code, str):
            raise RefusedRequestError(Refusal.MALFORMED)
        return self._person_of_code(connection, code)

    def _person_of_code(self, connection: Connection[Any], code: str) -> UUID:
        subject = person_of_code(connection, code)
        if subject is None:
            too_many = self.wrong_codes.count(request.remote_addr or "")
            raise RefusedRequestError(Refusal.TOO_MANY_CODES if too_many else Refusal.UNKNOWN_CODE)
        return subject

    def _person_of_login(self, connection: Connection[Any], user: str) -> UUID:
        link = subject_of_login(connection, user)
        if link is None:
            raise RefusedRequestError(Refusal.NOT_PERMITTED)
        return link.subject_id

    def _user_of_token(self, connection: Connection[Any]) -> str:
        sent = request.authorization
        if sent is None or sent.type != "bearer" or not sent.token:
            raise RefusedRequestError(Refusal.UNAUTHORISED)
        return user_of(connection, self.vault.token_key, sent.token)


def _refusal_of(error: Exception) -> Refusal:
    if isinstance(error, RefusedRequestError):
        return error.refusal
    return next((refusal for kind, refusal in _REFUSALS if isinstance(error, kind)), Refusal.FAILED)


def _text(said: str, kind: str) -> Response:
    answer = make_response(said)
    answer.mimetype = kind
    return answer


def _limit_time() -> None:
    """Nobody holds a thread by reading or sending slowly."""
    request.environ["gunicorn.socket"].settimeout(SECONDS)


def _close(answer: Response) -> Response:
    answer.headers.update(CLOSED)
    return answer
