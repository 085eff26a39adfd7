"""What schemas/cities/<city>.yaml says about a city and its sources, read and checked once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from harvesters.configuration import Part, read_part
from harvesters.dataset import (
    Bounds,
    Dataset,
    Field,
    Origin,
    load,
    read_bounds,
    read_field,
    read_origin,
    read_words,
)
from harvesters.schedule import Schedule, read_duration, read_schedule
from harvesters.words import Words

CATALOGUE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,60}")


@dataclass(frozen=True, kw_only=True)
class Bbox:
    """The outermost longitudes and latitudes of the city, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: float, latitude: float) -> bool:
        """Whether a position lies inside or on the edge."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


@dataclass(frozen=True, kw_only=True)
class Department:
    """An office of the city: an organisation of the catalogue."""

    name: str
    title: Words
    description: Words
    email: str


@dataclass(frozen=True, kw_only=True)
class Feed:
    """How one city offers one dataset: the address, who answers for it, and its own columns."""

    dataset: Dataset
    url: str
    addresses: dict[str, str]
    """Further addresses by name, for a source that asks several."""
    department: Department
    themes: tuple[str, ...]
    licence: str
    attribution: Words
    simulated: bool
    schedule: Schedule
    deadline: int
    """Seconds after which a run is given up."""
    rows: Bounds
    columns: dict[str, Origin]
    constants: dict[str, str]
    extra: tuple[Field, ...]
    ignore: tuple[str, ...]
    file: str
    """The city file, for messages that tell what to write into it."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers that are asked for it, each with its port."""
        addresses = self.all_addresses.values()
        return tuple(sorted({urlsplit(address).netloc for address in addresses}))

    @property
    def all_addresses(self) -> dict[str, str]:
        """All that are given; the first is named by the end of its path, or else as the dataset."""
        own = PurePosixPath(urlsplit(self.url).path).stem
        if own in {"", *self.addresses}:
            own = self.dataset.name
        every = {own: self.url, **self.addresses}
        return {name: url for name, url in every.items() if url}

    def expected_by(self, now: datetime) -> str:
        """From when on the next check is overdue, ISO 8601; never, where there is no address to ask."""
        if not self.url:
            return ""
        late = self.schedule.overdue(now.timestamp()) + self.deadline
        return datetime.fromtimestamp(late, UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class City:
    """A municipality and what is harvested from it."""

    id: str
    code: str
    name: Words
    prefecture: Words
    bbox: Bbox
    feeds: dict[str, Feed]


def load_city(city: str, city_url: str = "", portal_url: str = "") -> City:
    """The city file; in addresses {AIZU_CITY_URL} becomes city_url, {AIZU_PORTAL_URL} portal_url."""
    servers = {"{AIZU_CITY_URL}": city_url, "{AIZU_PORTAL_URL}": portal_url}
    part = read_part("cities", f"{city}.yaml")
    departments = [_department(one) for one in part.parts("departments")]
    themes = [one.text("name") for one in part.parts("themes")]
    part.anything("map")  # the portal's
    sources = part.part("sources")
    loaded = City(
        id=city,
        code=_code(part),
        name=read_words(part, "name"),
        prefecture=read_words(part, "prefecture"),
        bbox=_bbox(part.part("bbox")),
        feeds={
            name: _feed(sources.part(name), name, departments, themes, servers)
            for name in sources.rest()
        },
    )
    part.all_read()
    return loaded


def _code(part: Part) -> str:
    code = part.text("code")
    if not re.fullmatch(r"\d{6}", code):
        part.wrong("code", "6 桁の数字", "six digits", code)
    return code


def _bbox(part: Part) -> Bbox:
    bbox = Bbox(**{side: part.number(side) for side in ("west", "south", "east", "north")})
    if bbox.west >= bbox.east or bbox.south >= bbox.north:
        part.wrong("", "west < east、south < north", "west < east, south < north", bbox)
    part.all_read()
    return bbox


def _department(part: Part) -> Department:
    name = part.text("name")
    if not CATALOGUE_NAME.fullmatch(name):
        part.wrong("name", "英小文字・数字・ハイフン", "lower-case letters, digits, hyphens", name)
    department = Department(
        name=name,
        title=read_words(part, "title"),
        description=Words(part.text("description", ""), part.text("description_en", "")),
        email=part.text("email"),
    )
    part.all_read()
    return department


def _feed(
    part: Part,
    name: str,
    departments: list[Department],
    themes: list[str],
    servers: Mapping[str, str],
) -> Feed:
    dataset = load(name)
    offices = {department.name: department for department in departments}
    schedule = _schedule(part)
    feed = Feed(
        dataset=dataset,
        url=_address(part.text("url", ""), servers),
        addresses=_addresses(part.part("addresses", {}), servers),
        department=offices[part.one_of("department", offices)],
        themes=_themes(part, themes),
        licence=part.text("licence"),
        attribution=Words(part.text("attribution", ""), part.text("attribution_en", "")),
        simulated=part.flag("simulated", default=False),
        schedule=schedule,
        deadline=_deadline(part, schedule),
        rows=read_bounds(part.part("rows", {}), dataset.rows),
        columns=_columns(part.part("columns", {}), dataset),
        constants=_constants(part.part("constants", {}), dataset),
        extra=tuple(_extra(one, dataset) for one in part.parts("extra", [])),
        ignore=part.texts("ignore", []),
        file=part.file,
    )
    part.all_read()
    return feed


def _schedule(part: Part) -> Schedule:
    text = part.text("schedule")
    try:
        return read_schedule(text)
    except ValueError:
        part.wrong(
            "schedule",
            "cron の 5 項目（例 0 3 * * *）か every 30 s のような間隔",
            "the five fields of cron (0 3 * * *) or an interval like every 30 s",
            text,
        )


def _deadline(part: Part, schedule: Schedule) -> int:
    text = part.text("deadline", "")
    try:
        return read_duration(text) if text else schedule.deadline
    except ValueError:
        part.wrong("deadline", "30 s か 5 min のような長さ", "a time like 30 s or 5 min", text)


def _address(address: str, servers: Mapping[str, str]) -> str:
    """The address, or nothing where the setting that it needs is not given."""
    for name, server in servers.items():
        if name in address:
            return address.replace(name, server) if server else ""
    return address


def _addresses(part: Part, servers: Mapping[str, str]) -> dict[str, str]:
    return {name: _address(part.text(name), servers) for name in part.rest()}


def _themes(part: Part, known: list[str]) -> tuple[str, ...]:
    chosen = part.texts("themes")
    if stray := [name for name in chosen if name not in known]:
        part.wrong(
            "themes", f"次のどれか: {', '.join(known)}", f"some of: {', '.join(known)}", stray
        )
    return chosen


def _columns(part: Part, dataset: Dataset) -> dict[str, Origin]:
    return {name: read_origin(part, part.anything(name)) for name in _standard_names(part, dataset)}


def _constants(part: Part, dataset: Dataset) -> dict[str, str]:
    return {name: part.text(name) for name in _standard_names(part, dataset)}


def _standard_names(part: Part, dataset: Dataset) -> list[str]:
    """The keys of a mapping, all of which must be columns of the standard."""
    standard = [field.name for field in dataset.fields]
    names = part.rest()
    if stray := [name for name in names if name not in standard]:
        known = ", ".join(standard)
        part.wrong(str(stray[0]), f"標準の列名: {known}", f"a standard column: {known}", stray[0])
    return names


def _extra(part: Part, dataset: Dataset) -> Field:
    """A column of the city's own: a field with one origin."""
    heading = part.text("source")
    field = read_field(part, described_as=heading)
    if field.name in {standard.name for standard in dataset.fields}:
        part.wrong("name", "標準に無い列名", "a name that the standard does not have", field.name)
    return Field(
        name=field.name,
        type=field.type,
        title=field.title,
        description=field.description,
        constraints=field.constraints,
        origins=(Origin(headings=(heading,)),),
    )
