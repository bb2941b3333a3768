"""The feedback store on both databases: what is acknowledged stays, once, and counts at once."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import matinee
from matinee.data.ids import IdMap
from matinee.data.scale import Scale, step_of
from matinee.feedback import database
from matinee.feedback.change_index import ChangeIndex
from matinee.feedback.database import StoreError
from matinee.feedback.events import Event, Verdict, judge
from matinee.feedback.history import person_of, trained_history
from matinee.feedback.model_refit import LaterFeedback, later_feedback, refit, save_refitted
from matinee.feedback.store import EventBatch, Store
from matinee.feedback.tables import metadata
from matinee.feedback.writer import Writer, WriterBusy
from matinee.storage.model_files import manifest_digest

YES = Verdict("accepted")
STRANGE_IDS = [
    "007",
    "7",
    " 7 ",
    "a/b?c=d&e#f",
    "naïve ☕ 人",
    "'; DROP TABLE x; --",
    "%2F",
    "x" * 256,
]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty store may be, on each of the databases."""
    if request.param == "sqlite":
        yield str(tmp_path / "feedback.sqlite")
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    store = Store.at(url)
    metadata.drop_all(store.engine)
    store.close()


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    one = Store.at(place)
    yield one
    one.close()


def test_several_servers_may_make_a_store_at_once(place):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(Store.at, [place] * 8))
    assert len({store.name for store in stores}) == 1
    for store in stores:
        store.close()


def test_a_store_waits_for_who_writes_to_its_file_first(tmp_path, monkeypatch):
    """SQLite itself does not wait there, so of several servers some would not start."""
    file = tmp_path / "feedback.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE notes (text)")
        other.execute("BEGIN IMMEDIATE")
        waits = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                other.execute("COMMIT")

        monkeypatch.setattr(database, "sleep", sleep)
        Store.at(file).close()
        assert len(waits) == 3


def test_a_store_that_is_written_for_too_long_says_so(tmp_path, monkeypatch):
    file = tmp_path / "feedback.sqlite"
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE notes (text)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            Store.at(file)


@pytest.fixture(scope="module")
def model() -> matinee.Model:
    return matinee.NMF(n_factors=3, n_epochs=4).fit(matinee.sample())


def rated(user: str, item: str, rating: float | None = 5.0, at: int = 0) -> Event:
    return Event(user, item, rating, at)


def post(*events: Event, key: str | None = None, digest: str = "") -> EventBatch:
    return EventBatch(events, (YES,) * len(events), key, digest)


def test_no_key_and_no_id_is_left_after_erasing(tmp_path):
    """Every byte of the store and of what the database keeps beside it."""
    place = tmp_path / "feedback.sqlite"
    store = Store.at(place)
    store.write([post(rated("secret-somebody", "heat"), key="secret-somebody-1", digest="ab")])
    assert store.write([post(rated("x", "heat"), key="secret-somebody-1", digest="ab")])[0].replayed
    assert store.write([post(rated("x", "heat"), key="secret-somebody-1", digest="cd")])[0].conflict
    store.erase("secret-somebody")
    for file in tmp_path.iterdir():
        assert b"secret-somebody" not in file.read_bytes(), file.name
    store.close()


# Writing and reading.


def test_what_is_written_is_read_in_order(store):
    events = [rated("ann", "heat", 4.5, 10), rated("ann", "alien", None, 11), rated("bob", "heat")]
    first, second = store.write([post(*events[:2]), post(events[2])])
    assert first.seq < second.seq
    assert store.events_of("ann") == events[:2]
    assert store.events_of("bob") == events[2:]
    assert store.events_of("ann", after=first.seq) == []
    assert list(store.all_events(0, second.seq)) == events
    assert store.count() == 3


def test_ids_come_back_as_they_were(store):
    store.write([post(*(rated(one, one) for one in STRANGE_IDS))])
    for one in STRANGE_IDS:
        assert store.events_of(one) == [rated(one, one)]


def test_it_is_there_when_opened_again(place):
    first = Store.at(place)
    first.write([post(rated("ann", "heat"))])
    first.close()
    again = Store.at(place)
    assert (again.name, again.salt) == (first.name, first.salt)
    assert again.events_of("ann") == [rated("ann", "heat")]
    assert again.seq() == 1
    again.close()


