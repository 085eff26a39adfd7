"""Calls the portal's actions; the only module that speaks to CKAN."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from harvesters.errors import (
    GateError,
    HarvestError,
    NotInCatalogueError,
    OutrunError,
    PortalRefusedError,
    PortalUnreachableError,
)
from harvesters.fetch import reason
from harvesters.settings import Settings, need_portal

TIMEOUT_S = (10, 300)
"""Loading a large table takes the portal a while; connecting does not."""
LONGEST_DETAIL = 500
USER_AGENT = "aizu-harvester/0.1"
OK = 200
AWAY = (502, 503, 504)
"""What is answered while the portal or its database starts again."""
Files = dict[str, tuple[str, bytes, str]]


def call(
    settings: Settings, action: str, data: Mapping[str, Any], files: Files | None = None
) -> dict[str, Any]:
    """One action of the portal; CKAN's and the network's errors become ours.

    By hand and not by ckanapi, which loads all of CKAN where CKAN is installed: a second of every run.
    """
    body: dict[str, Any] = {"data": data, "files": files} if files else {"json": data}
    return _result(_sent(settings, "POST", f"/api/3/action/{action}", **body))


def content(settings: Settings, address: str) -> bytes:
    """A file of the portal, from where this machine reaches it: its readers may use another address."""
    response = _sent(settings, "GET", urlsplit(address).path)
    if response.status_code != OK:
        raise _refused(
            "ファイルを受け取れません", "it does not hand out the file", _spoken(response)
        )
    return response.content


def _sent(settings: Settings, method: str, path: str, **body: Any) -> requests.Response:  # noqa: ANN401
    need_portal(settings)
    try:
        response = requests.request(
            method,
            f"{settings.portal_url}{path}",
            headers={"Authorization": settings.api_token, "User-Agent": USER_AGENT},
            timeout=TIMEOUT_S,
            allow_redirects=False,  # what is sent again after one has no body any more
            **body,
        )
    except requests.RequestException as error:
        raise _away(settings, reason(error)) from error
    if response.status_code in AWAY:
        raise _away(settings, _spoken(response))
    return response


def _away(settings: Settings, why: str) -> PortalUnreachableError:
    return PortalUnreachableError(
        f"ポータル {settings.portal_url} に接続できません（{why}）。起動しているか確かめてください。",
        f"no connection to the portal {settings.portal_url} ({why}); check that it is running",
    )


def _result(response: requests.Response) -> dict[str, Any]:
    """What the action has answered; its no by the kind that CKAN gives it."""
    try:
        told = response.json()
    except ValueError:
        told = None
    if isinstance(told, dict) and told.get("success") is True:
        result: dict[str, Any] = told["result"]
        return result
    error = told.get("error") if isinstance(told, dict) else None
    raise _error(response, error if isinstance(error, dict) else {})


def _error(response: requests.Response, error: dict[str, Any]) -> HarvestError:
    kind = error.get("__type")
    if kind == "Validation Error":
        if error.get("gate"):
            return _held(error)
        if outrun := error.get("fence"):
            return _outrun(outrun)
        return _refused("入力に誤りがあります", "it finds mistakes", error)
    if kind == "Authorization Error":
        return _refused(
            "このトークンには公開の権限がありません（AIZU_API_TOKEN）",
            "the token may not publish (AIZU_API_TOKEN)",
            "",
        )
    if kind == "Not Found Error":
        told = str(error.get("message", "")).partition(": ")[2] or error.get("message", "")
        return NotInCatalogueError(f"見つかりません: {told}", f"not found: {told}")
    return _refused("思いがけない応答です", "an unexpected answer", _spoken(response))


def fenced(number: int | None) -> dict[str, int]:
    """The number of a run, as the portal takes it."""
    return {} if number is None else {"fence": number}


def _spoken(response: requests.Response) -> str:
    """Status and message of an answer; of a web page, which only a browser can show, the status."""
    status = f"{response.status_code} {response.reason}"
    try:
        return f"{status} {json.dumps(response.json(), ensure_ascii=False)}"
    except ValueError:
        return status


def _held(told: dict[str, Any]) -> GateError:
    """All reasons of the gate, each a sentence or more, with what to do."""
    reasons = told["gate"]
    ja, en = ("".join(one["ja"] for one in reasons), " ".join(one["en"] for one in reasons))
    page = next(iter(told.get("held", [])), "")
    return GateError(f"公開を見合わせました。{ja}", f"Not published. {en}", page)


def _outrun(told: Any) -> PortalRefusedError:  # noqa: ANN401  whatever the portal says
    match told:
        case [{"highest": int(highest)}]:
            return OutrunError(
                f"この実行より新しい実行（{highest}）がすでにポータルに届いています。何も変更していません。",
                f"a newer run ({highest}) has been at the portal since; nothing was changed",
                highest,
            )
    return _refused("入力に誤りがあります", "it finds mistakes", {"fence": told})


def _refused(ja: str, en: str, detail: object) -> PortalRefusedError:
    """The portal's no, with as much of its reasons as fits on a screen."""
    if isinstance(detail, dict):
        detail = {key: value for key, value in detail.items() if key != "__type"}
        detail = json.dumps(detail, ensure_ascii=False)
    told = ": " + " ".join(str(detail).split())[:LONGEST_DETAIL] if detail else ""
    return PortalRefusedError(
        f"ポータルが受け付けませんでした。{ja}{told}", f"the portal refused; {en}{told}"
    )
