"""Airports whose place in the package airportsdata is wrong, each with the right one."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Correction:
    """Where an airport is, in degrees, and why the package's place is not taken.

    `name` is the one of the newer airport, where the package has the older one's.
    """

    latitude: float
    longitude: float
    reason: str
    source: str
    name: str = ""


# The package has 50.5405 for 50 degrees 54 minutes 05 seconds: its digits, read rightly, are the
# published reference points. OurAirports has each within 1.3 km of them.
_SECONDS = "degrees, minutes and seconds were read as decimals"
_MOVED = "the code moved to a newer airport"
_ELSEWHERE = "the package has a place 5 km or more away from the runways"
_BELGIUM = "AIP Belgium and Luxembourg, AD 2.2, aerodrome reference point"
_INDIA = "AIP India, AD 2.2, aerodrome reference point"
_OURAIRPORTS = "OurAirports, public domain; a second list has it within 2 km"

CORRECTIONS: Mapping[str, Correction] = MappingProxyType(
    {
        "ANR": Correction(51.1894, 4.4603, _SECONDS, _BELGIUM),
        "BRU": Correction(50.9014, 4.4844, _SECONDS, _BELGIUM),
        "CIF": Correction(42.1597, 118.841, _MOVED, _OURAIRPORTS, "Chifeng Yulong Airport"),
        "CRL": Correction(50.46, 4.4528, _SECONDS, _BELGIUM),
        "DLZ": Correction(43.6086, 104.3677, _ELSEWHERE, _OURAIRPORTS),
        "ENO": Correction(-27.2275, -55.8376, _ELSEWHERE, _OURAIRPORTS),
        "ENY": Correction(36.4794, 109.4641, _MOVED, _OURAIRPORTS, "Yan'an Nanniwan Airport"),
        "GAE": Correction(33.7337, 9.9194, _ELSEWHERE, _OURAIRPORTS),
        "HNY": Correction(26.7221, 112.618, _MOVED, _OURAIRPORTS, "Hengyang Nanyue Airport"),
        "IQM": Correction(38.2345, 85.4655, _MOVED, _OURAIRPORTS, "Qiemo Yudu Airport"),
        "ISG": Correction(24.3964, 124.245, _MOVED, _OURAIRPORTS, "New Ishigaki Airport"),
        "KJK": Correction(50.8186, 3.2092, _SECONDS, _BELGIUM),
        "KMG": Correction(
            25.1103, 102.9367, _MOVED, _OURAIRPORTS, "Kunming Changshui International Airport"
        ),
        "KOW": Correction(25.8533, 114.7789, _MOVED, _OURAIRPORTS, "Ganzhou Huangjin Airport"),
        "KRL": Correction(41.615, 86.1408, _ELSEWHERE, _OURAIRPORTS),
        "LGG": Correction(50.6364, 5.4428, _SECONDS, _BELGIUM),
        "LUX": Correction(49.6233, 6.2044, _SECONDS, _BELGIUM),
        "LYG": Correction(
            34.4141, 119.179, _MOVED, _OURAIRPORTS, "Lianyungang Huaguoshan International Airport"
        ),
        "LZO": Correction(29.0304, 105.4684, _MOVED, _OURAIRPORTS, "Luzhou Yunlong Airport"),
        "MYQ": Correction(12.23, 76.6558, _ELSEWHERE, _OURAIRPORTS),
        "NKC": Correction(
            18.31, -15.9697, _MOVED, _OURAIRPORTS, "Nouakchott-Oumtounsy International Airport"
        ),
        "NMI": Correction(18.9944, 73.0703, _SECONDS, _INDIA),
        "OKL": Correction(-4.9071, 140.6277, _ELSEWHERE, _OURAIRPORTS),
        "OST": Correction(51.1989, 2.8622, _SECONDS, _BELGIUM),
        "SHS": Correction(30.2928, 112.4485, _MOVED, _OURAIRPORTS, "Jingzhou Shashi Airport"),
        "SOQ": Correction(-0.894, 131.287, _MOVED, _OURAIRPORTS, "Domine Eduard Osok Airport"),
        "SWA": Correction(
            23.552, 116.5033, _MOVED, _OURAIRPORTS, "Jieyang Chaoshan International Airport"
        ),
        "SXK": Correction(-7.8484, 131.3371, _MOVED, _OURAIRPORTS, "Mathilda Batlayeri Airport"),
        "UYN": Correction(38.3597, 109.5909, _MOVED, _OURAIRPORTS, "Yulin Yuyang Airport"),
        "WCH": Correction(-42.7819, -72.835, _MOVED, _OURAIRPORTS, "Nuevo Chaiten Airport"),
    }
)


def corrections_sentence() -> str:
    """What a person is told who loads the package's airports."""
    named = ", ".join(sorted(CORRECTIONS))
    return (
        f"{len(CORRECTIONS)} airports have wrong coordinates in the package airportsdata;"
        f" carbonline uses corrected ones: {named}."
    )
