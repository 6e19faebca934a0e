"""Whoever reads Finish reads a bounded number of files."""

import grimp

FINISH = "scheduler_service.store.finish.finish_jobs"
STORE_FILES_MAX = 10
# Values and decisions, each of which can be read alone.
PURE_FILES_MAX = 6


def test_finish_stands_on_few_files_of_the_store_and_of_pure_rules() -> None:
    graph = grimp.build_graph("scheduler_service")
    files = {FINISH} | graph.find_upstream_modules(FINISH)
    store = {file for file in files if file.startswith("scheduler_service.store.")}
    pure = {file for file in files if file.startswith("scheduler_service.jobs.")}
    assert files == store | pure
    assert len(store) <= STORE_FILES_MAX, sorted(store)
    assert len(pure) <= PURE_FILES_MAX, sorted(pure)
