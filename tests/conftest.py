"""Where several portals have been started, each of pytest's workers has one to itself."""

import os

from hypothesis import settings

# How long an example takes says more of the machine, and of who else works on it, than of the code.
settings.register_profile("aizu", deadline=None)
settings.load_profile("aizu")


def pytest_configure():
    """Says which portal is this worker's."""
    worker, portals = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("AIZU_TEST_VARS")
    if worker and portals:
        os.environ["AIZU_TEST_VAR"] = portals.split(":")[int(worker.removeprefix("gw"))]
