"""The plugin `aizu`: says to CKAN what the open portal is made of. It must stand first in ckan.plugins."""

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.lib.plugins import DefaultTranslation

from ckanext.aizu import city, cli, japanese_names, pages, retention, status, uploads
from ckanext.aizu.logic import validators

# CKAN and other plugins take these functions as they find them when they are loaded.
japanese_names.install()
pages.install()


@tk.blanket.actions
@tk.blanket.auth_functions
@tk.blanket.blueprints
@tk.blanket.config_declarations
@tk.blanket.helpers
class AizuPlugin(p.SingletonPlugin, DefaultTranslation):
    """Dataset type, publishing, pages and translations of the city's portal."""

    p.implements(p.IConfigurer)
    p.implements(p.IClick)
    p.implements(p.ITranslation)
    p.implements(p.IValidators)
    p.implements(p.IPackageController, inherit=True)
    p.implements(p.IUploader, inherit=True)

    def update_config(self, config: Any) -> None:
        """IConfigurer: adds templates and files, and names the portal after its city."""
        tk.add_template_directory(config, "templates")
        tk.add_public_directory(config, "public")
        tk.add_resource("assets", "aizu")
        if config.get("ckan.site_title") in (None, "", "CKAN"):
            config["ckan.site_title"] = f"{city.here()['name']}オープンデータ"

    def get_commands(self) -> list[Any]:
        """IClick: `ckan aizu …`."""
        return cli.get_commands()

    def get_validators(self) -> dict[str, Any]:
        """IValidators: tags in Japanese, moments, and fields that no form shows."""
        ours = {name: getattr(validators, name) for name in validators.__all__}
        return {**japanese_names.VALIDATORS, **ours, "aizu_kept_versions": retention.is_kept_number}

    def get_resource_uploader(self, data_dict: dict[str, Any]) -> uploads.PublishedFile | None:
        """IUploader: files of a published dataset are those of its current version."""
        return uploads.uploader_of(data_dict)

    def i18n_domain(self) -> str:
        """ITranslation: name of our catalogues."""
        return "ckanext-aizu"

    def after_dataset_show(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        """IPackageController: a dataset is shown with what is known of its last check."""
        if not context.get("for_update"):
            status.add_to(pkg_dict)

    def after_dataset_search(
        self, search_results: dict[str, Any], search_params: dict[str, Any]
    ) -> dict[str, Any]:
        """IPackageController: a list of datasets says how the last checks went."""
        status.add_checks(search_results["results"])
        return search_results
