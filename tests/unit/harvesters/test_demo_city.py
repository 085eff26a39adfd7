"""The demonstration city serves a plausible list, says that it is simulated, and goes when asked."""

import csv
import signal
import subprocess
import sys
from collections import Counter

import pytest
import requests

from harvesters.city import load_city

from .conftest import ROOT

LIST = "/hydrant/072028_fire_hydrant.csv"


def rows(address):
    """The rows of the list as a program of the city would read them."""
    content = requests.get(address + LIST, timeout=5).content
    return list(csv.DictReader(content.decode("cp932").splitlines()))


def test_the_list_looks_like_a_city(demo_city):
    """About 1,500 facilities inside the city's bounds, most of them hydrants, all numbered."""
    facilities = rows(demo_city)
    box = load_city("aizuwakamatsu").bbox
    assert 1400 < len(facilities) < 1600
    assert all(box.holds(float(one["経度"]), float(one["緯度"])) for one in facilities)
    assert len({one["ID"] for one in facilities}) == len(facilities)
    kinds = Counter(one["種別"] for one in facilities)
    assert kinds["消火栓"] > kinds["防火水槽"] > kinds["河川"] > 0
    assert all(bool(one["口径"]) == (one["種別"] == "消火栓") for one in facilities)


def test_the_list_is_the_same_every_day(demo_city):
    """Two servers, one list: a test that saw it once can count on it."""
    command = [sys.executable, ROOT / "scripts" / "demo-city", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        address = other.stdout.readline().split()[-1].rstrip("/")
        assert rows(address) == rows(demo_city)
        other.terminate()


def test_the_first_page_says_what_there_is_and_that_it_is_simulated(demo_city):
    """In both languages, with a link to every file and the faults."""
    page = requests.get(demo_city + "/", timeout=5).text
    for word in ("架空", "Simulated", LIST, "?fault=html"):
        assert word in page


def test_head_and_unknown_paths_are_answered_as_http_wants(demo_city):
    """HEAD has the length and no body; what is not there is 404."""
    head = requests.head(demo_city + LIST, timeout=5)
    assert int(head.headers["Content-Length"]) > 100_000
    assert head.content == b""
    assert requests.get(demo_city + "/etc/passwd", timeout=5).status_code == 404


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked(stop):
    """Ctrl-C and SIGTERM end it at once, without a traceback."""
    command = [sys.executable, ROOT / "scripts" / "demo-city", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    server.stdout.readline()
    server.send_signal(stop)
    assert server.communicate(timeout=5) == ("", "")
    assert server.returncode == 0


def test_a_port_that_is_none_is_said_in_one_line():
    """No traceback, exit code 1."""
    command = [sys.executable, ROOT / "scripts" / "demo-city", "--port", "99999"]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 1
    assert len(told.stderr.strip().splitlines()) == 1
    assert "99999" in told.stderr
