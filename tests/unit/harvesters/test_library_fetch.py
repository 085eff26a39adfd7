"""Repositories are harvested to the end, politely, and what they do wrong is said."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from harvesters import fetch as fetching
from harvesters.city import load_city
from harvesters.errors import AddressError, NotTheListError, SourceFailedError
from harvesters.library import oai_pmh, pages, reading
from harvesters.sources import library

OAI = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>{}</responseDate>{}</OAI-PMH>'
DC = "http://purl.org/dc/elements/1.1/"


def record(number, title, stamp="2026-04-01", deleted=False):
    """One record of a repository."""
    state = ' status="deleted"' if deleted else ""
    header = f"<header{state}><identifier>oai:a:{number}</identifier><datestamp>{stamp}</datestamp></header>"
    body = f'<metadata><dc xmlns="{DC}"><title>{title}</title></dc></metadata>'
    return f"<record>{header}{'' if deleted else body}</record>"


def page(*records, token=None, attributes=""):
    """An answer to ListRecords."""
    end = f"<resumptionToken{attributes}>{token}</resumptionToken>" if token is not None else ""
    return f"<ListRecords>{''.join(records)}{end}</ListRecords>"


def error(code):
    """An answer that says what went wrong."""
    return f'<error code="{code}">no</error>'


@pytest.fixture
def repository(monkeypatch):
    """A server that answers with its pages in turn, and keeps what it was asked."""
    monkeypatch.setattr(pages, "PAUSE_S", 0)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            words = {name: one[0] for name, one in parse_qs(urlsplit(self.path).query).items()}
            stand_in.asked.append(words)
            status, said = stand_in.answers(words)
            body = OAI.format(len(stand_in.asked), said).encode() if status == 200 else b""
            body = said.encode() if said.startswith("<!") or "searchRetrieve" in said else body
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 503:
                self.send_header("Retry-After", stand_in.wait)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        base = f"http://127.0.0.1:{server.server_port}/oai"
        stand_in = SimpleNamespace(asked=[], wait="0", base=base)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield stand_in
        server.shutdown()
        thread.join()


def in_turn(*answers):
    """The answers one after the other, the last one again and again."""
    left = list(answers)

    def next_one(words):  # noqa: ARG001  whatever is asked
        said = left.pop(0) if len(left) > 1 else left[0]
        return said if isinstance(said, tuple) else (200, said)

    return next_one


def harvested(repository, known=None, query="verb=ListRecords&metadataPrefix=oai_dc"):
    """The snapshot that the source brings."""
    feed = SimpleNamespace(url=f"{repository.base}?{query}")
    with fetching.polite_session("", retries=0) as session:
        return library.fetch(feed, session, known, lambda done, total: None)


def titles(snapshot):
    return [one.values["タイトル"] for one in reading.read(snapshot.content).holdings]


def test_pages_are_joined_to_the_end_without_the_time_of_their_making(repository):
    """The token leads to the next page and to nothing else; twice asked, the bytes are the same."""
    answers = (page(record(1, "一"), token="t1"), page(record(2, "二"), token=""))
    repository.answers = in_turn(*answers, *answers)
    one, two = harvested(repository), harvested(repository)
    assert titles(one) == ["一", "二"]
    assert one.content == two.content
    assert repository.asked[:2] == [
        {"verb": "ListRecords", "metadataPrefix": "oai_dc"},
        {"verb": "ListRecords", "resumptionToken": "t1"},
    ]


def test_a_base_address_with_prefix_and_set_is_enough(repository):
    """The verb is OAI-PMH's, not the clerk's."""
    repository.answers = in_turn(page(record(1, "一")))
    harvested(repository, query="metadataPrefix=oai_dc&set=local")
    assert repository.asked == [{"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "local"}]


def test_only_what_has_changed_is_asked_for_where_deleted_records_are_kept(repository):
    """New records take the place of old ones, new ones stand behind, deleted ones stay as such."""
    first = page(record(1, "一"), record(2, "二", "2026-04-02"), record(3, "三"))
    repository.answers = in_turn(first)
    known = harvested(repository)
    repository.answers = in_turn(
        "<Identify><deletedRecord>persistent</deletedRecord></Identify>",
        page(record(2, "弐", "2026-05-01"), record(3, "", "2026-05-01", deleted=True),
             record(4, "四", "2026-05-02")),
    )  # fmt: skip
    snapshot = harvested(repository, known)
    assert repository.asked[-1]["from"] == "2026-04-02"
    assert titles(snapshot) == ["一", "弐", "四"]
    assert "削除された書誌 1 件" in reading.read(snapshot.content).notes[0].ja
    repository.answers = in_turn(
        "<Identify><deletedRecord>persistent</deletedRecord></Identify>", error("noRecordsMatch")
    )
    assert harvested(repository, snapshot).content == snapshot.content


def test_everything_is_asked_for_where_deleted_records_are_forgotten(repository):
    """Otherwise a book that is gone would stay in the catalogue for ever."""
    repository.answers = in_turn(page(record(1, "一"), record(2, "二")))
    known = harvested(repository)
    repository.answers = in_turn(
        "<Identify><deletedRecord>no</deletedRecord></Identify>", page(record(1, "一"))
    )
    assert titles(harvested(repository, known)) == ["一"]
    assert "from" not in repository.asked[-1]


def test_a_token_that_has_grown_too_old_leads_back_to_the_beginning_once(repository):
    """The second time it is the server's fault."""
    repository.answers = in_turn(
        page(record(1, "一"), token="t1"), error("badResumptionToken"),
        page(record(1, "一"), token="t2"), page(record(2, "二")),
    )  # fmt: skip
    assert titles(harvested(repository)) == ["一", "二"]
    repository.answers = in_turn(
        page(record(1, "一"), token="t1"), error("badResumptionToken"),
        page(record(1, "一"), token="t2"), error("badResumptionToken"),
    )  # fmt: skip
    with pytest.raises(SourceFailedError, match="twice"):
        harvested(repository)


