"""What runs in the Python workers of executors, which needs no Spark."""

import gc

import pytest

from matinee.spark import tasks


@pytest.fixture
def thawed():
    tasks._freeze.cache_clear()
    yield
    gc.unfreeze()
    tasks._freeze.cache_clear()


def multiples(factor, numbers):
    for number in numbers:
        yield factor * number


@pytest.mark.usefixtures("thawed")
def test_what_a_worker_has_loaded_is_not_walked_through_after_each_task():
    run = tasks.in_task(multiples, 3)
    assert list(run(iter([1, 2]))) == [3, 6]
    kept = gc.get_freeze_count()
    assert kept > 10 * len(gc.get_objects()), "of those that the collector looks at"
    mine = [[] for _ in range(1000)]
    assert list(run(iter([]))) == []
    assert gc.get_freeze_count() <= kept, "and nothing of a later task is kept for ever"
    assert any(one is mine for one in gc.get_objects())
