"""Distances on the globe as column expressions."""

import polars as pl

EARTH_KM = 6371.01
KM_PER_DEGREE = 111.195


def distance_km(lat: pl.Expr, lon: pl.Expr, other_lat: pl.Expr, other_lon: pl.Expr) -> pl.Expr:
    """Great-circle distance by the haversine formula."""
    half_north = ((other_lat - lat).radians() / 2).sin()
    half_east = ((other_lon - lon).radians() / 2).sin()
    chord = half_north**2 + lat.radians().cos() * other_lat.radians().cos() * half_east**2
    return 2 * EARTH_KM * chord.clip(0, 1).sqrt().arcsin()


def nearest_on_line_km(
    lat: pl.Expr,
    lon: pl.Expr,
    start: tuple[pl.Expr, pl.Expr],
    end: tuple[pl.Expr, pl.Expr],
) -> tuple[pl.Expr, pl.Expr]:
    """Distance of a point to a short straight line, and how far along the line the nearest point lies.

    Reckoned on a plane that touches the globe at the point.
    """
    narrow = lat.radians().cos()
    x1, y1 = (start[1] - lon) * narrow, start[0] - lat
    x2, y2 = (end[1] - lon) * narrow, end[0] - lat
    dx, dy = x2 - x1, y2 - y1
    length = dx**2 + dy**2
    along = pl.when(length > 0).then(-(x1 * dx + y1 * dy) / length).otherwise(0.0).clip(0, 1)
    distance = ((x1 + along * dx) ** 2 + (y1 + along * dy) ** 2).sqrt()
    return distance * KM_PER_DEGREE, along * length.sqrt() * KM_PER_DEGREE
