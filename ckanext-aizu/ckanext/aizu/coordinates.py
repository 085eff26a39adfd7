"""Which columns of a table are latitude and longitude, by the names that Japanese lists and GTFS give them."""

from collections.abc import Iterable

LATITUDE = ("緯度", "lat", "latitude", "stop_lat", "shape_pt_lat")
LONGITUDE = ("経度", "lon", "lng", "long", "longitude", "stop_lon", "shape_pt_lon")


def columns(names: Iterable[str]) -> tuple[str, str] | None:
    """The names of the columns of latitude and longitude, where a table has both."""
    known = {name.lower(): name for name in names}
    latitude = next((known[name] for name in LATITUDE if name in known), None)
    longitude = next((known[name] for name in LONGITUDE if name in known), None)
    return (latitude, longitude) if latitude and longitude else None
