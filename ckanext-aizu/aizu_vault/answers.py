"""What the service answers when it does not do what was asked: fixed words, and a number under which its log has more."""

import logging
import secrets
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final

from flask import Response, jsonify, request

log = logging.getLogger(__name__)

CLOSED: Final = {
    "Cache-Control": "no-store, private",
    "Vary": "Authorization, Cookie",
    "Referrer-Policy": "no-referrer",
}
"""Headers of every answer: nobody on the way keeps it, for nobody else."""


class Refusal(Enum):
    """Every no there is. Unknown and forbidden are the same one: nobody finds out what there is by asking."""

    MALFORMED = (
        HTTPStatus.BAD_REQUEST,
        "要求の形が正しくありません。説明書をご覧ください。",
        "The request is not as it should be; see the documentation.",
    )
    UNAUTHORISED = (
        HTTPStatus.UNAUTHORIZED,
        "有効なトークンがありません。ポータルで新しく受け取ってください。",
        "There is no valid token; get a new one from the portal.",
    )
    NOT_PERMITTED = (
        HTTPStatus.FORBIDDEN,
        "これは許可されていません。",
        "This is not permitted.",
    )
    NOT_FOUND = (HTTPStatus.NOT_FOUND, "ここには何もありません。", "There is nothing here.")
    METHOD = (
        HTTPStatus.METHOD_NOT_ALLOWED,
        "この方法では使えません。",
        "This cannot be used in this way.",
    )
    RUNNING = (
        HTTPStatus.CONFLICT,
        "同じ協定での提供がまだ続いています。終わってからお試しください。",
        "A release under this agreement is still running; try again when it has ended.",
    )
    TOO_LARGE = (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "要求が大きすぎます。",
        "The request is too large.",
    )
    UNKNOWN_CODE = (
        HTTPStatus.FORBIDDEN,
        "停止コードが違います。まだ停止していません。",
        "The code is not right. Nothing has been stopped yet.",
    )
    TOO_MANY_CODES = (
        HTTPStatus.TOO_MANY_REQUESTS,
        "違う停止コードが続いています。まだ停止していません。",
        "Too many codes were not right. Nothing has been stopped yet.",
    )
    BUDGET = (
        HTTPStatus.TOO_MANY_REQUESTS,
        "今日の上限に達しました。明日お試しください。",
        "Today's budget is spent; try again tomorrow.",
    )
    BUSY = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "込み合っています。少し待ってお試しください。",
        "The service is busy; try again soon.",
    )
    NOT_READY = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "利用記録が整うまで、提供を止めています。",
        "Nothing is released until the log is in order.",
    )
    UNAVAILABLE = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "いまは使えません。少し待ってお試しください。",
        "This does not work now; try again soon.",
    )
    NOT_WITHDRAWN = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "まだ停止していません。少し待って、もう一度お試しください。",
        "Nothing has been withdrawn yet. Wait a little and try again.",
    )
    FAILED = (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "処理できませんでした。番号を添えてお知らせください。",
        "This could not be done; please tell us the number.",
    )

    def __init__(self, status: HTTPStatus, ja: str, en: str) -> None:
        """Takes the status of the answer and its words."""
        self.status, self.ja, self.en = status, ja, en

    @property
    def code(self) -> str:
        """What programs tell them apart by."""
        return self.name.lower().replace("_", "-")


class RefusedRequestError(Exception):
    """Ends a request with one of the refusals."""

    def __init__(self, refusal: Refusal) -> None:
        """Takes which one."""
        super().__init__(refusal.code)
        self.refusal = refusal


def refuse(refusal: Refusal, cause: BaseException | None = None) -> Response:
    """The answer as JSON; the cause comes into the log, and nothing of what it says."""
    said = {"code": refusal.code, "ja": refusal.ja, "en": refusal.en}
    answer = jsonify(error={**said, "incident": note(refusal, cause)})
    answer.status_code = refusal.status
    if refusal is Refusal.UNAUTHORISED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def note(refusal: Refusal, cause: BaseException | None = None) -> str:
    """Writes a refusal into the log; the number by which people and log mean the same one."""
    incident = secrets.token_hex(4)
    known: Any = request.url_rule
    level = logging.ERROR if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    told = f"; {place_of(cause)}" if cause else ""
    log.log(level, "%s %s at %s%s", incident, refusal.code, known or "no route", told)
    return incident


def place_of(error: BaseException) -> str:
    """Kind and place of an error, and its reason if it names one of ours.

    Its message may hold what was sent, a row or a person.
    """
    frames = extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(one.filename).stem}:{one.lineno}" for one in reversed(frames[-4:]))
    reason = getattr(error, "reason", None)
    return f"{type(error).__name__}{f' ({reason})' if reason else ''} in {where}"
