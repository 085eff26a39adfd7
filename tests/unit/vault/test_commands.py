"""Stewards keep a vault by `aizu-vault`: every command, in both languages, for people and for machines."""

import json
import re
from functools import partial
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from click.testing import CliRunner

from aizu_vault.cli import cli
from aizu_vault.keys import ErasedError
from aizu_vault.log.verify import verify_log

from .conftest import copied

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = (ROOT / "docs" / "vault-commands.md").read_text(encoding="utf-8")
WAY = (("submit", "clerk"), ("approve", "sato"), ("approve", "suzuki"), ("activate", "clerk"))
DONE = ("fulfil", "asahi-hospital", "benefit-report", "2026-10-01", "--by", "clerk")
REGISTER = files("aizu_vault").joinpath("demo.register.yaml")


def call(vault, *words, code=0, language="C", plain=False):
    """Calls `aizu-vault` and returns what it answers, as JSON unless told otherwise."""
    words = [*map(str, words), *([] if plain else ["--json"])]
    environment = {"AIZU_VAULT": str(vault.places.folder), "LC_ALL": language}
    result = CliRunner().invoke(cli, words, env=environment)
    assert result.exit_code == code, result.output
    return result.output if plain else json.loads(result.stdout)


@pytest.fixture(scope="module")
def kept(server, prepared, tmp_path_factory):
    """A vault with the register of the demonstration and one person; tests get copies of it."""
    folder = tmp_path_factory.mktemp("kept")
    vault, database = copied(server, prepared, "deep", folder)
    call(vault, "register", "load", REGISTER, "--by", "clerk")
    for name in ("asahi-hospital", "bandai-university"):
        call(vault, "recipient", "approve", name, "--by", "clerk")
    call(vault, "recipient", *DONE)
    for name in ("watch-2026", "stroke-2026"):
        for step, by in WAY:
            call(vault, "agreement", step, name, "--by", by)
    person = call(vault, "subject", "enrol", "--born", "1980-05-05", "--synthetic")["subject"]
    return folder, database, person


@pytest.fixture
def vault(server, kept, tmp_path):
    """A vault of the test's own."""
    folder, database, _ = kept
    copy, name = copied(server, folder, database, tmp_path)
    yield copy
    server.drop(name)


@pytest.fixture
def aizu(vault):
    """Calls `aizu-vault`."""
    return partial(call, vault)


@pytest.fixture
def person(kept):
    """Whoever lives in the vault."""
    return kept[2]


def going(aizu, subject):
    """What goes of a person's data now, by agreement."""
    now = aizu("consent", "show", subject)["now"]
    return {one["agreement"]: one["fields"] for one in now if one["fields"]}


def test_loading_the_register_again_changes_nothing(aizu):
    """And what is exported loads as what it is."""
    again = aizu("register", "load", REGISTER, "--by", "clerk")
    assert again == {"changed": []}


def test_the_register_is_exported_as_it_is_loaded(aizu, tmp_path):
    """With names, states and approvers."""
    file = tmp_path / "register.yaml"
    file.write_text(aizu("register", "export", plain=True), encoding="utf-8")
    assert aizu("register", "load", file, "--by", "clerk") == {"changed": []}
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == aizu("register", "show")


def test_a_further_version_of_the_trees(aizu, person, tmp_path):
    """A purpose that is added later is there at once, and what was granted before does not mean it."""
    said = aizu("register", "show")
    aizu("consent", "grant", person, "--data=vitals", "--purpose=research", "--recipient=universities",
         "--field=pulse", "--terms=vitals-2")  # fmt: skip
    heart = {"in": "research", "title_ja": "心臓の研究", "title_en": "Research on the heart"}
    said["trees"] = said["trees"] | {"version": 2}
    del said["trees"]["since"]
    said["trees"]["purpose"]["research.heart"] = heart
    agreement = said["agreements"]["stroke-2026"]
    said["agreements"]["heart-2026"] = agreement | {"purpose": "research.heart"}
    file = tmp_path / "register.yaml"
    file.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    changed = aizu("register", "load", file, "--by", "clerk")["changed"]
    assert changed == ["trees 2", "1 names of nodes", "agreement heart-2026"]
    for step, by in WAY:
        aizu("agreement", step, "heart-2026", "--by", by)
    assert going(aizu, person) == {"stroke-2026": ["pulse"]}


def test_a_wrong_file_is_refused(aizu, tmp_path):
    """With the place; nothing of it is taken."""
    before = aizu("register", "show")
    file = tmp_path / "register.yaml"
    for text, told in [
        ("trees: [", "register.yaml"),
        ("dataset: {}", "dataset: Extra inputs"),
        (
            "trees: {version: 2, data: {a: {title_ja: あ}}, purpose: {b: {}}, recipient: {c: {}}}",
            "both",
        ),
    ]:
        file.write_text(text, encoding="utf-8")
        error = aizu("register", "load", file, "--by", "clerk", code=1)["error"]
        assert told in error["message_en"]
    assert aizu("register", "show") == before


