"""Files that somebody uploads by hand."""

import time

import pytest
from ckanapi import RemoteCKAN


@pytest.mark.parametrize(
    ("file", "content", "policy"),
    [
        ("x.html", "<script>alert(1)</script>", "sandbox"),
        ("x.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "sandbox"),
        ("x.csv", "a,b\r\n1,2\r\n", None),
    ],
)
def test_scripts_in_uploads_do_not_run(portal, tmp_path, file, content, policy):
    """What somebody uploads is saved, not opened; a page or drawing may run no script even then."""
    (tmp_path / file).write_text(content)
    steward = RemoteCKAN(portal.url, apikey=portal.token, user_agent="aizu tests")
    dataset = steward.action.package_create(
        name=f"test-{time.time_ns()}",
        title="試験",
        notes="試験",
        license_id="cc-by",
        owner_org="aizuwakamatsu-kikikanri",
    )
    try:
        with (tmp_path / file).open("rb") as upload:
            resource = steward.action.resource_create(
                package_id=dataset["id"], name="試験", upload=upload
            )
        for language in ("", "/en"):
            path = resource["url"].replace(portal.url, language)
            answer = portal.get(path)
            assert answer.text == content
            assert answer.headers.get("Content-Security-Policy") == policy
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    finally:
        steward.action.package_delete(id=dataset["id"])
    assert "Content-Security-Policy" not in portal.get("/").headers