def test_a_key_counts_once(store):
    one = post(rated("ann", "heat"), key="k", digest="d")
    (first,), (again,) = store.write([one]), store.write([one])
    assert not first.replayed
    assert again.replayed
    assert again.verdicts == first.verdicts
    assert store.count() == 1
    (other,) = store.write([post(rated("ann", "alien"), key="k", digest="another")])
    assert other.conflict
    assert store.count() == 1


def test_a_key_counts_once_also_within_one_commit(store):
    one = post(rated("ann", "heat"), key="k", digest="d")
    receipts = store.write([one, one, post(rated("bob", "heat"))])
    assert [receipt.replayed for receipt in receipts] == [False, True, False]
    assert store.count() == 2


def test_news_tell_of_everybody_once(store):
    store.write([post(rated("ann", "heat"), rated("bob", "heat"), rated("ann", "alien"))])
    first = store.changes_since()
    assert set(first.last_events) == {"ann", "bob"}
    assert store.changes_since(first.seq) == (first.seq, {}, {}, {}, {}, 0)
    store.erase("bob")
    news = store.changes_since(first.seq)
    assert news.last_events == {}
    assert list(news.erased) == [store.digest("bob")]


def test_one_server_hears_of_another(place):
    here, there = ChangeIndex(Store.at(place)), ChangeIndex(Store.at(place))
    here.follow()
    there.store.write([post(rated("ann", "heat"))])
    assert "ann" not in here.last_events
    here.follow()
    assert here.stamp("ann") == (1, 0)
    there.store.erase("ann")
    here.follow()
    assert here.erased_at("ann") == 2
    for one in (here, there):
        one.store.close()


def test_an_erased_user_leaves_no_trace(tmp_path):
    secret = "somebody@example.org"
    store = Store.at(tmp_path / "feedback.sqlite")
    store.write([post(*(rated(secret, f"item {n}") for n in range(300)), rated("bob", "heat"))])
    found = [file for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()]
    assert found, "or the search finds nothing"
    _, gone = store.erase(secret)
    assert gone == 300
    assert not [file for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()]
    assert store.events_of("bob")
    store.close()


@pytest.mark.parametrize(
    "place, said",
    [
        ("mysql://localhost/x", "SQLite or PostgreSQL, not mysql"),
        ("postgresql://nobody@127.0.0.1:1/none", "refused"),
        ("/proc/nowhere/feedback.sqlite", "feedback"),
        ("://", "postgresql://"),
    ],
)
def test_a_store_that_cannot_be_opened_says_so(place, said):
    with pytest.raises((StoreError, OSError), match=said):
        Store.at(place)


