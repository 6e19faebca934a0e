"""Writes the parts of docs/ that follow from the code: `make docs`.

Such a part stands between two comments, `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import click

from carbonline.command.main import main as command_line
from carbonline.serving.auth.roles import roles_allowed
from carbonline.serving.declared_settings import Setting
from carbonline.serving.errors import CODES
from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2
from gateway_service.api_document import api_document
from gateway_service.settings import SETTINGS as GATEWAY_SETTINGS
from scheduler_service.jobs.job_types import JOB_TYPES, SCOPE_PARTS
from scheduler_service.jobs.states import transitions_as_markdown
from scheduler_service.settings import SETTINGS as SCHEDULER_SETTINGS
from worker_service.carbon.describe import (
    ColumnDescription,
    ModuleDescription,
    TypeDescription,
    describe_catalogue,
    describe_columns,
)
from worker_service.carbon.outcomes import EntryOutcome
from worker_service.carbon.reference_kinds import REFERENCE_KINDS
from worker_service.settings import SETTINGS as WORKER_SETTINGS

DOCS = Path(__file__).parent
OPENAPI = DOCS / "openapi.json"
COMMANDS_NAMED_MAX = 4
PART = re.compile(r"(?<=<!-- generated: )(?P<name>[a-z-]+) -->\n.*?(?=<!-- end -->)", re.DOTALL)


OUTCOMES: Mapping[EntryOutcome, str] = MappingProxyType(
    {
        EntryOutcome.COMPUTED: "the formula's result",
        EntryOutcome.OVERRIDDEN: "the row's own `kg_co2eq`",
        EntryOutcome.NO_FACTOR: "none: no factor fits",
        EntryOutcome.AMBIGUOUS_FACTOR: "none: several factors fit",
        EntryOutcome.UNKNOWN_PLACE: "none: a place is not among the locations, or is there twice",
        EntryOutcome.NO_ROOM: "none: the room is unknown, or has no surface",
        EntryOutcome.NO_RATE: "none: a currency has no exchange rate in the year",
        EntryOutcome.MISSING_VALUE: "none: a value is missing, or the formula gives no number",
    }
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "FIELD_INVALID": "correct the fields that BadRequest names",
        "TOO_LARGE": "send less; the message says the limit",
        "PIPELINE_NOT_FOUND": "check the number; a pipeline that was deleted long after its end is "
        "not found either",
        "JOB_NOT_FOUND": "check the number; a job that was deleted with its pipeline is not found "
        "either",
        "WORKER_NOT_FOUND": "check the id, as `carbonline workers` shows it",
        "SCHEDULE_NOT_FOUND": "check the name, as `carbonline schedule list` shows it",
        "SCHEDULE_EXISTS": "delete the schedule of this name first, or choose another name",
        "TOO_MANY_SCHEDULES": "delete a schedule first: the tenant has as many as it may",
        "UNIT_NOT_FOUND": "check the id; the message names similar units",
        "BLOB_NOT_FOUND": "upload it first; a blob of another tenant is not found either",
        "UNAUTHENTICATED": "send `authorization: Bearer TOKEN`",
        "TOKEN_EXPIRED": "repeat the same call with a new token",
        "OTHER_TENANT": "check the number, or use a token of the tenant that it belongs to",
        "PERMISSION_DENIED": "use a role, or name a module or unit, that the message names",
        "STALE_CLAIM": "stop the handler, roll back, and forget the claim",
        "YEAR_NOT_PROVISIONED": "submit a unit_sync of the year first",
        "PERIOD_LOCKED": "choose another year: this one is locked",
        "YEAR_BUSY": "wait for the jobs that the message names, or cancel their pipelines",
        "CLAIM_LIVE": "wait for the worker, or set `force` to take the job from it",
        "NOTHING_TO_CANCEL": "do nothing: the pipeline has ended",
        "NOTHING_TO_RECOVER": "do nothing: the claim no longer holds the job",
        "NOTHING_TO_RETRY": "wait for the pipeline's end; if it has ended, nothing of it failed",
        "SUPERSEDED": "do nothing: a newer upload counts or will; to replace it, submit it again",
        "TOO_MANY_LIVE_JOBS": "wait until some of the tenant's jobs have run, then submit again",
        "TOO_MANY_JOINERS": "wait until the job runs that so many wait for, then submit again",
        "TOO_MANY_PARKED_CLAIMS": "wait, then call again",
        "TOO_MANY_STREAMS": "wait, then call again",
        "TOO_MANY_CALLS": "read the answers of your other calls, wait, then repeat the same call",
        "TOO_MANY_READS": "wait, then read again, and less often",
        "READ_TOO_LONG": "ask for fewer rows, for one year or module, or later",
        "READER_TOO_SLOW": "watch again from the last version seen",
        "SENDER_TOO_SLOW": "repeat the same call, and send its request without long pauses",
        "UPLOAD_IDLE": "send the chunks without long pauses",
        "BLOB_DAMAGED": "upload the file again: the stored one is damaged",
        "STORE_FULL": "free space on the disk of the ledger process, or in the bucket",
        "JOB_TYPE_UNKNOWN": "repeat the call: a scheduler that knows the job type answers it",
        "STORE_UNAVAILABLE": "repeat the call, with backoff, once the store of files can be used",
        "DATABASE_FULL": "free space on the disk of the database; repeat the call, with backoff",
        "DATABASE_UNAVAILABLE": "repeat the same call, with backoff",
        "DRAINING": "repeat the same call: another server answers",
        "STREAM_MAXIMUM_AGE": "watch again from the last version seen",
    }
)


def columns_table(columns: tuple[ColumnDescription, ...]) -> str:
    """A row per column of a file."""
    rows = [
        f"| `{column.name}` | {'yes' if column.required else 'no'} | {column.rule}"
        f"{f'; {column.default_value} if empty' if column.default_value else ''}"
        f" | {column.doubtful} |"
        for column in columns
    ]
    header = "| column | required | what it must be | counts with a warning |"
    return "\n".join([header, "|---|---|---|---|", *rows])


def supported_types() -> str:
    """Formula and columns of every data-entry type that this release computes."""
    return "\n\n".join(
        _type(f"{module.name}, {one.name}", one)
        for module in describe_catalogue()
        for one in module.types
        if one.supported
    )


def _type(title: str, one: TypeDescription) -> str:
    return "\n\n".join(
        [
            f"### {title}",
            f"`{one.formula}`",
            f"Version `{one.formula_version}`. {one.formula_source}.",
            "A file of activity data:",
            columns_table(one.columns),
            "A file of factors:",
            columns_table(one.factor_columns),
        ]
    )


def reference_files() -> str:
    """The columns of every kind of reference data that is rows of one table."""
    return "\n\n".join(
        f"### {kind.name}\n\n{columns_table(describe_columns(kind.columns))}"
        for kind in REFERENCE_KINDS.values()
    )


def computed_types() -> str:
    """Which data-entry types compute, and which are not computed yet, by module."""
    rows = [
        f"| {module.name} | {_names(module, supported=True)} | {_names(module, supported=False)} |"
        for module in describe_catalogue()
    ]
    header = ["| module | computed | not computed yet |", "|---|---|---|"]
    return "\n".join([*header, *rows])


def _names(module: ModuleDescription, *, supported: bool) -> str:
    names = [f"`{one.name}`" for one in module.types if one.supported == supported]
    return ", ".join(names) or "none"


def outcomes_table() -> str:
    """What becomes of an entry; KeyError for an outcome that nobody described."""
    rows = [f"| `{outcome.value}` | {OUTCOMES[outcome]} |" for outcome in EntryOutcome]
    return "\n".join(["| outcome | kilograms |", "|---|---|", *rows])


def errors_table() -> str:
    """Every reason with its code; KeyError for a reason that nobody described."""
    rows = [f"| `{reason}` | {code.name} | {REASONS[reason]} |" for reason, code in CODES.items()]
    return "\n".join(["| reason | code | what to do |", "|---|---|---|", *rows])


def roles_table() -> str:
    """Which roles may call which RPCs, one row per set of roles."""
    methods: dict[frozenset[str], list[str]] = {}
    for file in (scheduler_pb2, operations_pb2, ledger_pb2, blobs_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                roles = roles_allowed(f"/{service.full_name}/{method.name}")
                methods.setdefault(roles, []).append(f"`{method.name}`")
    rows = [f"| {', '.join(sorted(roles))} | {', '.join(of)} |" for roles, of in methods.items()]
    return "\n".join(["| roles | may call |", "|---|---|", *rows])


def job_types_table() -> str:
    """What a person submits, one row per type; noop is for tests and benchmarks."""
    rows = [
        f"| `{name}` | {_words(kind.needs)} | {_words(kind.takes)} | {_words(kind.children)} |"
        for name, kind in JOB_TYPES.items()
        if name != "noop"
    ]
    header = ["| job type | scope must have | may have | then runs |", "|---|---|---|---|"]
    return "\n".join([*header, *rows])


def _words(names: frozenset[str]) -> str:
    return ", ".join(name for name in (*SCOPE_PARTS, *JOB_TYPES) if name in names)


def settings_table(settings: Sequence[Setting]) -> str:
    """A row per variable that a process reads."""
    rows = [
        f"| `{one.variable}` | {one.in_its_place.removeprefix('default ')} | {one.unit} "
        f"| {one.form} | {one.does} |"
        for one in settings
    ]
    header = ["| variable | default | unit | value | what it does |", "|---|---|---|---|---|"]
    return "\n".join([*header, *rows])


def command_line_settings() -> str:
    """A row per variable and option of the command line that it stands for."""
    commands: dict[tuple[str, str, str], list[str]] = {}
    for command, option in options_with_variables(command_line):
        said = (str(option.envvar), option.opts[0], option.help or "")
        commands.setdefault(said, []).append(command)
    rows = [
        f"| `{variable}` | `{name}` | {_of_commands(of)} | {does} |"
        for (variable, name, does), of in sorted(commands.items())
    ]
    header = ["| variable | option | commands | what it does |", "|---|---|---|---|"]
    return "\n".join([*header, *rows])


def _of_commands(names: Sequence[str]) -> str:
    """Names, or words for the many that talk to servers."""
    many = len(names) > COMMANDS_NAMED_MAX
    return "commands that call servers" if many else ", ".join(f"`{name}`" for name in names)


def options_with_variables(command: click.Command) -> Iterator[tuple[str, click.Option]]:
    """Every option of the command and its subcommands that a variable can stand for."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from options_with_variables(child)
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar:
            yield str(command.name), option


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "job-states": transitions_as_markdown,
        "job-types": job_types_table,
        "roles": roles_table,
        "computed-types": computed_types,
        "supported-types": supported_types,
        "reference-files": reference_files,
        "outcomes": outcomes_table,
        "errors": errors_table,
        "scheduler-settings": lambda: settings_table(SCHEDULER_SETTINGS),
        "ledger-settings": lambda: settings_table(WORKER_SETTINGS["ledger"]),
        "worker-settings": lambda: settings_table(WORKER_SETTINGS["worker"]),
        "gateway-settings": lambda: settings_table(GATEWAY_SETTINGS),
        "command-line-settings": command_line_settings,
    }
)


def renewed(text: str) -> str:
    """The document with its generated parts as the code now has them."""
    return PART.sub(lambda part: f"{part['name']} -->\n\n{PARTS[part['name']]()}\n\n", text)


def openapi_text() -> str:
    """The document of the HTTP API, in lines, so that a change of it can be read."""
    return json.dumps(api_document(), ensure_ascii=False, indent=1) + "\n"


def documents() -> list[Path]:
    """README and every document in docs/."""
    return [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]


def main() -> None:
    """Renews every document, and names those that changed."""
    after_of = {path: renewed(path.read_text(encoding="utf-8")) for path in documents()}
    after_of[OPENAPI] = openapi_text()
    for path, after in after_of.items():
        if not path.exists() or path.read_text(encoding="utf-8") != after:
            path.write_text(after, encoding="utf-8")
            print(f"{path.name} is renewed", file=sys.stderr)


if __name__ == "__main__":
    main()
