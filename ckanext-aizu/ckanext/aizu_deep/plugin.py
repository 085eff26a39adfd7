"""The plugin `aizu_deep`: what the catalogue shows of deep data, and what it refuses."""

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk

from ckanext.aizu_deep import refusals
from ckanext.aizu_deep.logic import action


@tk.blanket.auth_functions
@tk.blanket.blueprints
@tk.blanket.config_declarations
@tk.blanket.helpers
class AizuDeepPlugin(p.SingletonPlugin):
    """Signposts: their descriptions, pages and refusals; the rows are in the vault."""

    p.implements(p.IActions)
    p.implements(p.IConfigurer)

    def update_config(self, config: Any) -> None:
        """IConfigurer: adds templates."""
        tk.add_template_directory(config, "templates")

    def get_actions(self) -> dict[str, Any]:
        """IActions: our own, and those of others that leave signposts alone."""
        own = {name: getattr(action, name) for name in action.__all__}
        return {**own, **refusals.actions()}
