"""A proxy in front of the portal that keeps whatever it may serves nobody what was meant for somebody else."""

import subprocess
from string import Template

import pytest
import requests
from bs4 import BeautifulSoup

from .copies import eventually, free_port

CONF = Template("""
daemon off;
user root;
pid nginx.pid;
error_log stderr crit;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path temp;
    fastcgi_temp_path f;
    uwsgi_temp_path u;
    scgi_temp_path s;
    proxy_cache_path kept keys_zone=all:1m;
    server {
        listen 127.0.0.1:$port;
        location / {
            proxy_pass $portal;
            proxy_set_header Host $$http_host;
            proxy_cache all;
            proxy_cache_methods GET HEAD POST;
            proxy_cache_key $$uri$$is_args$$args;
            add_header X-Kept $$upstream_cache_status always;
        }
    }
}
""")
ASKED = {
    "agreement": "watch-2026",
    "purpose": "care.watch",
    "where": {"pulse": {"from": 60, "to": 62}},
}


@pytest.fixture
def proxy(portal, tmp_path):
    """Its address; it keeps by address alone whatever the headers let it keep."""
    port = free_port()
    conf = tmp_path / "nginx.conf"
    conf.write_text(CONF.substitute(port=port, portal=portal.url))
    with subprocess.Popen(["nginx", "-p", tmp_path, "-e", "stderr", "-c", conf]) as running:
        address = f"http://127.0.0.1:{port}"
        assert eventually(lambda: _answers(address))
        yield address
        running.terminate()


def _answers(address):
    try:
        return requests.get(f"{address}/deep/health", timeout=10).ok
    except requests.ConnectionError:
        return False


def test_what_is_for_everybody_is_kept(portal, proxy):
    """The proxy does what it is there for, or the tests below would show nothing."""
    page = BeautifulSoup(portal.get("/").text, "html.parser")
    styles = [one["href"] for one in page.select('link[rel="stylesheet"]')]
    assert styles
    for style in styles:
        answers = [requests.get(f"{proxy}{style}", timeout=30) for _ in range(2)]
        assert [one.headers["X-Kept"] for one in answers] == ["MISS", "HIT"]
    gone = portal.get("/webassets/base/00000000_gone.css")
    assert (gone.status_code, "max-age" in gone.headers["Cache-Control"]) == (404, False)


def test_a_release_goes_to_whom_it_was_released(proxy, recipient, tmp_path):
    """The same address and question, from another recipient and from nobody: refused, and not a row of it."""

    def ask(headers):
        return requests.post(f"{proxy}/deep/release", json=ASKED, headers=headers, timeout=60)

    first = ask(recipient("demo-asahi"))
    assert first.status_code == 200
    assert len(first.content.splitlines()) > 1
    others = [ask(recipient("demo-kita")), ask({})]
    assert [one.status_code for one in others] == [403, 401]
    for one in (first, *others):
        assert one.headers["Cache-Control"] == "no-store, private"
        assert one.headers["X-Kept"] == "MISS"
    line = first.content.splitlines()[1]
    assert not [
        file for file in tmp_path.rglob("*") if file.is_file() and line in file.read_bytes()
    ]


@pytest.mark.parametrize(
    "path", ["/", "/dataset/", "/dataset/aizuwakamatsu-vitals", "/api/action/user_show?id=admin"]
)
def test_a_page_shows_only_who_asked_for_it(desk, proxy, path):
    """Whoever is logged in sees their name; the next one at the same address does not."""
    for name, value in desk.cookies.items():
        desk.cookies.set(name, value, domain="127.0.0.1")
    mine = [desk.get(f"{proxy}{path}", timeout=60) for _ in range(2)]
    assert all("admin" in one.text for one in mine)
    assert [one.headers["X-Kept"] for one in mine] == ["MISS", "MISS"]
    theirs = requests.get(f"{proxy}{path}", timeout=60)
    assert "/user/admin" not in theirs.text
    assert "apikey" not in theirs.text
    assert theirs.headers["X-Kept"] != "HIT"
