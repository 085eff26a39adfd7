"""Addresses of the pages of a long list."""

from urllib.parse import urlencode

from flask import request


def aizu_page_url(page: int) -> str:
    """Returns the address of this list's page of that number, with all else it is asked for."""
    asked = [(key, value) for key, value in request.args.items(multi=True) if key != "page"]
    return "?" + urlencode([*asked, ("page", str(page))])