def test_a_recipient_is_suspended_and_owes(aizu, person):
    """Nothing goes to it meanwhile; what it has done it no longer owes."""
    aizu("consent", "grant", person, "--agreement", "watch-2026")
    aizu("recipient", "suspend", "asahi-hospital", "--by", "clerk")
    assert going(aizu, person) == {}
    aizu("recipient", "approve", "asahi-hospital", "--by", "clerk")
    assert set(going(aizu, person)) == {"watch-2026"}
    assert "owes no benefit-report" in aizu("recipient", *DONE, code=1)["error"]["message"]
    assert "asahi-hospital     approved" in aizu("recipient", "show", plain=True)


def test_an_agreement_goes_its_way(aizu):
    """Draft, submitted, approved by two others, active, suspended, active, closed."""
    assert "cannot approve" in _refused(aizu, "submit", "approve", by="snowlab-kato")
    states = [
        aizu("agreement", step, "snow-draft", "--by", by)["state"]
        for step, by in [
            ("approve", "kikaku-sato"),
            ("approve", "kenko-suzuki"),
            ("activate", "clerk"),
            ("suspend", "clerk"),
            ("activate", "clerk"),
            ("close", "clerk"),
        ]
    ]
    assert states == ["submitted", "approved", "active", "suspended", "active", "closed"]
    shown = aizu("agreement", "show", "snow-draft", plain=True, language="en_GB.UTF-8")
    assert re.search(r"^agreement +state +recipient.*\nsnow-draft +closed +snow-lab", shown)


def _refused(aizu, first, second, *, by):
    aizu("agreement", first, "snow-draft", "--by", "clerk")
    return aizu("agreement", second, "snow-draft", "--by", by, code=1)["error"]["message_en"]


def test_a_person_consents_and_objects_and_withdraws(aizu, person):
    """What goes now follows each of them; the exception stays under a later, broader yes."""
    assert going(aizu, person) == {}
    aizu("consent", "grant", person, "--agreement", "watch-2026")
    assert going(aizu, person) == {"watch-2026": ["pulse", "temperature"]}
    aizu("consent", "object", person, "--recipient", "kita-hospital")
    aizu("consent", "grant", person, "--data=health", "--purpose=care", "--recipient=hospitals",
         "--field=pulse", "--terms=vitals-1", "--until=2030-01-01")  # fmt: skip
    assert going(aizu, person) == {"watch-2026": ["pulse", "temperature"]}
    aizu("consent", "withdraw", person, "--data", "vitals", "--field", "temperature")
    assert going(aizu, person) == {"watch-2026": ["pulse"]}
    aizu("consent", "freeze", person)
    assert going(aizu, person) == {}
    aizu("consent", "unfreeze", person)
    assert going(aizu, person) == {"watch-2026": ["pulse"]}
    aizu("consent", "withdraw", person)
    assert going(aizu, person) == {}
    kinds = [event["kind"] for event in aizu("consent", "show", person)["events"]]
    assert kinds == [
        "grant", "objection", "grant", "objection", "freeze", "unfreeze", "objection"
    ]  # fmt: skip


def test_the_history_is_shown_to_people(aizu, person):
    """In Japanese unless the locale names another language."""
    aizu("consent", "object", person, "--agreement", "watch-2026", "--cause", "refused")
    japanese = aizu("consent", "show", person, plain=True)
    assert "objection refused" in japanese
    assert "渡らない理由" in japanese
    assert "why not" in aizu("consent", "show", person, plain=True, language="en_GB.UTF-8")


def test_a_parent_acts_for_a_child(aizu, person):
    """From the day on which the city has recorded it until it is ended; the child's own no counts."""
    child = aizu("subject", "enrol", "--born", "2020-05-05", "--synthetic")["subject"]
    grant = ("consent", "grant", child, "--agreement", "watch-2026", "--representative", person)
    aizu(*grant)
    assert going(aizu, child) == {}
    made = aizu("consent", "represent", child, person, "--authority", "city")
    aizu(*grant)
    assert set(going(aizu, child)) == {"watch-2026"}
    ended = ("--end", made["representation"], "--authority", "city")
    aizu("consent", "represent", child, *ended)
    aizu("consent", "freeze", child, "--representative", person)
    assert set(going(aizu, child)) == {"watch-2026"}
    aizu("consent", "object", child)
    assert going(aizu, child) == {}


def test_a_death_is_reported(aizu, person):
    """By an authority alone."""
    aizu("consent", "grant", person, "--agreement", "watch-2026")
    refused = aizu("consent", "report", person, "death", code=1)["error"]
    assert "said by an authority" in refused["message"]
    aizu("consent", "report", person, "death", "--authority", "city")
    reasons = {one["reason"] for one in aizu("consent", "show", person)["now"]}
    assert reasons == {"deceased"}


