"""Text from elsewhere is printed without control characters."""

import pytest
from rich.console import Console

from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.client.watch import Snapshot
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column
from carbonline.command.display import PlainDisplay
from carbonline.command.names import scope_words
from carbonline.command.printing import print_lines
from carbonline.command.safe_text import lines, one_line
from carbonline.command.table import table_lines
from carbonline.v1 import types_pb2


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    assert one_line("a\x1b[2Jb\x07\x9b\u202ec") == "a\\x1b[2Jb\\x07\\x9b\\u202ec"
    assert one_line("one\ntwo") == "one\\ntwo"
    assert lines("one\ntwo\x1b") == "one\ntwo\\x1b"
    assert one_line("Zürich\xa0日本") == "Zürich\xa0日本"
    scope = types_pb2.Scope(unit="\x1b]0;title\x07")
    assert scope_words(scope) == "\\x1b]0;title\\x07"
    assert scope_words(types_pb2.Scope(unit="0828\u200b")) == "0828\\u200b"


def test_tables_errors_and_messages_show_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_lines(table_lines((Column("name"),), [{"name": "bad\x1b[31m"}], 80))
    job = types_pb2.Job(job_id=1, state=types_pb2.JOB_STATE_FINISHED, message="said\x07")
    job.result = types_pb2.JOB_RESULT_WARNING
    view = PipelineView()
    view.apply(Snapshot(types_pb2.Pipeline(pipeline_id=1), (job,)))
    PlainDisplay(Console()).show(view)
    with pytest.raises(SystemExit):
        run_to_end(_refused("value \x1b[1A"))
    said = capsys.readouterr()
    assert "bad\\x1b[31m" in said.out
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out


async def _refused(message: str) -> None:
    raise ServerError("INVALID_ARGUMENT", "", message, {}, {})
