"""What goes to the portal, and what each of its answers becomes."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest

from harvesters import publish, report, settings, validate
from harvesters.checked import tell_status
from harvesters.errors import (
    ConfigurationError,
    GateError,
    InvalidTableError,
    NotInCatalogueError,
    PortalRefusedError,
    PortalUnreachableError,
    TruncatedError,
)
from harvesters.report import Finding

from .conftest import ROOT, as_csv, numbered, only, published, snapshot_of

RECORDINGS = ROOT / "tests" / "recordings"


def current(url, token="secret"):
    """Settings that know nothing of a portal on this machine."""
    return settings.read({"AIZU_VAR": "nowhere", "AIZU_PORTAL_URL": url, "AIZU_API_TOKEN": token})


@pytest.fixture
def send(portal, normalised, aizu):
    """Publishes a small list to the stand-in portal."""
    feed = aizu.feeds["hydrant"]

    def send_to(to=portal.url, token="secret", rows=({"備考": " x"},), **came):
        content = as_csv(rows)
        table = normalised(content)
        verdict = validate.validate(only(table), feed, aizu)
        snapshot = replace(snapshot_of(content, "消火栓.csv"), **came)
        told = report.complete(verdict.report, only(table))
        where = current(to, token)
        return publish.publish(where, aizu, feed, snapshot, only(table), verdict, told)

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
        "dataset", "organization", "resources", "layers", "source", "report",
        "limits", "expected_by", "table:hydrant", "geojson:hydrant", "original",
    }  # fmt: skip
    assert json.loads(parts["limits"]) == {"minimum": 1, "maximum": 3000}
    assert parts["original"] == as_csv([{"備考": " x"}])
    assert parts["table:hydrant"].startswith("\ufeff全国".encode())
    assert json.loads(parts["geojson:hydrant"])["type"] == "FeatureCollection"


def test_what_the_gate_holds_back_is_refused_by_the_data(portal, send):
    """All its reasons are said, and the exit code is that of a list that a person must look at."""
    gate = [{"table": "hydrant", "rule": "mass-deletion", "ja": "半分です。", "en": "Half of it."}]
    refused = {"gate": gate, "__type": "Validation Error"}
    portal.answers["aizu_publish"] = 409, {"success": False, "error": refused}
    with pytest.raises(GateError) as caught:
        send()
    assert caught.value.exit_code == 1
    assert "半分です。" in caught.value.words.ja
    assert "Half of it." in caught.value.words.en


def test_the_metadata_is_that_of_the_catalogue(portal, send):
    """Names, both languages, office, themes, extent, and that the data is simulated."""
    send()
    parts = {
        name: json.loads(portal.calls[0][2][name])
        for name in ("dataset", "organization", "resources", "source", "report")
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
    field = parts["resources"][0]["schema"]["fields"][12]
    assert (field["name"], field["type"], field["title_en"]) == ("緯度", "number", "Latitude")
    assert parts["source"]["encoding"] == "cp932"
    assert parts["source"]["filename"] == "消火栓.csv"


def test_an_excel_list_is_passed_on_as_what_it_is(portal, send):
    """The portal is told the suffix and the media type of the bytes, whatever the server says."""
    content = (RECORDINGS / "intake" / "shelters.xlsx").read_bytes()
    send(content=content, filename="download.php", media_type="text/html")
    parts = portal.calls[0][2]
    source = json.loads(parts["source"])
    assert parts["original"] == content
    assert source["filename"] == "download.xlsx"
    assert source["media_type"].endswith("spreadsheetml.sheet")


@pytest.mark.parametrize(
    ("url", "address", "source"),
    [
        ("https://city.example.jp/a.csv", "https://city.example.jp/a.csv", True),
        ("http://127.0.0.1:8790/a.csv", "http://127.0.0.1:8790/a.csv", False),
        ("", "file:%E6%B6%88%E7%81%AB%E6%A0%93.csv", False),
    ],
)
def test_the_source_is_an_address_that_readers_can_open(portal, send, url, address, source):
    """A file has none, and a simulated city's may have another port tomorrow."""
    send(url=url)
    parts = portal.calls[0][2]
    assert json.loads(parts["source"])["url"] == address
    assert json.loads(parts["dataset"])["source"] == ([url] if source else [])


