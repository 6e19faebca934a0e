"""Kilometres between airports, by hand: aerodrome reference points, decimal degrees."""

from math import asin, cos, radians, sin, sqrt

# As the aeronautical information publications of the countries give them.
PLACES = {
    "AMS": (52.3081, 4.7642),
    "BRU": (50.9014, 4.4844),
    "CDG": (49.0097, 2.5478),
    "FRA": (50.0333, 8.5706),
    "GVA": (46.2381, 6.1089),
    "LHR": (51.4775, -0.4614),
    "LUX": (49.6267, 6.2044),
    "ZRH": (47.4581, 8.5481),
}


def km(origin: str, destination: str) -> float:
    """The great circle on the mean radius of the Earth."""
    (lat1, lon1), (lat2, lon2) = (map(radians, PLACES[code]) for code in (origin, destination))
    a = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(a))
