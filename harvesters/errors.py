"""Everything that stops a harvest, sorted by who must act, with the exit code of each.

::

    HarvestError
    ├── TryAgainLaterError           the source may be well again at the next run
    │   ├── UnreachableError         no connection, or no answer in time                     3
    │   ├── SourceFailedError        the server answers that it has failed (5xx, 429)        3
    │   ├── TruncatedError           fewer bytes came than were announced                    1
    │   ├── DeadlineError            the run took longer than it may                         1
    │   ├── RunningError             the source is being harvested by somebody else          1
    │   └── SupersededError          another worker has taken the run over                   1
    ├── SomebodyMustLookError        a person must correct the list, its address or our files
    │   ├── ConfigurationError       a setting, a descriptor or a city file                  2
    │   ├── AddressError             the server answers, but not with this file (404, 403)   3
    │   ├── NotTheListError          a web page, nothing, a binary file, an unknown encoding 1
    │   ├── ColumnsError             the headings are not those that were agreed             1
    │   ├── InvalidTableError        the table breaks its schema or a rule of the city       1
    │   └── GateError                more would change than may without a steward's word     1
    ├── PortalError                  the portal did not take what was good
    │   ├── PortalUnreachableError   no answer                                               4
    │   ├── QueueUnreachableError    the portal's Redis, where runs are queued, cannot be used 4
    │   └── PortalRefusedError       an answer, and it was no                                4
    │       ├── NotInCatalogueError  the portal knows no such dataset                        4
    │       └── OutrunError          a run with a higher number has been at the portal       4
    └── OwnFaultError                our program has failed; its developers must mend it     1

Whoever runs a harvest writes::

    try:
        run(job)
    except HarvestError as error:
        print(error.words.ja)
        sys.exit(error.exit_code)

Please draw a new error here before adding it below.
"""

from typing import Any, ClassVar, Literal

from harvesters.words import Words

Cause = Literal["source", "data", "gate", "program"]


class HarvestError(Exception):
    """A harvest has stopped; the catalogue keeps what it had."""

    exit_code: ClassVar[int] = 1
    cause: ClassVar[Cause] = "program"
    """What the portal is told: where the fault is, and so whether somebody must look."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(en)
        self.words = Words(ja, en)


class TryAgainLaterError(HarvestError):
    """Nothing is known to be wrong with the list; the next run may succeed."""

    cause: ClassVar[Cause] = "source"


class UnreachableError(TryAgainLaterError):
    """The server could not be reached, or did not answer in time."""

    exit_code = 3


class SourceFailedError(TryAgainLaterError):
    """The server says that it has failed or is busy, and perhaps for how many seconds."""

    exit_code = 3

    def __init__(self, ja: str, en: str, retry_after: float = 0.0) -> None:
        super().__init__(ja, en)
        self.retry_after = retry_after


class TruncatedError(TryAgainLaterError):
    """The connection ended before the announced length."""


class DeadlineError(TryAgainLaterError):
    """The run has taken longer than it may."""


class RunningError(TryAgainLaterError):
    """Runs of one source never overlap, and another one is going on."""


class SupersededError(TryAgainLaterError):
    """The worker was thought dead, and its run given to another; only that one may publish."""


class SomebodyMustLookError(HarvestError):
    """The next run will fail like this one, until a person changes something."""

    cause: ClassVar[Cause] = "data"


class ConfigurationError(SomebodyMustLookError):
    """A setting, a descriptor or a city file cannot be used."""

    exit_code = 2
    cause: ClassVar[Cause] = "program"


class AddressError(SomebodyMustLookError):
    """The server is well, but has no such file for us."""

    exit_code = 3


class NotTheListError(SomebodyMustLookError):
    """What came cannot be read as a table at all."""


class ColumnsError(SomebodyMustLookError):
    """A needed column is missing, or one came that nobody has accounted for."""


class InvalidTableError(SomebodyMustLookError):
    """The table was read, but breaks its schema or a rule of the city; the report tells where."""

    def __init__(self, ja: str, en: str, report: dict[str, Any]) -> None:
        super().__init__(ja, en)
        self.report = report


class GateError(SomebodyMustLookError):
    """The list is valid, but so much of it is gone or changed that a steward must approve it.

    Where the portal holds what was sent, `page` is the address at which he can look at it.
    """

    def __init__(self, ja: str, en: str, page: str = "") -> None:
        super().__init__(ja, en)
        self.page = page

    cause: ClassVar[Cause] = "gate"


class PortalError(HarvestError):
    """The list is good, but the portal did not take it."""

    exit_code = 4


class PortalUnreachableError(PortalError):
    """The portal did not answer."""


class QueueUnreachableError(PortalError):
    """The portal's Redis did not answer, or not to us."""


class PortalRefusedError(PortalError):
    """The portal answered, and it was no."""


class NotInCatalogueError(PortalRefusedError):
    """The portal knows no such dataset yet."""


class OutrunError(PortalRefusedError):
    """The portal has heard of a run with a higher number: ours is over, or the journal has lost its memory."""

    def __init__(self, ja: str, en: str, highest: int) -> None:
        super().__init__(ja, en)
        self.highest = highest


class OwnFaultError(HarvestError):
    """Nobody has foreseen what happened; the traceback is in error.log."""
