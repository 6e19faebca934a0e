"""The tree of emission types, named by their paths, with their GHG scopes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROOM_TYPES = ("office", "miscellaneous", "laboratories", "archives", "libraries", "auditoriums")


@dataclass(frozen=True, slots=True)
class EmissionType:
    """A node: its path (`professional_travel.plane.eco`) and GHG scope, 1, 2 or 3.

    `scope` is None if the GHG scopes of its children differ. Emissions are never booked there.
    """

    path: str
    scope: int | None

    @property
    def parent(self) -> str | None:
        """The path of the parent node. None for a root."""
        head, dot, _ = self.path.rpartition(".")
        return head if dot else None


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    children: tuple["_Node", ...] = ()
    scope: int | None = None


def _node(name: str, *children: "str | _Node", scope: int | None = None) -> _Node:
    return _Node(name, tuple(_Node(c) if isinstance(c, str) else c for c in children), scope)


# A GHG scope holds for all nodes below, unless one has its own.
_ROOTS = (
    # People whose kilograms are given as one number, whatever they are from.
    _node("headcount", scope=3),
    _node("food", "vegetarian", "non_vegetarian", scope=3),
    _node(
        "waste",
        "incineration",
        "composting",
        _node("biogas", "organic_waste_food_leftovers", "cooking_vegetable_oil"),
        _node(
            "recycling",
            "paper",
            "cardboard",
            "plastics",
            "glass",
            "ferrous_metals",
            "non_ferrous_metals",
            "electronics",
            "wood",
            "pet",
            "aluminum",
            "textile",
            "toner_and_ink_cartridges",
            "inert_waste",
        ),
        scope=3,
    ),
    _node(
        "commuting", "walking", "cycling", "powered_two_wheeler", "public_transport", "car", scope=3
    ),
    _node("homeworking", scope=3),
    _node(
        "professional_travel",
        _node("train", "class_1", "class_2"),
        _node("plane", "first", "business", "premium_eco", "eco", "average"),
        "road",
        scope=3,
    ),
    _node(
        "buildings",
        _node(
            "rooms",
            _node("lighting", *ROOM_TYPES, scope=2),
            _node("cooling", *ROOM_TYPES, scope=2),
            _node("ventilation", *ROOM_TYPES, scope=2),
            _node("heating_elec", *ROOM_TYPES, scope=2),
            _node("heating_thermal", *ROOM_TYPES, scope=1),
            # Rooms whose kilograms are given as one number: most of their energy is bought.
            _node("reported", scope=2),
        ),
        _node(
            "combustion",
            "natural_gas",
            "heating_oil",
            "biomethane",
            "pellets",
            "forest_chips",
            "wood_logs",
            "other",
            scope=1,
        ),
        _node(
            "purchased_energy",
            "electricity",
            "district_heating",
            "district_cooling",
            "steam",
            scope=2,
        ),
        _node("grid_losses", scope=3),
        _node("construction_and_renovation", scope=3),
    ),
    _node("process_emissions", "ch4", "co2", "n2o", "refrigerants", scope=1),
    _node("equipment", "scientific", "it", "other", scope=2),
    _node(
        "purchases",
        _node(
            "goods_and_services",
            "scientific_equipment",
            "it_equipment",
            "consumable_accessories",
            "biological_chemical_gaseous",
            "services",
            "vehicles",
            "other",
            scope=3,
        ),
        _node("additional", "ln2", scope=1),
    ),
    _node(
        "research_facilities",
        "facilities",
        _node("animal", "mice", "fish"),
        _node("it_facilities", "scitas", "rcp"),
        scope=3,
    ),
    _node(
        "external",
        _node("clouds", "virtualisation", "calcul", "stockage"),
        _node("ai", "provider_google", "mistral_ai", "anthropic", "openai", "cohere", "others"),
        scope=3,
    ),
)


def _walk(node: _Node, above: str, scope: int | None) -> Iterator[EmissionType]:
    path = f"{above}.{node.name}" if above else node.name
    scope = node.scope if node.scope is not None else scope
    yield EmissionType(path, scope)
    for child in node.children:
        yield from _walk(child, path, scope)


EMISSION_TYPES: Mapping[str, EmissionType] = MappingProxyType(
    {node.path: node for root in _ROOTS for node in _walk(root, "", None)}
)
# Only nodes on which emissions may be booked.
SCOPES: Mapping[str, int] = MappingProxyType(
    {path: node.scope for path, node in EMISSION_TYPES.items() if node.scope is not None}
)


def with_descendants(path: str) -> tuple[str, ...]:
    """The path and those of all nodes below it. Raises KeyError for an unknown path."""
    below = f"{EMISSION_TYPES[path].path}."
    return tuple(one for one in EMISSION_TYPES if one == path or one.startswith(below))


def with_ancestors(path: str) -> tuple[str, ...]:
    """The path and those of all nodes above it, leaf first. Raises KeyError for an unknown path."""
    lineage: list[str] = []
    at: str | None = path
    while at is not None:
        lineage.append(at)
        at = EMISSION_TYPES[at].parent
    return tuple(lineage)
