"""The page on which people withdraw by their code: it needs the vault's database alone, and no JavaScript."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from aizu_vault.ages import JST
from aizu_vault.answers import Refusal, note
from aizu_vault.events import Recorded
from aizu_vault.withdrawals import DataClass

STYLE: Final = "withdraw.css"
EVERYTHING: Final = "everything"
_LIKE_A_CODE: Final = re.compile(r"[0-9A-Za-z -]{1,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What the page is written in."""

    code: str

    def __call__(self, ja: str, en: str) -> str:
        """The one of two texts that is meant."""
        return en if self.code == "en" else ja

    def time(self, moment: datetime) -> str:
        """A time in Japan, to the second."""
        local = moment.astimezone(JST)
        ja = f"{local:%Y}年{local.month}月{local.day}日 {local:%H時%M分%S秒}"
        return self(ja, f"{local.day} {local:%B %Y}, {local:%H:%M:%S} (Japan time)")


def value_of(kind: DataClass) -> str:
    """What the button for a kind of data sends."""
    return f"data:{kind.code}"


def show_form(kinds: Sequence[DataClass]) -> Response:
    """The page as it is asked for, with what can be stopped alone."""
    return _page(kinds)


def show_refusal(
    kinds: Sequence[DataClass], refusal: Refusal, cause: BaseException | None = None
) -> Response:
    """The page once more, with what went wrong; what was typed stays, to be put right."""
    incident = note(refusal, cause)
    typed = _sent("code")
    code = typed if _LIKE_A_CODE.fullmatch(typed) else ""
    page = _page(kinds, refusal=refusal, incident=incident, typed=code)
    page.status_code = refusal.status
    return page


def show_done(recorded: Recorded, stopped: DataClass | None) -> Response:
    """That it is done: when, what, and where it stands in the log."""
    return _render("withdrawn.html", recorded=recorded, stopped=stopped)


def _page(kinds: Sequence[DataClass], **said: object) -> Response:
    return _render("withdraw.html", kinds=kinds, everything=EVERYTHING, value_of=value_of, **said)


def _sent(name: str) -> str:
    """A word of the form or the address; of the address alone where the form cannot be read."""
    try:
        return request.values.get(name, "")
    except (HTTPException, OSError):
        return request.args.get(name, "")


def _render(template: str, **said: object) -> Response:
    language = Language(code="en" if _sent("lang") == "en" else "ja")
    page = make_response(render_template(template, t=language, **said))
    page.headers["Content-Security-Policy"] = _policy(render_template(STYLE))
    return page


@cache
def _policy(style: str) -> str:
    """Nothing is loaded, and the form goes nowhere else."""
    known = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{known}'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
