"""What is harvested: one job for each source of a city."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from harvesters import beside, keep
from harvesters.city import City, Feed, load_city
from harvesters.errors import ConfigurationError
from harvesters.fetch import Snapshot
from harvesters.publish import Published, dataset_name
from harvesters.settings import Settings
from harvesters.source import Progress, Source
from harvesters.sources import bus, bus_live, deep_log, hydrant, library, library_seats, snowplow
from harvesters.words import Words

T = TypeVar("T")
SOURCES: tuple[Source, ...] = (
    *(hydrant, bus, bus_live, library, library_seats, snowplow, deep_log),
)

Tell = Callable[[str, Words], None]
"""Told the name of a step and how it went."""
Guard = Callable[[int], int | None]
"""Gives the number of the run, higher than that one, which goes to the portal with all that is said.

None: nobody numbers the runs. It raises where the run is another worker's by now.
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One source of one city, and all that is needed to harvest it."""

    settings: Settings
    city: City
    feed: Feed
    source: Source
    folder: keep.Folder
    tell: Tell
    progress: Progress
    guard: Guard = field(default=lambda _above: None)
    """Asked before the portal is told anything."""
    ask: "Ask | None" = None
    """Asks the portal whether it has what would be published; unless told otherwise, at once."""
    override_reason: str = ""
    """Why a steward approves what the portal's gate would hold back."""

    def beside(self, name: str) -> Snapshot | None:
        """What another source of the city had brought last, the same all the time."""
        if name not in self._beside:
            folder = keep.folder(self.settings.var, self.city.id, name)
            feed = self.city.feeds.get(name)
            self._beside[name] = (
                beside.last(self.settings, dataset_name(self.city, feed), folder)
                if feed
                else folder.last_snapshot()
            )
        return self._beside[name]

    @cached_property
    def _beside(self) -> dict[str, Snapshot | None]:
        return {}


Ask = Callable[[Job, str], Published | None]
"""Told a job and the fingerprint of what its source has; answers where readers have that already."""


def silent(*_: object) -> None:
    """Told how a job goes: nobody sits at a terminal, or machines read what is printed."""


def of_city(
    settings: Settings,
    city: str,
    names: list[str],
    tell: Tell = silent,
    progress: Progress = silent,
) -> list[Job]:
    """The jobs of a city: those named, or all that its file lists."""
    return of_loaded(settings, load_city(city, *settings.servers), names, tell, progress)


def of_loaded(
    settings: Settings,
    city: City,
    names: list[str],
    tell: Tell = silent,
    progress: Progress = silent,
) -> list[Job]:
    """The same of a city whose file has been read."""
    known = {source.name: source for source in SOURCES}
    return [
        Job(
            settings=settings,
            city=city,
            feed=_known(city.feeds, name, f"schemas/cities/{city.id}.yaml"),
            source=_known(known, name, "aizu list"),
            folder=keep.folder(settings.var, city.id, name),
            tell=tell,
            progress=progress,
        )
        for name in names or city.feeds
    ]


def no_address(job: Job) -> ConfigurationError:
    """What is said of a source that can only be handed over as a file."""
    return ConfigurationError(
        f"{job.feed.file}: sources.{job.source.name}.url がないか、その中の AIZU_CITY_URL が"
        "設定されていません。--from でファイルを渡すこともできます。",
        f"{job.feed.file}: sources.{job.source.name}.url is empty, or the setting "
        "AIZU_CITY_URL in it is; a file can be handed over with --from",
    )


def _known(known: dict[str, T], name: str, where: str) -> T:
    if name not in known:
        names = ", ".join(known)
        raise ConfigurationError(
            f"{name} は {where} にありません。あるもの: {names}",
            f"{name} is not in {where}; there are: {names}",
        )
    return known[name]
