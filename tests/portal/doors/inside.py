"""Says, in one start of CKAN, what the running portal has: routes, actions, and a token of its sysadmin; as JSON."""

import json
import os
import sys

from ckan import logic, model
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

AUTOMATIC = {"HEAD", "OPTIONS"}


def main(sysadmin: str, label: str) -> None:
    """Prints it.

    Args:
        sysadmin: whose token is made.
        label: the token's name.
    """
    app = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())._wsgi_app
    routes = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - AUTOMATIC
    }
    with app.test_request_context():
        make_token = logic.get_action("api_token_create")
        token = make_token({"ignore_auth": True}, {"user": sysadmin, "name": label})["token"]
        model.Session.remove()
    actions = {
        name: bool(getattr(action, "side_effect_free", False))
        for name, action in logic._actions.items()
    }
    sys.stdout.write(
        "\n" + json.dumps({"routes": sorted(routes), "actions": actions, "token": token})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
