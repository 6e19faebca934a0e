"""How much of a timeline an answer has, and how much it leaves out."""

from collections.abc import Iterable, Sequence

from carbonline.serving.pages import ANSWER_BYTES_MAX, FRAME_BYTES, first_page
from carbonline.v1 import operations_pb2, types_pb2
from scheduler_service.rpc import messages
from scheduler_service.rpc.gradually import gradually
from scheduler_service.store.reads.rows import EventRow

# Beside jobs that fill an answer: so both together are still what a client takes.
TIMELINE_BYTES_MIN = 768 * 1024


async def timeline_beside(
    rows: Sequence[EventRow], jobs: Iterable[types_pb2.Job]
) -> tuple[Sequence[operations_pb2.TimelineEvent], int]:
    """The first events, as many as the answer has room for beside `jobs`, and how many are left
    out of the whole timeline.
    """
    room = ANSWER_BYTES_MAX - sum(job.ByteSize() + FRAME_BYTES for job in jobs)
    events = await gradually(rows, messages.timeline_event)
    shown = first_page(events, max(room, TIMELINE_BYTES_MIN))
    return shown, rows[0].events - len(shown) if rows else 0
