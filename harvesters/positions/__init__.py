"""Positions of vehicles: every shape in which feeds and logs send them, into one table."""

from harvesters.city import Bbox, Feed
from harvesters.columns import known_headings
from harvesters.positions import documents, logs, records
from harvesters.positions.table import Positions, positions
from harvesters.positions.tracks import ROW

__all__ = ["ROW", "Positions", "read"]


def read(content: bytes, filename: str, feed: Feed, bbox: Bbox) -> Positions:
    """One file, recognised by what is in it and not by its name."""
    if documents.is_json(content):
        raw = records.read(content, feed.dataset.fields)
    else:
        raw = logs.read(content, known_headings(feed))
    return positions(raw, feed, filename, bbox)
