"""Finds the units of measure that the name of a column says, and the way that it says."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

# Names of strangers: so many are kept.
_KEPT = 4_096


def _spelt(**units: str) -> Mapping[str, str]:
    """Spelling -> unit, of lists of spellings. The name of a unit is a spelling, too."""
    return {
        spelling: unit
        for unit, spellings in units.items()
        for spelling in (unit, *spellings.split())
    }


# What is measured -> spelling in small letters -> unit. In English, French, German and Italian.
# Words that mean something else in most names are left out, such as "min", "an" and "fr".
_UNITS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "length": _spelt(
            km="kilometer kilometers kilometre kilometres kilomètre kilomètres kilometern"
            " chilometro chilometri",
            mi="mile miles milles meile meilen miglio miglia",
            nm="nmi nautical seemeile seemeilen nautique nautiques nautiche",
            m="meter meters metern metre metres mètre mètres metri",
            ft="feet foot",
            yd="yard yards",
            cm="",
        ),
        "area": _spelt(
            m2="m² sqm qm mq quadratmeter",
            ft2="ft² sqft sf",
            ha="hectare hectares hektar",
            acre="acres",
        ),
        "volume": _spelt(
            m3="m³ cbm kubikmeter",
            l="liter liters litern litre litres litro litri",
            hl="hectolitre hectolitres hektoliter",
            ml="",
            gal="gallon gallons",
            ft3="ft³",
            ccf="",
            mcf="",
            bbl="barrel barrels",
        ),
        "mass": _spelt(
            kg="kgs kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes chilogrammi",
            g="gr gram grams gramm gramme grammes grammi",
            mg="",
            t="tonne tonnes tonnen tonnellata tonnellate",
            # Of a thousand kilograms, or of 2,000 pounds.
            ton="tons",
            mt="",
            kt="",
            lb="lbs pound pounds pfund livres",
            oz="ounce ounces",
        ),
        "energy": _spelt(
            wh="",
            kwh="kilowattstunde kilowattstunden kilowattheure kilowattheures kilowattora",
            mwh="megawattstunde megawattstunden megawattheure megawattheures megawattora",
            gwh="gigawattstunden",
            j="joule joules",
            kj="",
            mj="megajoule megajoules",
            gj="gigajoule gigajoules",
            tj="terajoule terajoules",
            btu="",
            kbtu="",
            mmbtu="",
            therm="therms",
            dth="dekatherm dekatherms",
            kcal="",
        ),
        "power": _spelt(
            w="watt watts", kw="kilowatt kilowatts", mw="megawatt", va="", kva="", hp=""
        ),
        "money": _spelt(
            eur="euro euros €",
            gbp="sterling £",
            cny="yuan rmb",
            jpy="yen",
            # Of several countries.
            dollar="dollars $",
            franc="francs franken franchi sfr",
            usd="us$",
            **dict.fromkeys(("aud", "cad", "chf", "czk", "dkk", "nok", "pln", "sek"), ""),
        ),
        "time": _spelt(
            second="seconds sekunden secondes",
            minute="minutes minuten minuti",
            hour="h hr hrs hours std stunde stunden heure heures ora ore",
            day="days daily tag tage tagen täglich jour jours giorno giorni",
            week="weeks weekly woche wochen semaine semaines settimana settimane",
            month="months monthly monat monate mois mese mesi",
            year="years yearly annual jahr jahre jährlich annuel annuelle année années anno anni",
        ),
        "share": _spelt(
            percent="% pct ‰ prozent pourcent percento percentage pourcentage percentuale"
        ),
        "scale": _spelt(
            thousand="k thousands tausend tsd tds milliers mille migliaia 000 1000",
            million="millions mio million millionen milioni",
        ),
    }
)
_UNIT_OF = MappingProxyType(
    {spelling: (of, unit) for of, units in _UNITS.items() for spelling, unit in units.items()}
)
_PHRASES = (
    (re.compile(r"\b(?:square|sq\.?) ?(?:met(?:er|re)s?|m)\b|\bm(?:ètres?)? ?carrés?"), " m2 "),
    (re.compile(r"\bmetri quadr(?:at)?i\b"), " m2 "),
    (re.compile(r"\b(?:square|sq\.?) ?(?:foot|feet|ft)\b"), " ft2 "),
    (re.compile(r"\b(?:cubic|cu\.?) ?(?:met(?:er|re)s?|m)\b|\bm(?:ètres?)? ?cubes?"), " m3 "),
    (re.compile(r"\bmetri cubi\b"), " m3 "),
    (re.compile(r"\b(?:cubic|cu\.?) ?(?:foot|feet|ft)\b"), " ft3 "),
    (re.compile(r"\b(kilo|mega|giga)watt[ -]?h(?:ou)?rs?\b"), r" \1wattstunden "),
    (re.compile(r"\b(?:nautical miles?|milles? (?:nautiques?|marins?)|miglia nautiche)\b"), " nm "),
    # French and Italian words before a vowel: their "l" is not a litre.
    (re.compile(r"\b(?:l|d|qu|dell|dall|nell|all)['\u2019]"), " "),
    (re.compile(r"([€$£%‰])"), r" \1 "),
)
_MASS_OF_CO2 = re.compile(r"(kg|g|t|mt|kt|lbs?)co[2₂](?:e|eq)?|co[2₂](?:e|eq)?(kg|g|t|mt|kt|lbs?)")
_SCALED_MONEY = re.compile(r"(k|t|mio|m)([a-z]{3})")
# Words before which or behind which a unit may stand without a space.
_STEMS = re.compile(
    r"(?:distan[czt][ae]?|dist|strecke|entfernung|detour|umweg|from|to|von|bis|min|max|amount|price"
    r"|betrag|preis|kosten|montant|prix|co[uû]t|importo|prezzo|total|spent|quantity|qty|menge"
    r"|quantité|quantità|weight|gewicht|poids|peso|energ(?:y|ie|ia)|surface|area|fläche|superficie"
    r"|consumption|verbrauch|consommation|consumo|power|leistung|puissance|potenza|hours|coefto)+"
)


@lru_cache(maxsize=_KEPT)
def units_in_name(name: str) -> Mapping[str, frozenset[str]]:
    """What is measured -> its units, of a name in small letters.

    {"length": {"mi"}} of "dist_mi".
    """
    text = name.replace("_", " ")
    for phrase, written in _PHRASES:
        text = phrase.sub(written, text)
    found: dict[str, set[str]] = {}
    for word in re.findall(r"[^\W_]+|[€$£%‰]", text):
        for of, unit in _units_of(word):
            found.setdefault(of, set()).add(unit)
    return MappingProxyType({of: frozenset(units) for of, units in found.items()})


def _units_of(word: str) -> Iterator[tuple[str, str]]:
    if (known := _UNIT_OF.get(word)) is not None:
        yield known
    elif mass := _MASS_OF_CO2.fullmatch(word):
        yield _UNIT_OF[mass[1] or mass[2]]
    elif (scaled := _SCALED_MONEY.fullmatch(word)) and scaled[2] in _UNITS["money"]:
        yield "scale", "million" if scaled[1].startswith("m") else "thousand"
        yield "money", _UNITS["money"][scaled[2]]
    else:
        yield from _unit_at_an_end(word)


def _unit_at_an_end(word: str) -> Iterator[tuple[str, str]]:
    for at in range(1, len(word)):
        for unit, rest in ((word[at:], word[:at]), (word[:at], word[at:])):
            if (known := _UNIT_OF.get(unit)) is not None and _STEMS.fullmatch(rest):
                yield known
                return


class Way(StrEnum):
    """What the name of a column says of where something begins or ends."""

    BEGIN = "begin"
    END = "end"
    BACK = "back"


# Words, and with * beginnings of words.
_WAYS: Mapping[Way, str] = MappingProxyType(
    {
        # No "depart*" and "origin*": a department and an original are no beginnings.
        Way.BEGIN: "from origin origins origine orig departure departures departing depart départ"
        " départs dep outbound aller andata start* source sender absend* expéditeur expediteur"
        " mittente pickup takeoff embark* von abflug* abfahr* abreise* ab herkunft* hinreise*"
        " hinflug* hinfahrt* partenz* provenienza provenance min minimum mindest* lower",
        Way.END: "to arriv* arr destin* dest nach ankunft* ziel* end ende fin receiver recipient"
        " empfäng* empfaeng* target landing landung dropoff bis until jusqu* max maximum höchst*"
        " upper",
        Way.BACK: "return* round roundtrip roundtrips retour* rück* rueck* ritorno inbound back"
        " heimreise* heimflug* heimfahrt*",
    }
)
_EXACT = MappingProxyType(
    {word: way for way, words in _WAYS.items() for word in words.split() if "*" not in word}
)
_BEGINNINGS = tuple(
    (word.rstrip("*"), way) for way, words in _WAYS.items() for word in words.split() if "*" in word
)


@lru_cache(maxsize=_KEPT)
def ways_in_name(name: str) -> frozenset[Way]:
    """Which ways a name in small letters says: BEGIN and END of "From/To"."""
    return frozenset(way for word in re.findall(r"[^\W_]+", name) if (way := _way_of(word)))


# Words of names of places.
_PLACES = re.compile(
    r"airport|a[ée]roport|hafen|iata|codes?$|station|gare|bahnhof|stazione|city|stadt|ville"
    r"|citt[àa]|place|location|lieu|luogo|ort$"
)
# What is not a place at either end: behind a way in one word, as in German.
_NO_PLACES = re.compile(r"(?:land|zeit|datum|tag|währung|linie|terminal)$")
# Shorter words say nothing.
_TELLING_CHARACTERS_MIN = 4


def telling_words(name: str) -> list[str]:
    """The words of a name in small letters that are long enough to say something."""
    words = re.findall(r"[^\W\d_]+", name)
    return [word for word in words if len(word) >= _TELLING_CHARACTERS_MIN]


def may_be_a_place(name: str) -> bool:
    """Whether a name says nothing but a way and a place: not "Departure country"."""
    words = telling_words(name)
    ways = [word for word in words if _way_of(word) and not _NO_PLACES.search(word)]
    return all(word in ways or _PLACES.search(word) for word in words)


def _way_of(word: str) -> Way | None:
    if word in _EXACT:
        return _EXACT[word]
    return next((way for start, way in _BEGINNINGS if word.startswith(start)), None)
