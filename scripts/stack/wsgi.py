"""The portal as a WSGI application, for gunicorn or any other server; CKAN_INI names the configuration."""

import os

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

from ckanext.aizu import in_step, outage

application = outage.HonestInOutages(
    make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
)
# The worker before this one may have been killed in the middle of a publication.
in_step.recover_all()
