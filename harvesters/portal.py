"""Calls the portal's actions; the only module that speaks to CKAN."""

import json
from collections.abc import Mapping
from typing import Any

import requests

from harvesters.errors import (
    GateError,
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
Files = dict[str, tuple[str, bytes, str]]


def call(
    settings: Settings, action: str, data: Mapping[str, Any], files: Files | None = None
) -> dict[str, Any]:
    """One action of the portal; CKAN's and the network's errors become ours."""
    need_portal(settings)
    import ckanapi  # not above: where CKAN is installed this loads all of it, which takes seconds

    answers: list[requests.Response] = []
    session = requests.Session()
    session.hooks["response"].append(lambda response, **_: answers.append(response))
    portal = ckanapi.RemoteCKAN(
        settings.portal_url,
        apikey=settings.api_token,
        user_agent="aizu-harvester/0.1",
        session=session,
    )
    try:
        answer: dict[str, Any] = portal.call_action(
            action, data, files=files, requests_kwargs={"timeout": TIMEOUT_S}
        )
    except ckanapi.ValidationError as error:
        told = error.error_dict or {}
        if told.get("gate"):
            raise _held(told) from error
        if outrun := told.get("fence"):
            raise _outrun(outrun) from error
        raise _refused("入力に誤りがあります", "it finds mistakes", error.error_dict) from error
    except ckanapi.NotAuthorized as error:
        raise _refused(
            "このトークンには公開の権限がありません（AIZU_API_TOKEN）",
            "the token may not publish (AIZU_API_TOKEN)",
            "",
        ) from error
    except ckanapi.NotFound as error:
        raise NotInCatalogueError(f"見つかりません: {error}", f"not found: {error}") from error
    except (ckanapi.CKANAPIError, ckanapi.ServerIncompatibleError) as error:
        told = _spoken(answers[-1])
        raise _refused("思いがけない応答です", "an unexpected answer", told) from error
    except requests.RequestException as error:
        raise PortalUnreachableError(
            f"ポータル {settings.portal_url} に接続できません（{reason(error)}）。"
            "起動しているか確かめてください。",
            f"no connection to the portal {settings.portal_url} ({reason(error)}); "
            "check that it is running",
        ) from error
    finally:
        portal.close()
    return answer


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
