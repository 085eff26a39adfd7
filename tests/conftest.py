"""Where several portals have been started, each of pytest's workers has one to itself."""

import os


def pytest_configure():
    """Says which portal is this worker's."""
    worker, portals = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("AIZU_TEST_VARS")
    if worker and portals:
        os.environ["AIZU_TEST_VAR"] = portals.split(":")[int(worker.removeprefix("gw"))]
