"""What columns are called in the files of other programs and of other languages."""

from collections.abc import Mapping
from types import MappingProxyType

# By the declared column: names in small letters, without spaces and underscores. In French, German
# and Italian where they differ from the English word by more than letters.
FOREIGN_NAMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "unit_institutional_id": frozenset(
            {
                *("unit", "unitid", "unitcode", "unitnumber", "code"),
                *("costcenter", "costcentre", "centredecoût", "centredecout", "centredecoûts"),
                *("unité", "unite", "codeunité", "codeunite", "numérounité", "cf"),
                *("einheit", "organisationseinheit", "oe", "kostenstelle"),
                *("unità", "unita", "centrodicosto"),
            }
        ),
        "parent_unit_id": frozenset(
            {"unitésupérieure", "unitéparente", "übergeordneteeinheit", "unitàsuperiore"}
        ),
        "user_institutional_id": frozenset(
            {
                *(
                    "sciper",
                    "traveller",
                    "traveler",
                    "employee",
                    "employeeid",
                    "person",
                    "personid",
                ),
                *("voyageur", "collaborateur", "matricule"),
                *("reisender", "reisende", "mitarbeiter", "personalnummer"),
                *("viaggiatore", "matricola"),
            }
        ),
        "name": frozenset({"nom", "libellé", "libelle", "bezeichnung", "nome", "label", "title"}),
        "country": frozenset({"pays", "land", "paese", "nation"}),
        "iata": frozenset({"code", "airport", "aéroport", "aeroport", "flughafen", "aeroporto"}),
        "latitude": frozenset({"breite", "breitengrad", "latitudine"}),
        "longitude": frozenset({"länge", "laenge", "längengrad", "lng", "longitudine"}),
        "origin_iata": frozenset(
            {
                *("from", "fromiata", "departure", "departureairport", "departurecode"),
                *("origine", "départ", "depart", "aéroportdedépart"),
                *("von", "abflug", "abflughafen", "partenza"),
            }
        ),
        "destination_iata": frozenset(
            {
                *("to", "toiata", "arrival", "arrivalairport", "arrivalcode"),
                *("arrivée", "arrivee", "aéroportdarrivée"),
                *("nach", "ziel", "zielflughafen", "ankunft", "arrivo", "destinazione"),
            }
        ),
        "cabin_class": frozenset(
            {
                *("class", "travelclass", "fareclass", "bookingclass", "servicelevel"),
                *("classe", "cabine", "klasse", "reiseklasse", "kabine", "cabina"),
            }
        ),
        "currency": frozenset({"währung", "waehrung", "devise", "monnaie", "valuta", "divisa"}),
        "departure_date": frozenset(
            {
                *(
                    "traveldate",
                    "flightdate",
                    "dateoftravel",
                    "dateofflight",
                    "day",
                    "outbounddate",
                ),
                *("datededépart", "datedevoyage", "datedevol", "jour"),
                *("datum", "abflugdatum", "reisedatum", "flugdatum", "tag", "reisetag", "flugtag"),
                *("data", "datadipartenza", "datadelviaggio", "datadelvolo", "giorno"),
            }
        ),
        "number_of_trips": frozenset(
            {
                *("count", "quantity", "flights", "nombredetrajets", "nombredevoyages"),
                *("anzahl", "anzahlflüge", "anzahlreisen", "numerodiviaggi"),
            }
        ),
        "distance_km": frozenset(
            {
                *("km", "kilometers", "kilometres", "kilomètres", "kilometer"),
                *("distanz", "strecke", "entfernung", "distanza"),
            }
        ),
        "kg_co2eq": frozenset({"co2", "co2e", "co2kg", "kgco2", "kgco2e"}),
        "note": frozenset({"comment", "remark", "commentaire", "remarque", "bemerkung", "nota"}),
        "category": frozenset({"catégorie", "categorie", "kategorie", "categoria", "haul"}),
        "ef_kg_co2eq_per_km": frozenset(
            {
                *("emissionfactor", "factor", "ef", "kgco2eperkm", "kgco2eqperkm"),
                *("facteurdémission", "facteur", "emissionsfaktor", "fattorediemissione"),
            }
        ),
        "rfi_adjustment": frozenset({"radiativeforcing", "forçageradiatif", "strahlungsantrieb"}),
        "min_distance": frozenset({"from", "fromkm", "mindistanz", "distancemin"}),
        "max_distance": frozenset({"to", "tokm", "maxdistanz", "distancemax"}),
        "detour_km": frozenset({"detour", "détour", "umweg"}),
    }
)
