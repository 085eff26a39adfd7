"""A register is loaded from a file, which approves nobody; loaded again it changes nothing."""

import pytest

from aizu_vault.agreements import Standing, State
from aizu_vault.register import RegisterError
from aizu_vault.register_file import load_register
from aizu_vault.stored_register import read_descriptions, read_layouts, read_register
from aizu_vault.trees import Tree

from .conftest import copied

FILE = """
trees:
  version: 1
  data:
    everything: {grantable: false}
    energy: {in: everything}
  purpose:
    any: {grantable: false}
    research: {in: any}
    insulation: {in: research}
  recipient:
    all: {grantable: false}
    university: {in: all}
datasets:
  energy:
    title_ja: 家庭の電力
    title_en: Household energy
    data_class: energy
    privacy_level: 3
    legal_ground: 個人情報の保護に関する法律第61条
    purpose_specified: 断熱改修の支援
    register_no: 環-3
    row_owners: all-household
    columns: {time: time, kwh: number}
terms:
  energy-1: {dataset: energy, version: 1, residents_only: true}
recipients:
  university:
    members:
      - {user: professor, from: 2026-04-01T00:00:00+09:00}
agreements:
  study:
    recipient: university
    dataset: energy
    purpose: insulation
    fields: [kwh]
    terms: energy-1
    valid: {from: 2026-04-01T00:00:00+09:00, until: 2027-04-01T00:00:00+09:00}
    requester: professor
    rows_per_day: 1000000
obligations:
  - {recipient: university, duty: benefit-report, due: 2027-03-31T00:00:00+09:00}
"""


@pytest.fixture
def steward(vault):
    """Who loads, into an empty vault."""
    with vault.connect("deep_steward") as connection:
        yield connection


@pytest.fixture(scope="module")
def unchanged(server, prepared, tmp_path_factory):
    """Who tries to load, into an empty vault that stays as it is."""
    vault, name = copied(server, prepared, "deep", tmp_path_factory.mktemp("unchanged"))
    with vault.connect("deep_steward") as connection:
        yield connection
    server.drop(name)


@pytest.fixture
def load(steward, tmp_path):
    """Loads the file with some of it replaced."""
    return loader(steward, tmp_path)


def loader(steward, tmp_path):
    def loaded(*changes, text=FILE):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        file = tmp_path / "register.yaml"
        file.write_text(text, encoding="utf-8")
        return load_register(steward, file, by="clerk")

    return loaded


def test_everything_comes_in_and_nobody_is_approved(load, steward):
    """And the second time nothing is left to do."""
    assert load() == [
        "trees 1",
        "dataset energy",
        "terms energy-1",
        "recipient university",
        "member professor of university",
        "agreement study",
        "obligation benefit-report of university",
    ]
    register = read_register(steward)
    assert register.taxonomy.versions[0].covers(Tree.PURPOSE, "any", "insulation")
    assert register.recipients["university"].standing is Standing.PROPOSED
    assert register.agreements["study"].state is State.DRAFT
    assert read_descriptions(steward)["energy"].title_ja == "家庭の電力"
    assert load() == []


def test_what_has_changed_is_changed(load, steward):
    """And nothing else."""
    load()
    assert load(("断熱改修の支援", "断熱改修と省エネの支援")) == ["dataset energy"]
    assert load(("断熱改修の支援", "断熱改修と省エネの支援"), ("rows_per_day: 1000000", "rows_per_day: 5")) == [
        "agreement study"
    ]  # fmt: skip
    assert load(("kwh: number", "kwh: number, room: text")) == ["dataset energy", "agreement study"]
    assert len(read_layouts(steward, "energy")) == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("insulation: {in", "heating: {in"), "trees 1 are complete"),
        (("version: 1, residents_only: true", "version: 1"), "'energy-1' stay as people read them"),
        (("    members:", "    country: US\n    members:"), "'university' is in JP, and not in US"),
    ],
)
def test_what_is_settled_stays(load, steward, change, told):
    """What people saw, and where a recipient is."""
    load()
    with pytest.raises(RegisterError, match=told):
        load(("断熱改修の支援", "ほか"), change)
    assert read_descriptions(steward)["energy"].purpose_specified == "断熱改修の支援"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("title_ja: 家庭の電力", "title: 電力"), "datasets.energy.title_ja: Field required"),
        (("privacy_level: 3", "privacy_level: 7"), "datasets.energy.privacy_level: .* equal to 4"),
        (("kwh: number", "kwh: float"), "datasets.energy.columns.kwh: Input should be 'time'"),
        (("requester: professor", "requester: professor\n    state: active"), "agreements.study.state: Extra"),
        (("2027-03-31T00:00:00+09:00", "2027-03-31"), "obligations.0.due: .*time"),
        (("from: 2026-04-01T00:00:00+09:00, until", "from: 2028-04-01T00:00:00+09:00, until"), "nothing lies from"),
        (("fields: [kwh]", "fields: []"), "agreements.study.fields"),
        (("fields: [kwh]", "fields: [watt]"), "no field watt"),
        (("trees:", "trees: ["), "register.yaml: while parsing"),
        (("data_class: energy", "data_class: everything"), "'everything' is not at the end"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_changes_nothing(unchanged, tmp_path, change, told):
    """It is told where it is wrong."""
    with pytest.raises(RegisterError, match=told):
        loader(unchanged, tmp_path)(change)
    assert read_register(unchanged).taxonomy.versions == ()
    assert unchanged.execute("SELECT count(*) FROM consent.dataset").fetchone() == (0,)


def test_a_file_that_is_not_there(unchanged, tmp_path):
    """Its name is told."""
    with pytest.raises(RegisterError, match="none.yaml"):
        load_register(unchanged, tmp_path / "none.yaml", by="clerk")


def test_a_small_file_may_come_later(load, steward):
    """Whatever is not in it stays."""
    load()
    assert load(text="recipients: {institute: {country: FR}}") == ["recipient institute"]
    assert load(text="") == []
    assert [*read_register(steward).recipients] == ["university", "institute"]