def test_the_report_counts_repairs_however_many_there_are(portal, send):
    """By rule, in both languages; a form field of the portal takes 500,000 bytes and no more."""
    send(
        rows=[{"ID": str(number), "備考": " x "} for number in range(2971)] + [{"緯度": "３７．５"}]
    )
    sent = portal.calls[0][2]["report"]
    told = json.loads(sent)
    assert len(sent) < 10_000
    assert set(told["aizu"]) == {"rows", "repairs", "notes"}
    assert told["aizu"]["repairs"] == [
        {
            "rule": "spaces",
            "count": 2971,
            "message": "値の前後の空白を除きました: 2,971 か所",
            "message_en": "Spaces at the ends removed: 2,971 values",
        },
        {
            "rule": "half-width",
            "count": 1,
            "message": "全角の数字を半角に直しました: 1 か所",
            "message_en": "Full-width digits made half-width: 1 value",
        },
    ]


def test_the_report_is_sent_with_a_hundred_errors_at_most(normalised, aizu):
    """The rest is in report.json on disk."""
    table = normalised(as_csv(numbered(300, 種別="")))
    verdict = validate.validate(only(table), aizu.feeds["hydrant"], aizu)
    told = report.short(verdict.report, only(table))
    assert len(verdict.report["tasks"][0]["errors"]) == 300
    assert len(told["tasks"][0]["errors"]) == 100


@pytest.mark.parametrize("status", [200, 413, 500])
def test_a_web_page_from_the_portal_is_told_by_its_status(portal, send, status):
    """One line, and nothing of the page."""
    portal.answers["aizu_publish"] = status, b"<!DOCTYPE html><html><title>Oh no</title>\n</html>"
    with pytest.raises(PortalRefusedError) as caught:
        send()
    for said in caught.value.words:
        assert str(status) in said
        assert "\n" not in said
        assert "<" not in said


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
        (500, {"message": "oh no"}, PortalRefusedError, "500"),
        (502, {"message": "bad gateway"}, PortalUnreachableError, "502"),
        (503, "away", PortalUnreachableError, "503"),
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
        send(to="http://127.0.0.1:9")


@pytest.mark.parametrize(("url", "token"), [("", "secret"), (None, "")])
def test_a_missing_setting_is_named(portal, send, url, token):
    """Which one, and where it is written."""
    with pytest.raises(ConfigurationError, match=r"harvest\.env"):
        send(to=portal.url if url is None else url, token=token)


def test_the_page_is_told_how_the_last_run_ended(portal, aizu):
    """State, reason in both languages, whose fault, when, and when the next check is overdue."""
    error = TruncatedError("切れました", "broke off")
    hydrant = aizu.feeds["hydrant"]
    tell_status(current(portal.url), aizu, hydrant, "failed", error.words, error)
    ((action, _, told),) = portal.calls
    assert action == "aizu_harvest_status"
    assert told.pop("checked_at").endswith("+00:00")
    assert told.pop("expected_by") == hydrant.expected_by(datetime.now(UTC))
    assert told == {
        "name": "aizuwakamatsu-hydrant",
        "state": "failed",
        "cause": "source",
        "message": "切れました",
        "message_en": "broke off",
        "findings": "[]",
    }


def test_the_portal_learns_which_cells_are_wrong(portal, aizu):
    """Row, column and value of the city's own list, and what to do in both languages."""
    finding = Finding(row=12, column="緯度", value="x", rule="type", expected="number")
    error = InvalidTableError("誤り", "wrong", {"aizu": {"findings": [asdict(finding)]}})
    tell_status(current(portal.url), aizu, aizu.feeds["hydrant"], "failed", error.words, error)
    ((_, _, told),) = portal.calls
    (cell,) = json.loads(told["findings"])
    assert (cell["row"], cell["column"], cell["value"]) == ("12", "緯度", "x")
    assert told["cause"] == "data"
    assert "数" in cell["message"] and "number" in cell["message_en"]
