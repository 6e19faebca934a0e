"""When a page shows all that it asked for. What is read of it before may be half drawn."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

# As long as anything else is waited for: a busy machine is not a fault of the page.
SECONDS_MAX = 60.0
# So many looks in a row find nothing on its way: what an answer brings may ask for more.
QUIET_LOOKS = 3
# Effects run after a frame, and so do the requests that they make.
LOOK = """async () => {
    for (let frame = 0; frame < 2; frame += 1) {
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
    const waits = [];
    if (!document.querySelector('h1')) waits.push('for a heading');
    for (const one of document.querySelectorAll('[aria-busy=true]')) waits.push(one.outerHTML);
    const main = document.querySelector('script[src$="/main.js"]').src;
    const { caller, hasRows } = await import(main.replace('main.js', 'store.js'));
    // The pages that follow the server's changes say so.
    if (document.querySelector('.connection')) {
        if (!hasRows.value) waits.push('for the rows that a stream begins with');
        if (!caller.value) waits.push('for who looks');
    }
    return waits;
}"""

T = TypeVar("T")


def settled(page: Any) -> None:
    """Waits until nothing that the page asked for is on its way, and all of it is drawn."""
    page.wait_for_load_state("load")
    quiet = 0
    end = time.monotonic() + SECONDS_MAX
    while quiet < QUIET_LOOKS:
        waits = page.evaluate(LOOK) + [one.url for one in page.requests() if _is_on_its_way(one)]
        quiet = 0 if waits else quiet + 1
        assert time.monotonic() < end, "\n".join(["the page still waits:", *waits])


def _is_on_its_way(request: Any) -> bool:
    # The stream of changes does not end.
    if request.resource_type == "eventsource":
        return False
    return request.timing["responseEnd"] == -1 and not request.failure


def comes(page: Any, read: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """What is read of the page, again and again until it is what is wanted; else the last of it."""
    end = time.monotonic() + SECONDS_MAX
    while not wanted(found := read()) and time.monotonic() < end:
        page.evaluate(LOOK)
    return found