def test_a_password_is_not_told(tmp_path):
    with pytest.raises(StoreError) as caught:
        Store.at("postgresql://ann:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


# Group commit.


def test_posts_that_wait_are_committed_together(store, monkeypatch):
    sizes = []
    write = store.write
    monkeypatch.setattr(store, "write", lambda posts: sizes.append(len(posts)) or write(posts))

    async def all_at_once() -> list[int]:
        writer = Writer(store)
        posts = [writer.write(post(rated("ann", f"item {n}"))) for n in range(100)]
        return [receipt.seq for receipt in await asyncio.gather(*posts)]

    assert asyncio.run(all_at_once()) == list(range(1, 101))
    assert sum(sizes) == 100
    assert len(sizes) <= 3
    assert store.count() == 100


def test_a_failed_commit_is_told_to_all_and_the_next_one_works(store, monkeypatch):
    def broken(posts: object) -> None:
        raise StoreError("the disk is full")

    async def both() -> None:
        writer = Writer(store)
        with monkeypatch.context() as patch:
            patch.setattr(store, "write", broken)
            told = await asyncio.gather(
                *(writer.write(post(rated("ann", "heat"))) for _ in range(3)),
                return_exceptions=True,
            )
        assert [str(one) for one in told] == ["the disk is full"] * 3
        assert (await writer.write(post(rated("ann", "heat")))).seq == 1
        assert writer.n_pending == 0

    asyncio.run(both())


def test_too_much_is_turned_away(store, monkeypatch):
    monkeypatch.setattr("matinee.feedback.writer.MAX_PENDING_EVENTS", 2)

    async def three() -> None:
        writer = Writer(store)
        with pytest.raises(WriterBusy, match="again in a second"):
            await writer.write(post(*(rated("ann", f"{n}") for n in range(3))))

    asyncio.run(three())


# Verdicts.


@pytest.mark.parametrize(
    "change, said",
    [
        ({"rating": 5.5}, "on the scale 1..5"),
        ({"rating": "4"}, "on the scale"),
        ({"rating": True}, "on the scale"),
        ({"rating": float("nan")}, "on the scale"),
        ({"user_id": ""}, "1 to 256 bytes"),
        ({"user_id": "ü" * 129}, "this has 258 bytes"),
        ({"user_id": 7}, "not int"),
        ({"item_id": "a\0b"}, "without NUL"),
        ({"item_id": "\ud800"}, "not Unicode"),
        ({"timestamp": 1.5}, "whole seconds"),
        ({"timestamp": -1}, "whole seconds"),
        ({"stars": 5}, "no field 'stars'"),
    ],
)
def test_a_bad_row_is_rejected_in_words(change, said):
    row = {"user_id": "ann", "item_id": "heat", "rating": 4, "timestamp": 12} | change
    event, verdict = judge(row, IdMap.of(["heat"], "item"), Scale(1, 5))
    assert event is None
    assert verdict.status == "rejected"
    assert said in verdict.reason


@pytest.mark.parametrize(
    "scale, step, rating, offered",
    [
        (Scale(1, 5), 1.0, 4.25, "4 or 5"),
        (Scale(0.5, 5), 0.5, 4.25, "4 or 4.5"),
        (Scale(0.5, 5), 0.5, 0.7, "0.5 or 1"),
        (Scale(-1, 1), 0.1, 0.25, "0.2 or 0.3"),
    ],
)
def test_a_rating_off_the_step_is_rejected_with_those_beside_it(scale, step, rating, offered):
    row = {"user_id": "ann", "item_id": "heat", "rating": rating}
    items = IdMap.of(["heat"], "item")
    event, verdict = judge(row, items, scale, step)
    assert (event, verdict.status) == (None, "rejected")
    assert verdict.reason.startswith(f"rating is {rating}; ")
    assert f"in steps of {step:g}: give {offered}" in verdict.reason
    for other in map(float, offered.split(" or ")):
        assert judge(row | {"rating": other}, items, scale, step)[1] == YES
    assert judge(row, items, scale)[1] == YES  # where ratings go by no step


def test_the_ends_of_a_scale_lie_on_any_step():
    row = {"user_id": "ann", "item_id": "heat", "rating": 4.7}
    assert judge(row, IdMap.of(["heat"], "item"), Scale(1, 4.7), 1.0)[1] == YES


@pytest.mark.parametrize(
    "ratings, step",
    [
        ([1, 2, 3, 4, 5], 1.0),
        ([0.5, 3, 4.5], 0.5),
        ([1, 2.25], 0.25),
        ([0.2, 0.4, 1], 0.2),
        ([3.3, 4.1], 0.1),
        ([1, 2, 3.14159], None),
        ([1, 2, 3, 4, 5] * 20_000 + [4.25], 1.0),
        ([1, 2, 3, 4, 5] * 10 + [4.25], 0.25),  # too few to tell
    ],
)
def test_the_step_is_the_one_that_nearly_all_ratings_go_by(ratings, step):
    assert step_of(np.array(ratings, np.float32)) == step


def test_one_stray_rating_does_not_change_what_was_liked():
    stars = np.array([1, 2, 3, 4, 5] * 20_000 + [4.25], np.float32)
    assert Scale(0.5, 5).least_liked(stars) == 4


@pytest.mark.parametrize("missing", ["user_id", "item_id", "rating"])
def test_a_row_wants_its_fields(missing):
    row = {"user_id": "ann", "item_id": "heat", "rating": 4}
    del row[missing]
    _, verdict = judge(row, IdMap.of(["heat"], "item"), Scale(1, 5))
    assert f"{missing} is missing" in verdict.reason


def test_a_good_row_is_an_event():
    items = IdMap.of(["heat"], "item")
    row = {"user_id": "ann", "item_id": "heat", "rating": 4, "timestamp": 12}
    assert judge(row, items, Scale(1, 5)) == (Event("ann", "heat", 4.0, 12), YES)
    event, verdict = judge(row | {"item_id": "new", "rating": None}, items, Scale(1, 5))
    assert event == Event("ann", "new", None, 12)
    assert "next refit" in verdict.reason
    assert judge(["ann"], items, Scale(1, 5))[1].status == "rejected"


# Who somebody is with their events.


def test_events_count_on_top_of_trained_ratings(store, model):
    user = str(model.users.ids[3])
    trained = trained_history(model, user)
    old, new = next(iter(trained)), next(one for one in model.items if one not in trained)
    store.write([post(rated(user, old, 1.0), rated(user, new, 5.0), rated(user, "unheard of"))])
    changes = ChangeIndex(store)
    changes.follow()
    person = person_of(model, changes, user)
    assert person.strategy == "folded_in"
    assert person.unknown_items == ("unheard of",)
    expected = model.fold_in({**trained, old: 1.0, new: 5.0})
    assert np.array_equal(person.items, expected.items)
    assert np.array_equal(person.ratings, expected.ratings)
    assert np.array_equal(person.embeddings.factors, expected.embeddings.factors)
    other = person_of(model, changes, str(model.users.ids[4]))
    assert other.strategy == "personal"


def test_a_rating_can_be_taken_back(store, model):
    user = str(model.users.ids[3])
    trained = trained_history(model, user)
    gone = next(iter(trained))
    store.write([post(rated(user, gone, None))])
    changes = ChangeIndex(store)
    changes.follow()
    person = person_of(model, changes, user)
    assert len(person.items) == len(trained) - 1
    assert model.items.row(gone) not in person.items


def test_erasing_ends_the_past_and_not_the_future(store, model):
    user, item = str(model.users.ids[3]), str(model.items.ids[0])
    store.write([post(rated(user, item))])
    store.erase(user)
    changes = ChangeIndex(store)
    changes.follow()
    assert person_of(model, changes, user).strategy == "popular"
    store.write([post(rated(user, item, 2.0))])
    changes.follow()
    person = person_of(model, changes, user)
    assert person.items.tolist() == [0]
    assert person.ratings.tolist() == [2.0]


# Refitting.


def test_refitting_on_nothing_new_gives_the_same_model(store, model):
    again = refit(model, store)
    assert np.array_equal(again.user_factors, model.user_factors)
    assert np.array_equal(again.item_factors, model.item_factors)
    assert again.settings == model.settings


def test_a_refit_records_what_each_kind_of_feedback_counted_as(store, model):
    recorded = refit(model, store).facts["feedback"]["event_weights"]
    low, high = model.scale
    assert (recorded["like"], recorded["dislike"], recorded["click"]) == (high, low, None)


def test_refitting_is_fitting_on_old_and_new_ratings(store, model):
    user = str(model.users.ids[3])
    trained = trained_history(model, user)
    changed, gone = list(trained)[:2]
    events = [rated(user, changed, 0.5), rated(user, gone, None), rated("ann", "new film", 3.0)]
    store.write([post(*events, rated("ann", changed, 1.0), rated("ann", changed, 4.0))])
    again = refit(model, store)
    sample = matinee.sample()
    rows = {
        (u, i): r
        for u, i, r in zip(
            sample.users.ids[sample.user],
            sample.items.ids[sample.item],
            sample.rating.tolist(),
            strict=True,
        )
    }
    rows[user, changed] = 0.5
    del rows[user, gone]
    rows["ann", "new film"], rows["ann", changed] = 3.0, 4.0
    users, items = zip(*rows, strict=True)
    frame = {"user_id": users, "item_id": items, "rating": list(rows.values())}
    import pandas as pd

    ratings = matinee.read_ratings(pd.DataFrame(frame), scale=tuple(sample.scale))
    # Films that nobody rated are kept.
    every = matinee.IdMap.of(["new film", *sample.items], "item")
    expected = matinee.NMF(n_factors=3, n_epochs=4).fit(ratings.renumbered(ratings.users, every))
    assert list(again.users) == list(expected.users)
    assert list(again.items) == list(expected.items)
    assert np.array_equal(again.item_factors, expected.item_factors)
    assert again.catalog[changed].title == model.catalog[changed].title


def test_a_refitted_model_counts_no_event_twice(store, model):
    user, item = str(model.users.ids[3]), str(model.items.ids[0])
    store.write([post(rated(user, item, 0.5))])
    again = refit(model, store)
    changes = ChangeIndex(store)
    changes.follow()
    assert person_of(model, changes, user).strategy == "folded_in"
    assert person_of(again, changes, user).strategy == "personal"
    twice = refit(again, store)
    assert np.array_equal(twice.item_factors, again.item_factors)


def test_later_feedback_is_what_the_last_refit_had_not_read(store, model):
    user = str(model.users.ids[3])
    assert later_feedback(model, store) == LaterFeedback(0, 0)
    store.write([post(rated("ann", "heat-1995"), rated(user, "heat-1995", None))])
    assert later_feedback(model, store) == LaterFeedback(2, 0)
    again = refit(model, store)
    assert later_feedback(again, store) == LaterFeedback(0, 0)
    store.write([post(rated("bob", "heat-1995"))])
    assert later_feedback(again, store) == LaterFeedback(1, 0)
    store.erase("a stranger to the model")
    assert later_feedback(again, store) == LaterFeedback(1, 0)
    store.erase(user)
    assert later_feedback(again, store) == LaterFeedback(1, 1)
    assert later_feedback(refit(again, store), store) == LaterFeedback(0, 0)


@pytest.mark.parametrize(
    "later, due",
    [((0, 0), False), ((2, 0), False), ((3, 0), True), ((4, 0), True), ((0, 1), True)],
)
def test_a_refit_is_due_for_enough_events_or_an_erased_user(later, due):
    assert LaterFeedback(*later).suffices(3) is due


def test_names_of_tastes_go_over_to_a_refit(store, model):
    named = model.rename_taste(0, "Heist films")
    assert refit(named, store).tastes()[0].name == "Heist films"


def test_a_name_given_while_a_refit_ran_is_not_lost(store, model, tmp_path):
    path = model.save(tmp_path / "model")
    replaced = manifest_digest(path)
    fitted = refit(matinee.load(path), store)
    matinee.load(path).rename_taste(0, "Heist films").save(path)
    save_refitted(fitted, path, replaced)
    kept = matinee.load(path)
    assert kept.facts["feedback"]["store"] == store.name
    assert "Heist films" in kept.taste_notes.names.values()


def test_erased_users_are_left_out_of_a_refit(store, model):
    user, back = str(model.users.ids[3]), str(model.users.ids[4])
    store.erase(user)
    store.erase(back)
    store.write([post(rated(back, "heat-1995", 4.0))])
    for again in (refit(model, store), refit(model, store, matinee.sample())):
        assert user not in again.users
        assert trained_history(again, back) == {"heat-1995": 4.0}
        changes = ChangeIndex(store)
        changes.follow()
        assert person_of(again, changes, back).strategy == "personal"
        assert person_of(again, changes, user).strategy == "popular"


# Durability.

WRITE_UNTIL_KILLED = """
import sys
from matinee.feedback.events import Event, Verdict
from matinee.feedback.store import EventBatch, Store
store = Store.at(sys.argv[1])
for n in range(100_000):
    store.write([EventBatch((Event("ann", str(n), 1.0, n),), (Verdict("accepted"),))])
    print(n, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(place):
    words = [sys.executable, "-c", WRITE_UNTIL_KILLED, place]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writing:
        assert writing.stdout is not None
        seen = [int(writing.stdout.readline()) for _ in range(20)]
        writing.send_signal(signal.SIGKILL)
        seen += [int(line) for line in writing.stdout.read().split()]
    store = Store.at(place)
    there = [event.item_id for event in store.events_of("ann")]
    assert there[: len(seen)] == [str(n) for n in seen]
    assert len(there) <= len(seen) + 1, "one more may be written and not yet told"
    store.close()
