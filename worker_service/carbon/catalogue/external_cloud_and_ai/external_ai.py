"""AI services bought outside: requests of a year, by provider and kind of use."""

import polars as pl

from worker_service.carbon.catalogue.quantities import PEOPLE, kilograms_per, one_of_two
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Plausible,
)
from worker_service.carbon.matching import MatchByKind

# Requests a day: the middle of each class, and its lower end for the open one.
_REQUESTS = {"1_5": 3.0, "5_20": 12.5, "20_100": 60.0, "gt_100": 100.0}
_WORKING_DAYS = 230
_REQUEST = "a request to a large model is some grams"
_PROVIDERS = {
    "google": "provider_google",
    "provider_google": "provider_google",
    "mistral": "mistral_ai",
    "mistral ai": "mistral_ai",
    "mistral_ai": "mistral_ai",
    **{one: one for one in ("anthropic", "openai", "cohere")},
}
_NODE = pl.format(
    "external.ai.{}",
    pl.col("provider").replace_strict(_PROVIDERS, default="others", return_dtype=pl.String),
)
_KILOGRAMS, _GRAMS = pl.col("ef_kg_co2eq_per_request"), pl.col("ef_g_co2eq_per_request")

EXTERNAL_AI = DataEntryType(
    id=41,
    name="external_ai",
    title="AI services",
    columns=(
        Column("provider", example="OpenAI"),
        Column("usage_type", example="text"),
        Column(
            "requests_per_user_per_day",
            ColumnKind.CHOICE,
            choices=tuple(_REQUESTS),
            spellings=(
                *(("1-5", "1_5"), ("5-20", "5_20"), ("20-100", "20_100")),
                *((">100", "gt_100"), ("> 100", "gt_100"), ("100+", "gt_100")),
            ),
            excused_by_override=True,
            example="5_20",
        ),
        Column(
            "fte_count",
            ColumnKind.NUMBER,
            minimum=0.1,
            plausible=(PEOPLE,),
            example="10",
        ),
    ),
    factors=FactorColumns(
        classification=(
            Column("provider", example="OpenAI"),
            Column("usage_type", example="text"),
        ),
        values=(
            kilograms_per(
                "ef_kg_co2eq_per_request",
                Plausible(1, "kg per request", _REQUEST),
                example="0.002",
                required=False,
            ),
            Column(
                "ef_g_co2eq_per_request",
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                plausible=(Plausible(1_000, "g per request", _REQUEST),),
            ),
            Column(
                "working_days",
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                maximum=366,
                default=_WORKING_DAYS,
            ),
        ),
        emission_type=_NODE,
        kind="provider",
        subkind="usage_type",
        checks=one_of_two("ef_kg_co2eq_per_request", "ef_g_co2eq_per_request"),
    ),
    matching=MatchByKind(
        sought=pl.format("{} {}", "provider", "usage_type"), kind="provider", subkind="usage_type"
    ),
    formula=Formula(
        version="external_ai-1",
        written=(
            "kg = requests * working_days * fte_count * ef;"
            " ef = ef_kg_co2eq_per_request, else ef_g_co2eq_per_request / 1000;"
            " requests = "
            + ", ".join(
                f"{number:g} if requests_per_user_per_day is {name}"
                for name, number in _REQUESTS.items()
            )
        ),
        source=(
            "Requests times factor: GHG Protocol, guidance for calculating GHG scope 3"
            " emissions, average-data method, category 1"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=(
                    pl.col("requests_per_user_per_day").replace_strict(
                        _REQUESTS, default=None, return_dtype=pl.Float64
                    )
                    * pl.col("working_days")
                    * pl.col("fte_count")
                    * pl.coalesce(_KILOGRAMS, _GRAMS / 1_000)
                ),
            ),
        ),
    ),
    override_type=_NODE,
)
