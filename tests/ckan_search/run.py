"""Runs CKAN's own tests of search, as they are installed, against the embedded engine.

selected.txt says which; not_applicable.txt which of them cannot pass without a Solr server, and why.
"""

import os
import sys
from pathlib import Path

import ckan
import pytest
from faker import Faker

HERE = Path(__file__).parent
INSTALLED = Path(ckan.__file__).parents[1]


def lines(name):
    """The lines of a list beside this file, without its comments."""
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class Verdict:
    """Counts a test as passed, failed or not applicable, and as nothing else."""

    def __init__(self):
        self.not_applicable = dict(line.split(": ", 1) for line in lines("not_applicable.txt"))

    def pytest_sessionstart(self):
        """Every run gets the same titles.

        CKAN's factories draw them from a list of English words, and a few tests rely on words of
        that list not coming up: test_overall expects no title with `peace`.
        """
        Faker.seed(0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        """What is not applicable must exist, and must not pass."""
        found = {item.nodeid: item for item in items}
        if unknown := self.not_applicable.keys() - found.keys():
            raise pytest.UsageError(f"not_applicable.txt: no such test: {', '.join(unknown)}")
        for name, reason in self.not_applicable.items():
            found[name].add_marker(pytest.mark.xfail(reason=reason, strict=True))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        """A test that skips itself has not passed."""
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter):
        """Three numbers and the reasons, below everything else."""
        yield
        count = {outcome: len(reports) for outcome, reports in terminalreporter.stats.items()}
        failed = count.get("failed", 0) + count.get("error", 0)
        terminalreporter.section("CKAN's own tests of search, against the embedded engine")
        for report in terminalreporter.stats.get("xfailed", []):
            terminalreporter.write_line(f"not applicable: {report.nodeid}: {report.wasxfail}")
        terminalreporter.write_line(
            f"{count.get('passed', 0)} passed, {failed} failed, "
            f"{count.get('xfailed', 0)} not applicable"
        )


def main():
    """Runs pytest where CKAN is installed, so that its tests go by the names they have there."""
    ini = Path(os.environ["AIZU_TEST_VAR"]).resolve() / "test.ini"
    os.chdir(INSTALLED)
    options = [f"-c={HERE / 'pytest.ini'}", f"--rootdir={INSTALLED}", f"--ckan-ini={ini}"]
    return pytest.main([*options, *lines("selected.txt"), *sys.argv[1:]], plugins=[Verdict()])


if __name__ == "__main__":
    sys.exit(main())