def test_a_person_has_a_login_and_a_code_and_is_erased(aizu, person, vault):
    """Erasing asks first, where somebody can answer; it cannot be done twice."""
    aizu("subject", "link", person, "demo-citizen")
    assert re.fullmatch(r"([A-Z2-7]{2,4}-?)+", aizu("subject", "code", person)["code"])
    shown = aizu("subject", "show", person)
    assert (shown["logins"], shown["withdrawal_codes"], shown["erased"]) == (1, 1, False)
    refused = aizu("subject", "erase", person, code=1)["error"]
    assert "--yes" in refused["message"]
    assert vault.keys.read([UUID(person)])
    aizu("subject", "erase", person, "--yes")
    assert vault.keys.read([UUID(person)]) == {}
    assert aizu("subject", "show", person)["birth_date"] == "1980-01-01"
    aizu("subject", "erase", person, "--yes", code=1)
    with pytest.raises(ErasedError):
        vault.keys.create([UUID(person)])


def test_real_people_never_come_among_invented_ones(aizu):
    """Nor the other way round."""
    error = aizu("subject", "enrol", "--born", "1980-05-05", code=1)["error"]
    assert "never both" in error["message_en"]


def test_the_log_is_signed_shown_and_verified(aizu, person, vault, tmp_path):
    """Its head, a check of the whole, and a person's proof."""
    assert "--sign" in aizu("log", "head", code=1)["error"]["message"]
    head = aizu("log", "head", "--sign")
    assert head["note"].startswith(vault.signer.origin)
    kept = tmp_path / "head.txt"
    kept.write_text(head["note"], encoding="utf-8")
    assert aizu("log", "verify", kept)["findings"] == []
    proof = tmp_path / "bundle.json"
    assert aizu("log", "bundle", person, "--out", proof)["entries"] == 1
    assert proof.stat().st_mode & 0o777 == 0o600
    with vault.connect("deep_audit") as connection:
        assert verify_log(connection, vault.signer.trusted, [head["note"]]).findings == ()


def test_an_altered_log_is_told(aizu, vault):
    """With exit code 1, and where."""
    aizu("log", "head", "--sign")
    note = vault.places.last_head.read_text(encoding="utf-8")
    vault.places.last_head.write_text(note.replace("\n", "x\n", 1), encoding="utf-8")
    said = aizu("log", "verify", code=1, plain=True, language="en_GB.UTF-8")
    assert "kept head 1" in said


def test_a_vault_from_a_backup_is_opened_by_hand(aizu, vault):
    """Not in passing, by somebody with a name, and only where something came back."""
    aizu("log", "head", "--sign")
    said = aizu("log", "restored", "--by", "clerk", "--yes", code=1)["error"]
    assert "nothing came back" in said["message_en"]
    vault.places.restored.touch()
    assert "--yes" in aizu("log", "restored", "--by", "clerk", code=1)["error"]["message"]
    before = aizu("log", "head")["size"]
    told = aizu("log", "restored", "--by", "clerk", "--yes", plain=True)
    assert told.endswith(f"までの記録で再開しました。利用記録は {before + 1:,} 件です。\n")
    assert aizu("log", "verify")["leaves"] == before + 1


WRONG_CALLS = [
    (["subject", "show", UUID(int=9)], 1, "保管庫にいません"),
    (["subject", "show", "nobody"], 2, "is not a valid UUID"),
    (["subject", "link", UUID(int=9), "login"], 1, "not in the vault"),
    (["consent", "grant", UUID(int=9)], 2, "--terms"),
    (["consent", "grant", UUID(int=9), "--agreement", "x"], 1, "協定 x はありません"),
    (["consent", "represent", UUID(int=9), "--authority", "x"], 2, "--end"),
    (["agreement", "show", "x"], 1, "協定 x はありません"),
    (["agreement", "activate", "x", "--by", "y"], 1, "no agreement 'x'"),
    (["register", "load", "/nowhere", "--by", "y"], 2, "does not exist"),
    (["log", "bundle", UUID(int=9), "--out", "/proc/x"], 1, "鍵がありません"),
    (["log", "restored", "--yes"], 2, "--by"),
]


def test_what_cannot_be_is_told(aizu):
    """In one sentence, with the exit code."""
    for words, code, told in WRONG_CALLS:
        assert told in aizu(*words, code=code, plain=True)


def test_without_a_vault_nothing_is_done(aizu, tmp_path):
    """The folder is named, and what makes one."""
    told = aizu("subject", "show", UUID(int=9), "--folder", tmp_path / "x", code=2, plain=True)
    assert "保管庫を使えません" in told
    assert "aizu-vault prepare" in told


def helps(command, *words):
    """Every command with the words that lead to it."""
    yield words
    for name, one in getattr(command, "commands", {}).items():
        yield from helps(one, *words, name)


@pytest.mark.parametrize("words", [*helps(cli)], ids=" ".join)
def test_the_help_of_every_command_is_in_the_docs(words):
    """Word for word; the failure shows what to put there."""
    options = {"prog_name": "aizu-vault", "terminal_width": 100}
    result = CliRunner().invoke(cli, [*words, "--help"], **options)
    title = f"### {' '.join(('aizu-vault', *words))}"
    assert f"{title}\n\n```\n{result.output.rstrip()}\n```" in COMMANDS
