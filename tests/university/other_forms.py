"""The university's folder in other forms: as workbooks, and as the files of another program."""

import csv
import datetime as dt
import json
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.university.plain_account import FOLDER
from worker_service.carbon.describe import ColumnDescription, describe_catalogue

Rows = Sequence[Mapping[str, str]]
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
COLUMNS = {
    one.name: {column.name: column for column in one.columns}
    for module in describe_catalogue()
    for one in module.types
}


def as_workbooks(folder: Path) -> Path:
    """All files as .xlsx, whose numbers are numbers and whose days are days."""
    for source in sorted(FOLDER.rglob("*.csv")):
        target = folder / source.relative_to(FOLDER).with_suffix(".xlsx")
        target.parent.mkdir(parents=True, exist_ok=True)
        with xlsxwriter.Workbook(target) as book:
            day, sheet = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_worksheet()
            with source.open(encoding="utf-8", newline="") as file:
                for at, line in enumerate(csv.reader(file)):
                    for column, text in enumerate(line):
                        if _DAY.fullmatch(text):
                            sheet.write_datetime(at, column, dt.datetime.fromisoformat(text), day)
                        elif _NUMBER.fullmatch(text):
                            sheet.write_number(at, column, float(text))
                        else:
                            sheet.write_string(at, column, text)
    manifest = (FOLDER / "seed.toml").read_text("utf-8").replace(".csv", ".xlsx")
    (folder / "seed.toml").write_text(manifest, "utf-8")
    return folder


def as_of_another_program(folder: Path) -> Path:
    """Each file of activity data with other names, semicolons, decimal commas and days as in
    31.03.2024; the manifest says how to read it.
    """
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    manifest = tomllib.loads((folder / "seed.toml").read_text("utf-8"))
    tables = [
        table | {"years": year, "file": table["file"].replace("{year}", str(year))}
        for table in manifest["activity"]
        for year in ([table["years"]] if isinstance(table["years"], int) else table["years"])
    ]
    for table in tables:
        table["mapping"] = _rewritten(folder / table["file"], COLUMNS[table["type"]])
    manifest["activity"] = tables
    text = "\n".join(
        "\n".join([f"[[{name}]]", *(f"{key} = {_toml(value)}" for key, value in table.items()), ""])
        for name, of_name in manifest.items()
        for table in of_name
    )
    (folder / "seed.toml").write_text(text, "utf-8")
    return folder


def _rewritten(path: Path, columns: Mapping[str, ColumnDescription]) -> Mapping[str, Any]:
    """Writes the file as another program does. Returns how to read it."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    names = [f"Feld {at}: {name.upper()}" for at, name in enumerate(header, start=1)]
    kinds = [columns[name].kind if name in columns else "text" for name in header]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(names)
        for line in lines:
            writer.writerow(_foreign(text, kind) for text, kind in zip(line, kinds, strict=True))
    return {
        "columns": dict(zip(names, header, strict=True)),
        "decimal": "comma",
        "dates": "dd.mm.yyyy",
    }


def _foreign(text: str, kind: str) -> str:
    match kind:
        case "number" | "integer":
            return text.replace(".", ",")
        case "date" if text:
            return dt.date.fromisoformat(text).strftime("%d.%m.%Y")
        case _:
            return text


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)
