"""What several tests inside CKAN need: datasets of one organisation."""

import pytest
from ckan.tests import factories


@pytest.fixture
def add(with_plugins, clean_db, clean_index):  # noqa: ARG001 (first clean, then fill)
    """Makes datasets of one organisation."""
    organization = factories.Organization(name="bosai", title="消防課")["id"]

    def add(title, tags=(), **values):
        tags = [{"name": tag} for tag in tags]
        return factories.Dataset(title=title, tags=tags, owner_org=organization, **values)

    return add
