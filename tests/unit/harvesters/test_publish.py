"""What goes to the portal, and what each of its answers becomes."""

import json

import pytest

from harvesters import publish, report, settings, validate
from harvesters.errors import (
    ConfigurationError,
    NotInCatalogueError,
    PortalRefusedError,
    PortalUnreachableError,
)
from harvesters.words import Words

from .conftest import as_csv, published, snapshot_of


def current(url, token="secret"):
    """Settings that know nothing of a portal on this machine."""
    return settings.read({"AIZU_VAR": "nowhere", "AIZU_PORTAL_URL": url, "AIZU_API_TOKEN": token})


@pytest.fixture
def send(portal, normalised, aizu):
    """Publishes a small list to the stand-in portal."""
    feed = aizu.feeds["hydrant"]

    def send_to(url=portal.url, token="secret"):
        content = as_csv([{"備考": " x"}])
        table = normalised(content)
        verdict = validate.validate(table, feed, aizu)
        snapshot = snapshot_of(content, "消火栓.csv")
        told = report.complete(verdict.report, table)
        where = current(url, token)
        return publish.publish(where, aizu, feed, snapshot, table, verdict, told)

    return send_to


def error(kind, **details):
    """An error as CKAN answers it."""
    return {"success": False, "error": {"__type": kind} | details}


def test_everything_goes_in_one_request(portal, send):
    """Metadata, schema, report, clean table, map layer and the untouched original."""
    assert send() == publish.Published(
        name="aizuwakamatsu-hydrant", id="1", rows=1486, changed=True
    )
    ((action, headers, parts),) = portal.calls
    assert action == "aizu_publish"
    assert headers["Authorization"] == "secret"
    assert set(parts) == {
        "dataset", "organization", "schema", "source", "report", "table", "geojson", "original"
    }  # fmt: skip
    assert parts["original"] == as_csv([{"備考": " x"}])
    assert parts["table"].startswith("\ufeff全国".encode())
    assert json.loads(parts["geojson"])["type"] == "FeatureCollection"


def test_the_metadata_is_that_of_the_catalogue(portal, send):
    """Names, both languages, office, themes, extent, and that the data is simulated."""
    send()
    parts = {
        name: json.loads(portal.calls[0][2][name])
        for name in ("dataset", "organization", "schema", "source", "report")
    }
    dataset = parts["dataset"]
    assert dataset["name"] == "aizuwakamatsu-hydrant"
    assert dataset["title"] == "会津若松市 消防水利施設一覧"
    assert dataset["title_en"] == "Fire hydrants and water sources of Aizuwakamatsu"
    assert dataset["owner_org"] == parts["organization"]["name"] == "aizuwakamatsu-kikikanri"
    assert dataset["groups"] == [{"name": "safety"}]
    assert dataset["simulated"] is True
    assert dataset["key"] == ["ID"]
    assert json.loads(dataset["spatial_coverage"][0]["bbox"])["type"] == "Polygon"
    assert "119" in dataset["warnings"]
    assert "119" in dataset["warnings_en"]
    field = parts["schema"]["fields"][12]
    assert (field["name"], field["type"], field["title_en"]) == ("緯度", "number", "Latitude")
    assert parts["source"]["encoding"] == "cp932"
    assert parts["source"]["filename"] == "消火栓.csv"
    assert parts["report"]["aizu"]["repairs"][0]["rule"] == "spaces"


def test_unchanged_is_said(portal, send):
    """The portal compares, and its word counts."""
    portal.answers["aizu_publish"] = 200, {"success": True, "result": published(changed=False)}
    assert send().changed is False


@pytest.mark.parametrize(
    ("status", "answer", "kind", "said"),
    [
        (409, error("Validation Error", title=["missing"]), PortalRefusedError, "missing"),
        (403, error("Authorization Error"), PortalRefusedError, "AIZU_API_TOKEN"),
        (404, error("Not Found Error", message="Not found: x"), NotInCatalogueError, "x"),
        (400, "Bad request - Action name not known", PortalRefusedError, "Action name not known"),
        (502, {"message": "bad gateway"}, PortalRefusedError, "502"),
    ],
)
def test_a_no_of_the_portal_says_why(portal, send, status, answer, kind, said):
    """Field and reason, token, missing action, or an answer that is none of CKAN's."""
    portal.answers["aizu_publish"] = status, answer
    with pytest.raises(kind) as caught:
        send()
    assert said in caught.value.words.ja
    assert said in caught.value.words.en
    assert caught.value.exit_code == 4


def test_a_silent_portal_is_said_with_its_address(send):
    """Nothing listens there."""
    with pytest.raises(PortalUnreachableError, match="127.0.0.1:9"):
        send(url="http://127.0.0.1:9")


@pytest.mark.parametrize(("url", "token"), [("", "secret"), (None, "")])
def test_a_missing_setting_is_named(portal, send, url, token):
    """Which one, and where it is written."""
    with pytest.raises(ConfigurationError, match=r"harvest\.env"):
        send(url=portal.url if url is None else url, token=token)


def test_the_page_is_told_how_the_last_run_ended(portal, aizu):
    """State, reason in both languages, and when."""
    message = Words("切れました", "broke off")
    publish.tell_status(current(portal.url), aizu, aizu.feeds["hydrant"], "failed", message)
    ((action, _, told),) = portal.calls
    assert action == "aizu_harvest_status"
    assert told.pop("checked_at").endswith("+00:00")
    assert told == {
        "name": "aizuwakamatsu-hydrant",
        "state": "failed",
        "message": "切れました",
        "message_en": "broke off",
    }
