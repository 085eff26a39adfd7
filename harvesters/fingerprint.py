"""One text for all that a publication follows from: as long as it is the same, so is the publication."""

import hashlib
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from harvesters.fetch import Snapshot
from harvesters.jobs import Job

PACKAGE = Path(__file__).parent
NAME = "aizu-portal"


def of(job: Job, snapshot: Snapshot) -> str:
    """The source's answer, what lies beside it, and every rule by which it is read and judged."""
    beside = [job.beside(name) for name in job.source.looks_at]
    answers = [
        (one.url, one.filename, one.media_type, one.sha256) if one else None
        for one in (snapshot, *beside)
    ]
    made = (program(), job.source.name, job.city, job.feed, answers)
    return hashlib.sha256(repr(made).encode()).hexdigest()


@cache
def program() -> str:
    """This program: an update of it, or of what it works with, may read the same file otherwise."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(PACKAGE.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.read_bytes())
    for requirement in metadata.requires(NAME) or []:
        if "extra ==" not in requirement:
            (name,) = re.findall(r"^[\w.-]+", requirement)
            digest.update(f"{name} {metadata.version(name)}".encode())
    return digest.hexdigest()
