"""Lists that real cities published, byte for byte, where the folder beside the repository is there."""

import pytest

from harvesters import validate
from harvesters.city import load_city
from harvesters.fetch import read_file

from .conftest import ROOT, only, table_of

LISTS = ROOT.parent / "shared" / "data" / "hydrants"


@pytest.mark.skipif(
    not LISTS.is_dir(), reason="the real lists (../shared/data/hydrants) are not here"
)
@pytest.mark.parametrize(
    ("name", "file", "rows", "encoding", "kinds"),
    [
        ("yaizu", "yaizu_222127_fire_hydrant.csv", 193, "utf-8-sig", {"井戸", "防火水そう"}),
        (
            "sabae",
            "sabae_200_shokasen_cp932.csv",
            2568,
            "cp932",
            {"消火栓", "防火水槽", "プール", "その他水利"},
        ),
    ],
)
def test_a_real_list_is_valid_as_it_is(name, file, rows, encoding, kinds):
    """Every row is there, kinds are as the city spells them, only spaces at the ends were taken away."""
    city = load_city(name)
    table = table_of(read_file(LISTS / file), city)
    assert validate.validate(only(table), city.feeds["hydrant"], city).valid
    assert (len(table.rows), table.encoding) == (rows, encoding)
    assert {row[3] for row in table.rows} == kinds
    assert {repair.rule for repair in table.repairs} == {"spaces"}
