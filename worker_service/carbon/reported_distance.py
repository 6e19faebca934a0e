"""Compares a reported distance with the great circle between the two places."""

import polars as pl

from worker_service.carbon.parse.row_warnings import with_thousands

# No trip is shorter than the great circle: below half of it, whatever the distance, it is doubtful.
_HALF = 0.5
# Nearer to it a place a few kilometres off, or a rounded figure, may be why.
_SHORTER, _SHORTER_KM = 0.9, 30.0
# Through a hub far off a short trip may be several times as long, but seldom so many.
_TIMES, _LONGER_KM = 5.0, 200.0
# What was probably reported instead of kilometres, and how many kilometres one of it is.
_OTHER_UNITS = (
    ("miles", 1.609344),
    ("nautical miles", 1.852),
    ("thousands of kilometres", 1_000.0),
    ("metres", 0.001),
)
# A reported distance is a little more than the great circle, if its unit is right.
_FITS_FROM, _FITS_TO = 0.97, 1.2


def is_doubtful_distance(reported: pl.Expr, circle: pl.Expr) -> pl.Expr:
    """Whether the reported kilometres are implausible. Null if one of the two is null.

    `circle` is the great circle in km. False if both places are the same: only the traveller knows
    the length of a round trip.
    """
    return _is_half(reported, circle) | _is_shorter(reported, circle) | _is_longer(reported, circle)


def doubt_of_distance(reported: pl.Expr, circle: pl.Expr, ends: tuple[pl.Expr, pl.Expr]) -> pl.Expr:
    """The reason for a doubtful distance, in words. `ends` are the two places as shown."""
    way = pl.format(
        "the great circle from {} to {}, {} km",
        *ends,
        with_thousands(circle.round(0)),
    )
    times = with_thousands((reported / circle).round(0))
    lengths = (
        pl.when(_is_half(reported, circle))
        .then(pl.format("is less than half of {}", way))
        .when(_is_shorter(reported, circle))
        .then(pl.format("is less than {}", way))
        .otherwise(pl.format("is {} times {}", times, way))
    )
    return pl.format("{}: {}", lengths, _question(reported, circle))


def _is_half(reported: pl.Expr, circle: pl.Expr) -> pl.Expr:
    return reported < _HALF * circle


def _is_shorter(reported: pl.Expr, circle: pl.Expr) -> pl.Expr:
    return (reported < _SHORTER * circle) & (circle - reported > _SHORTER_KM)


def _is_longer(reported: pl.Expr, circle: pl.Expr) -> pl.Expr:
    return (reported > _TIMES * circle) & (reported - circle > _LONGER_KM) & (circle > 0)


def _question(reported: pl.Expr, circle: pl.Expr) -> pl.Expr:
    fits = [
        pl.when((reported * km).is_between(_FITS_FROM * circle, _FITS_TO * circle)).then(
            pl.lit(f"are these {unit}? Write kilometres")
        )
        for unit, km in _OTHER_UNITS
    ]
    return pl.coalesce(*fits, pl.lit("is that correct?"))
