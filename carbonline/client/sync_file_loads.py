"""FileLoads without asyncio: what Client loads."""

from pathlib import Path

from carbonline.client.blocking import Blocking
from carbonline.client.file_loads import Progress, Said
from carbonline.client.load_check_report import LoadCheckReport
from carbonline.client.reports import PipelineReport


class SyncFileLoads(Blocking):
    """A part of Client."""

    def submit_from(
        self,
        provider: str,
        type: str,  # noqa: A002
        *,
        year: int,
        module: str | None = None,
        take_away: bool = False,
        priority: int | None = None,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Has a worker ask a service, such as "travel-api", for the activity data of a type and
        year, and waits until they are processed. The service is the source, and `priority` as in
        `submit_file`.
        """
        return self._answer(
            self._client.submit_from(
                provider,
                type,
                year=year,
                module=module,
                take_away=take_away,
                priority=priority,
                progress=progress,
            )
        )

    def check_load(  # noqa: PLR0913 - each by its name
        self,
        kind: str,
        file: str | Path | None = None,
        type: str = "",  # noqa: A002
        *,
        year: int | None = None,
        module: str | None = None,
        transport_mode: str = "",
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        are_all: bool = False,
        progress: Progress | None = None,
    ) -> LoadCheckReport:
        """Uploads a file and has a worker say what its load would do with it.

        `kind` is what the file brings: "units", "factors", "locations", "rates" or "rooms". The
        other arguments are those of the load, such as `load_factors`, and so are the errors;
        WrongArgument is raised for an argument that this load does not take. Factors of several
        types are named by their `module`, without a `type`: `types` of the report has each. Nothing
        is written but the file itself. What is found holds at the moment of the check.
        """
        return self._answer(
            self._client.check_load(
                kind,
                file,
                type,
                year=year,
                module=module,
                transport_mode=transport_mode,
                sheet=sheet,
                mapping=mapping,
                replace=replace,
                are_all=are_all,
                progress=progress,
            )
        )

    def load_units_from(
        self, provider: str, *, year: int, progress: Progress | None = None
    ) -> PipelineReport:
        """Has a worker ask a service, such as "unit-directory", for the units of a year, which
        provisions it, and waits for its end.
        """
        return self._answer(self._client.load_units_from(provider, year=year, progress=progress))

    def load_units(
        self,
        file: str | Path,
        *,
        year: int,
        sheet: str | None = None,
        mapping: Said = None,
        are_all: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads the institution's units, which provisions the year, and waits for its end.

        `sheet` and `mapping` say how the file is read, as in `submit_file`; here and in the other
        loads, the name of a mapping is one that is saved for this kind of file.
        `are_all`: the file has all units, so others become stale; they stay, and their totals
        count.
        """
        return self._answer(
            self._client.load_units(
                file,
                year=year,
                sheet=sheet,
                mapping=mapping,
                are_all=are_all,
                progress=progress,
            )
        )

    def load_factors(  # noqa: PLR0913 - each by its name
        self,
        file: str | Path,
        type: str = "",  # noqa: A002
        *,
        year: int,
        module: str | None = None,
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads the emission factors of a type and year, and waits until they are processed.

        Factors that the file lacks become stale and stay in use. With `replace` they are removed.
        If entries use them, that fails, unless `take_away` is set. Without `type`, but with a
        `module`, a column says of which type each factor is.
        """
        return self._answer(
            self._client.load_factors(
                file,
                type,
                year=year,
                module=module,
                sheet=sheet,
                mapping=mapping,
                replace=replace,
                take_away=take_away,
                progress=progress,
            )
        )

    def load_locations(
        self,
        file: str | Path | None = None,
        *,
        transport_mode: str = "plane",
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads places with their coordinates, and waits until they are processed.

        Without a file, uploads the airports of the package airportsdata, with corrected places.
        Places are added, or changed if their code is known. With `replace` all others of the mode
        are removed. If entries use them, that fails, unless `take_away` is set.
        """
        return self._answer(
            self._client.load_locations(
                file,
                transport_mode=transport_mode,
                sheet=sheet,
                mapping=mapping,
                replace=replace,
                take_away=take_away,
                progress=progress,
            )
        )

    def load_rates(
        self,
        file: str | Path,
        *,
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads exchange rates by year and currency, and waits until they are processed.

        They are added, or changed if known. With `replace` all others are removed. If entries use
        them, that fails, unless `take_away` is set.
        """
        return self._answer(
            self._client.load_rates(
                file,
                sheet=sheet,
                mapping=mapping,
                replace=replace,
                take_away=take_away,
                progress=progress,
            )
        )

    def load_rooms(
        self,
        file: str | Path,
        *,
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads building rooms with their surfaces, and waits until they are processed.

        They are added, or changed if known. With `replace` all others are removed. If entries use
        them, that fails, unless `take_away` is set.
        """
        return self._answer(
            self._client.load_rooms(
                file,
                sheet=sheet,
                mapping=mapping,
                replace=replace,
                take_away=take_away,
                progress=progress,
            )
        )