@pytest.mark.parametrize(
    "answers",
    [
        [page(record(1, "一"), token="t1"), page(record(2, "二"), token="t1")],
        [page(record(1, "一"), token="t1"), page(token="t2")],
    ],
)
def test_a_list_without_end_is_given_up(repository, answers):
    """A token that leads back, and a page without records that leads on."""
    repository.answers = in_turn(*answers)
    with pytest.raises(SourceFailedError, match=r"does not end|leads to a next one"):
        harvested(repository)


def test_a_list_longer_than_any_is_given_up(repository, monkeypatch):
    """New tokens for ever are no list either."""
    monkeypatch.setattr(pages, "MOST_PAGES", 5)
    count = iter(range(1000))
    repository.answers = lambda words: (200, page(record(1, "一"), token=f"t{next(count)}"))
    with pytest.raises(SourceFailedError, match="more than 5"):
        harvested(repository)
    assert len(repository.asked) == 5


def test_a_busy_server_is_given_the_time_that_it_asks_for(repository, monkeypatch):
    """But not more than the limit."""
    waited = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    repository.wait = "7"
    repository.answers = in_turn((503, ""), page(record(1, "一")))
    assert titles(harvested(repository)) == ["一"]
    repository.wait = "86400"
    repository.answers = in_turn((503, ""), page(record(1, "一")))
    assert titles(harvested(repository)) == ["一"]
    assert waited == [7, pages.PATIENCE_S]


def test_there_is_a_pause_between_two_pages(repository, monkeypatch):
    """A library's server has readers to serve."""
    waited = []
    monkeypatch.setattr(pages.time, "sleep", waited.append)
    monkeypatch.setattr(pages, "PAUSE_S", 3)
    repository.answers = in_turn(page(record(1, "一"), token="t1"), page(record(2, "二")))
    harvested(repository)
    assert waited == [3]


