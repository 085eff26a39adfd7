"""The report of a published version, at a terminal."""

import json

from .conftest import harvest_env


def test_the_report_of_a_version_is_read_from_the_portal(portal, tmp_path):
    """On a machine that has never seen the source; a version that is not there is said."""
    here = {"AIZU_VAR": str(tmp_path), **addresses(portal)}
    told = portal.aizu("report", "bus", "--version", "1", **here)
    assert told.returncode == 0, told.stderr
    assert "第 1 版" in told.stdout
    assert "問題ありません" in told.stdout
    report = json.loads(portal.aizu("report", "bus", "--version", "1", "--json", **here).stdout)
    version = portal.api().action.aizu_version_show(name="aizuwakamatsu-bus", number=1)
    assert report["valid"]
    assert report["aizu"]["rows"] == sum(version["rows"].values())
    assert portal.aizu("report", "bus", "--version", "999", **here).returncode == 4


def test_the_report_of_a_private_dataset_needs_no_more_than_the_token(portal, tmp_path):
    """Its files are for those who may see it, the harvesters among them."""
    patch = portal.api(portal.token).action.package_patch
    here = {"AIZU_VAR": str(tmp_path), **addresses(portal)}
    patch(id="aizuwakamatsu-library", private=True)
    try:
        told = portal.aizu("report", "library", "--version", "1", **here)
    finally:
        patch(id="aizuwakamatsu-library", private=False)
    assert told.returncode == 0, told.stderr
    assert "第 1 版" in told.stdout


def addresses(portal):
    """What a machine needs to know."""
    known = harvest_env(portal.var)
    return {name: known[name] for name in ("AIZU_PORTAL_URL", "AIZU_API_TOKEN", "AIZU_CITY_URL")}
