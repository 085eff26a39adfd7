"""Fetching is polite, finite, and honest about what went wrong."""

import gzip
import time
from dataclasses import replace

import pytest

from harvesters import fetch
from harvesters.errors import (
    AddressError,
    ConfigurationError,
    SourceFailedError,
    TruncatedError,
    UnreachableError,
)

LIST = "/hydrant/072028_fire_hydrant.csv"


@pytest.fixture
def session():
    """A session that does not try again, so that the tests need not wait."""
    with fetch.polite_session("opendata@example.jp", retries=0) as session:
        yield session


def answer(status, content=b"", **headers):
    """A response of the server above."""

    def respond(handler):
        handler.send_response(status)
        for name, value in ({"Content_Length": str(len(content))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return respond


def test_a_file_comes_with_all_that_is_known_about_it(demo_city, session):
    """Bytes, address, name, time, type, and what the next request can ask with."""
    snapshot = fetch.get(demo_city + LIST, session)
    assert snapshot.filename == "072028_fire_hydrant.csv"
    assert snapshot.media_type == "text/csv"
    assert snapshot.etag
    assert snapshot.last_modified
    assert len(snapshot.sha256) == 64
    assert snapshot.fetched_at.utcoffset().total_seconds() == 0


def test_what_has_not_changed_is_not_sent_again(demo_city, session):
    """The second request is answered with 304, and the known bytes are used."""
    seen = []
    first = fetch.get(demo_city + LIST, session)
    again = fetch.get(
        demo_city + LIST, session, first, progress=lambda done, total: seen.append(done)
    )
    assert again.content == first.content
    assert seen == []


def test_another_address_is_asked_without_conditions(server, session):
    """What is known of one address says nothing about another."""
    server.respond = answer(200, b"a,b\n1,2\n")
    known = fetch.get(server.url + "/old.csv", session)
    fetch.get(server.url + "/new.csv", session, replace(known, etag='"x"'))
    assert server.requests[1]["If-None-Match"] is None


def test_we_say_who_we_are(server, session):
    """The User-Agent names the program and how to reach the people behind it."""
    server.respond = answer(200, b"a")
    fetch.get(server.url, session)
    assert server.requests[0]["User-Agent"].startswith("aizu-harvester/")
    assert "opendata@example.jp" in server.requests[0]["User-Agent"]


@pytest.mark.parametrize(
    ("fault", "error"), [("500", SourceFailedError), ("truncated", TruncatedError)]
)
def test_a_fault_of_the_server_is_called_by_name(demo_city, session, fault, error):
    """A failed server and a broken-off download are worth another try, and say the address."""
    with pytest.raises(error) as caught:
        fetch.get(f"{demo_city}{LIST}?fault={fault}", session)
    assert demo_city in caught.value.words.ja
    assert "もう一度" in caught.value.words.ja


def test_a_broken_off_download_says_how_much_came(demo_city, session):
    """The clerk sees the two figures."""
    whole = len(fetch.get(demo_city + LIST, session).content)
    with pytest.raises(TruncatedError) as caught:
        fetch.get(f"{demo_city}{LIST}?fault=truncated", session)
    assert f"{whole // 2} of {whole} bytes" in caught.value.words.en


def test_a_silent_server_is_given_up(demo_city, session):
    """A server that stops sending is left after the read time-out."""
    with pytest.raises(UnreachableError):
        fetch.get(f"{demo_city}{LIST}?fault=slow", session, patience=(1, 0.2, 60))


def test_a_dripping_server_is_given_up(server, session):
    """A server that sends a byte now and then never meets a read time-out, but the whole time."""

    def drip(handler):
        answer(200, Content_Length="1000")(handler)
        for _ in range(1000):
            try:
                handler.wfile.write(b"x")
            except OSError:  # we have gone
                return
            time.sleep(0.02)

    server.respond = drip
    with pytest.raises(UnreachableError, match="too slowly"):
        fetch.get(server.url, session, patience=(1, 5, 0.2))


def test_a_compressed_answer_is_unpacked(server, session):
    """Servers may compress on the way; the list is what the city wrote."""
    server.respond = answer(200, gzip.compress(b"a,b\n1,2\n"), Content_Encoding="gzip")
    assert fetch.get(server.url, session).content == b"a,b\n1,2\n"


def test_no_server_is_said_with_the_reason(session):
    """A closed port is told from a slow answer."""
    with pytest.raises(UnreachableError) as caught:
        fetch.get("http://127.0.0.1:9/list.csv", session)
    assert "ConnectionRefusedError" in caught.value.words.en


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refused_address_needs_a_person(server, session, status):
    """The server is well; the address is what somebody must look at."""
    server.respond = answer(status)
    with pytest.raises(AddressError) as caught:
        fetch.get(server.url + "/list.csv", session)
    assert str(status) in caught.value.words.ja


def test_redirects_without_end_are_left(server, session):
    """A redirect to itself ends with a message."""
    server.respond = answer(302, Location="/again")
    with pytest.raises(AddressError):
        fetch.get(server.url, session)


@pytest.mark.parametrize("address", ["list.csv", "ftp://127.0.0.1/list.csv", "http://"])
def test_what_is_no_address_is_a_mistake_of_the_configuration(session, address):
    """The city file is wrong, not the server."""
    with pytest.raises(ConfigurationError):
        fetch.get(address, session)


def test_a_busy_server_is_asked_again_and_then_believed(server):
    """Two more attempts, and no fourth."""
    server.respond = answer(503)
    with fetch.polite_session("") as session:
        session.adapters["http://"].max_retries.backoff_factor = 0
        with pytest.raises(SourceFailedError):
            fetch.get(server.url, session)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120, 120),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 6 * 3600, 6 * 3600),
        ("Fri, 01 Jan 2021 00:00:00 GMT", 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("", 0, 0),
    ],
)
def test_a_server_may_say_how_long_it_wants_to_be_left_alone(server, session, header, least, most):
    """Seconds or a date; anything else counts as nothing."""
    server.respond = answer(503, Retry_After=header)
    with pytest.raises(SourceFailedError) as caught:
        fetch.get(server.url, session)
    assert least <= caught.value.retry_after <= most


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/%E6%B6%88%E7%81%AB%E6%A0%93.csv?x=1", "消火栓.csv"),
        ("/", "original"),
        ("/a%2F..%2Fetc", "a_.._etc"),
        ("/LIST.CSV", "LIST.CSV"),
        ("/..", "original"),
        ("/list.xlsx", "list.xlsx"),
        ("/download.php?id=3", "download.php"),
    ],
)
def test_the_file_name_is_one_name(server, session, path, name):
    """Japanese names survive; nothing in a name leads to another folder."""
    server.respond = answer(200, b"a")
    assert fetch.get(server.url + path, session).filename == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=hydrants.csv", "hydrants.csv"),
        ("attachment; filename*=UTF-8''%E6%B6%88%E7%81%AB%E6%A0%93.csv", "消火栓.csv"),
        ('attachment; filename="消火栓.csv"'.encode().decode("latin-1"), "消火栓.csv"),
        ('attachment; filename="消火栓.csv"'.encode("cp932").decode("latin-1"), "list.csv"),
        ('inline; filename="../../x.csv"', "x.csv"),
        ("inline", "list.csv"),
    ],
)
def test_the_server_may_name_the_file(server, session, header, name):
    """Its folders and what cannot be read as a name are left out."""
    server.respond = answer(200, b"a", Content_Disposition=header)
    assert fetch.get(server.url + "/list.csv", session).filename == name


def test_a_redirect_does_not_rename_the_list(server, session):
    """The name is that of the address the city gave us."""

    def respond(handler):
        if handler.path == "/list.csv":
            answer(302, Location="/x.html")(handler)
        else:
            answer(200, b"a,b\n1,2\n")(handler)

    server.respond = respond
    assert fetch.get(server.url + "/list.csv", session).filename == "list.csv"


def test_bytes_of_another_address_are_never_taken_for_these(server, session):
    """A server that says "not modified" without having been asked has no file for us."""
    server.respond = answer(200, b"a")
    known = fetch.get(server.url + "/list.csv", session)
    server.respond = answer(304)
    with pytest.raises(SourceFailedError, match="though it was asked for all"):
        fetch.get(server.url + "/other.csv", session, known)


def test_a_local_file_stands_in_for_the_address(tmp_path):
    """Its name is kept; it has no address."""
    path = tmp_path / "消火栓.xlsx"
    path.write_bytes(b"x")
    snapshot = fetch.read_file(path)
    assert (snapshot.content, snapshot.filename, snapshot.url) == (b"x", "消火栓.xlsx", "")


def test_a_file_that_is_not_there_is_named(tmp_path):
    """A mistake of the caller."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        fetch.read_file(tmp_path / "nowhere")