@pytest.mark.parametrize(
    "code",
    ["cannotDisseminateFormat", "badArgument", "noSetHierarchy", "noRecordsMatch", "badVerb"],
)
def test_what_the_server_refuses_is_said_with_its_own_word(repository, code):
    """Somebody must look at the address."""
    repository.answers = in_turn(error(code))
    with pytest.raises(AddressError, match=code):
        harvested(repository)


@pytest.mark.parametrize("said", ["<!DOCTYPE html><html><body>x</body></html>", "<!-- x --><a/>"])
def test_an_answer_that_is_none_is_refused(repository, said):
    """An error page with status 200 is no end of a list."""
    repository.answers = in_turn(page(record(1, "一"), token="t1"), said)
    with pytest.raises(NotTheListError):
        harvested(repository)


def test_records_that_were_announced_and_never_came_are_missed(repository):
    """The server stops in the middle and says nothing of it."""
    repository.answers = in_turn(
        page(record(1, "一"), token="t1", attributes=' completeListSize="40"'),
        page(record(2, "二"), token="", attributes=' completeListSize="40"'),
    )
    (fault,) = reading.read(harvested(repository).content).faults
    assert (fault.rule, fault.value) == ("incomplete-list", "2 / 40")


SRU = (
    '<searchRetrieveResponse xmlns="http://www.loc.gov/zing/srw/"><numberOfRecords>3</numberOfRecords>'
    "<nextRecordPosition>{}</nextRecordPosition><extraResponseData>{}</extraResponseData>"
    "<records>{}</records></searchRetrieveResponse>"
)


def found(number, title):
    """One record of a search."""
    return (
        f"<record><recordData>&lt;dc xmlns='{DC}'&gt;&lt;title&gt;{title}&lt;/title&gt;"
        f"&lt;identifier&gt;{number}&lt;/identifier&gt;&lt;/dc&gt;</recordData></record>"
    )


def test_a_search_is_read_on_to_its_last_record(repository):
    """By the positions that the server tells; what it says of time and facets is left out."""
    query = "operation=searchRetrieve&query=library%3D%22x%22&recordSchema=dcndl"
    repository.answers = in_turn(
        SRU.format(3, "facets 1", found(1, "一") + found(2, "二")),
        SRU.format(0, "2", found(3, "三")),
    )
    snapshot = harvested(repository, query=query)
    assert titles(snapshot) == ["一", "二", "三"]
    assert b"facets" not in snapshot.content
    assert repository.asked[1]["startRecord"] == "3"
    assert repository.asked[1]["query"] == 'library="x"'


def test_a_search_that_goes_round_is_given_up(repository):
    """A next position that does not move."""
    repository.answers = in_turn(SRU.format(2, "", found(1, "一")), SRU.format(2, "", ""))
    with pytest.raises(SourceFailedError, match="does not end"):
        harvested(repository, query="operation=searchRetrieve&query=x")


def test_what_a_search_refuses_is_said(repository):
    """With the words of its diagnostics."""
    repository.answers = in_turn(
        '<searchRetrieveResponse xmlns="http://www.loc.gov/zing/srw/"><diagnostics><diagnostic>'
        "<message>Unsupported index</message></diagnostic></diagnostics></searchRetrieveResponse>"
    )
    with pytest.raises(AddressError, match="Unsupported index"):
        harvested(repository, query="operation=searchRetrieve&query=x")


def test_any_other_address_is_one_file(repository):
    """A list of holdings on the city's web site."""
    repository.answers = in_turn(page(record(1, "一")))
    assert titles(harvested(repository, query="file=holdings")) == ["一"]


def test_the_addresses_of_the_city_file_say_how_they_are_asked():
    """The demonstration city's catalogue is harvested, its seats are one document."""
    feeds = load_city("aizuwakamatsu", "http://127.0.0.1").feeds
    assert oai_pmh.speaks(feeds["library"].url)
    assert not oai_pmh.speaks(feeds["library-seats"].url)
