"""LinkData's CSV: rows of metadata that begin with #, of which #property holds the headings."""

from dataclasses import dataclass, field

HEADER = "#property"
TYPES = {
    "string": "string",
    "anyURI": "string",
    "integer": "integer",
    "int": "integer",
    "long": "integer",
    "nonNegativeInteger": "integer",
    "decimal": "number",
    "double": "number",
    "float": "number",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "datetime",
    "gYear": "year",
    "gYearMonth": "yearmonth",
}
"""Types of XML Schema in the words of Table Schema."""


@dataclass(frozen=True, kw_only=True)
class Preamble:
    """Where the headings are, where the data begin, and what the file says about itself."""

    header: int
    data: int
    metadata: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def preamble_of(rows: list[list[str]]) -> Preamble | None:
    """The preamble, if the file begins with one; blank rows may stand between its lines."""
    lines: dict[str, int] = {}
    data = 0
    for place, cells in enumerate(rows):
        first = cells[0].strip() if cells else ""
        if any(map(str.strip, cells)) and not first.startswith("#"):
            break
        if first:
            lines.setdefault(first, place)
            data = place + 1
    if HEADER not in lines:
        return None
    return Preamble(
        header=lines[HEADER],
        data=data,
        metadata={key[1:]: _value(rows[at]) for key, at in lines.items() if _is_metadata(key)},
        types=_types(rows, lines),
    )


def _is_metadata(key: str) -> bool:
    """The other lines of the preamble speak of columns."""
    return key != "#LINK" and not key.startswith((HEADER, "#object_type"))


def _value(cells: list[str]) -> str:
    return " ".join(cell.strip() for cell in cells[1:] if cell.strip())


def _types(rows: list[list[str]], lines: dict[str, int]) -> dict[str, str]:
    if "#object_type_xsd" not in lines:
        return {}
    pairs = zip(rows[lines[HEADER]], rows[lines["#object_type_xsd"]], strict=False)
    told = [(heading.strip(), kind.strip().removeprefix("xsd:")) for heading, kind in pairs]
    return {heading: TYPES[kind] for heading, kind in told if kind in TYPES}
