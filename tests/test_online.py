"""Actions beside ratings, lists joined with clicks, and the comparison of models by them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import httpx
import numpy as np
import pytest
from sqlalchemy import event

import matinee
from matinee.data.scale import Scale
from matinee.feedback.actions import KINDS, Action, KindName, judge_row, weights
from matinee.feedback.anytime import MIN_UNITS, Sample, difference, mean
from matinee.feedback.store import EventBatch, Store
from matinee.server.arms import assigned
from matinee.server.latency import Latency, latencies
from matinee.server.lifecycle import ServerState
from serving import answering

ROOT = Path(__file__).resolve().parent.parent
STARS = Scale(1.0, 5.0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models of the sample that differ."""
    place = tmp_path_factory.mktemp("online")
    sample = matinee.sample()
    return (
        matinee.NMF(n_factors=4, n_epochs=5).fit(sample).save(place / "model"),
        matinee.Popularity().fit(sample).save(place / "popular"),
    )


@pytest.fixture
def state(folders: tuple[Path, Path], store: Store) -> ServerState:
    return ServerState(folders[0], store, arm_paths={"popular": folders[1]})


@pytest.fixture
def client(state: ServerState) -> Iterator[httpx.Client]:
    with answering(state) as one:
        yield one


def post(client: httpx.Client, *rows: object) -> dict:
    response = client.post("/v1/feedback", json={"events": list(rows)})
    assert response.status_code == 200, response.text
    return response.json()


def recommended(client: httpx.Client, user: str, **query: object) -> dict:
    response = client.get(f"/v1/users/{user}/recommendations", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def action(kind: str, user: str, item: str, of: str | None = None) -> dict:
    row = {"kind": kind, "user_id": user, "item_id": item}
    return row if of is None else {**row, "recommendation_id": of}


# Kinds.


def test_every_kind_has_a_name_in_the_document():
    assert set(get_args(KindName)) == set(KINDS)


def test_the_docs_list_every_kind():
    serving, servers, changes = (
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("docs/serving.md", "docs/servers.md", "CHANGELOG.md")
    )
    assert len(KINDS) == 10
    assert "| events | ten kinds with" in servers
    assert f"**Events of ten kinds** ({', '.join(KINDS)})" in changes
    section = serving.split("### Kinds of events")[1].split("###")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(first_cells))) == set(KINDS)


def test_kinds_count_as_ratings_on_the_scale_of_the_model():
    stars, counts = weights(STARS, True), weights(Scale(1.0, 2.0), False)
    assert (stars["like"], stars["dislike"], stars["play"]) == (5.0, 1.0, None)
    assert (counts["play"], counts["purchase"], counts["dislike"]) == (1.0, 2.0, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "stare"}, "kind is 'stare'; it is one of rating, like"),
        ({"kind": ["like"]}, "did you mean 'like'? It is one of rating, like"),
        ({"kind": "like", "rating": 4}, "has no rating"),
        ({"kind": "click", "recommendation_id": "x"}, "not one that a list had"),
        ({"kind": "click", "recommendation_id": 5}, "not one that a list had"),
        ({"kind": "click", "user_id": ""}, "user_id"),
        ({"kind": "click", "place": 3}, "there is no field 'place'"),
    ],
)
def test_a_bad_row_is_rejected_with_a_reason(change, reason):
    row = {"user_id": "ann", "item_id": "heat-1995"}
    items = matinee.sample().items
    found = judge_row({**row, **change}, items, STARS, True)
    assert (found.event, found.action) == (None, None)
    assert reason in found.verdict.reason


def test_a_like_counts_as_the_top_of_the_scale(client):
    assert post(client, action("like", "new", "heat-1995"))["accepted"] == 1
    known = client.get("/v1/users/new").json()
    assert known["ratings"][0]["rating"] == client.get("/v1/model").json()["model"]["scale"][1]
    assert known["actions"][0]["kind"] == "like"


def test_a_rating_off_the_step_is_refused_and_an_action_on_it_counts(client):
    facts = client.get("/v1/model").json()["model"]
    assert facts["rating_step"] == 0.5
    row = {"user_id": "7", "item_id": "heat-1995", "rating": 4.25}
    (verdict,) = post(client, row)["verdicts"]
    assert verdict["status"] == "rejected"
    assert "rating is 4.25" in verdict["reason"]
    assert "steps of 0.5: give 4 or 4.5" in verdict["reason"]
    assert post(client, row | {"rating": 4.5}, action("like", "7", "heat-1995"))["accepted"] == 2


def test_what_was_seen_leaves_the_list_and_nothing_else_changes(client):
    before = [one["item_id"] for one in recommended(client, "7", n=12)["items"]]
    post(client, action("seen", "7", before[2]), action("impression", "7", before[0]))
    after = [one["item_id"] for one in recommended(client, "7", n=11)["items"]]
    assert after == before[:2] + before[3:]
    listed = recommended(client, "7", n=12, exclude_seen=False)["items"]
    assert before[2] in [one["item_id"] for one in listed]
    body = {"users": ["7"], "n": 11}
    (batch,) = client.post("/v1/recommendations:batch", json=body).json()["lists"]
    assert [one["item_id"] for one in batch["items"]] == after


@pytest.mark.parametrize("kind", ["seen", "hide", "dislike", "like", "play"])
@pytest.mark.parametrize("user", ["11", "stranger"])
def test_a_list_after_a_restore_is_the_list_before(client, kind, user):
    before = recommended(client, user, n=12)["items"]
    item = before[2]["item_id"]
    post(client, action(kind, user, item))
    assert item not in [one["item_id"] for one in recommended(client, user, n=12)["items"]]
    post(client, action("restore", user, item))
    assert recommended(client, user, n=12)["items"] == before


def test_a_restore_brings_back_the_rating_before_an_action_and_keeps_the_one_after(client):
    rate = lambda value: {"user_id": "r", "item_id": "heat-1995", "rating": value}  # noqa: E731
    rating = lambda: [one["rating"] for one in client.get("/v1/users/r").json()["ratings"]]  # noqa: E731
    post(client, rate(3.5), action("dislike", "r", "heat-1995"))
    assert rating() == [0.5]
    post(client, action("restore", "r", "heat-1995"))
    assert rating() == [3.5]
    post(client, action("like", "r", "heat-1995"), rate(2), action("restore", "r", "heat-1995"))
    assert rating() == [2]
    post(client, action("restore", "r", "heat-1995"))
    assert rating() == [2], "there is nothing left to take back"


def test_another_server_on_the_store_knows_what_was_seen(client, folders, store):
    first = recommended(client, "5", n=1)["items"][0]["item_id"]
    post(client, action("seen", "5", first))
    other = ServerState(folders[0], store, arm_paths={"popular": folders[1]})
    with answering(other) as second:
        assert recommended(second, "5", n=1)["items"][0]["item_id"] != first


def test_erasing_a_user_erases_their_actions(client, store):
    post(client, action("seen", "9", "heat-1995"), action("click", "9", "heat-1995"))
    store.erase("9")
    assert store.actions_of("9") == []


# Lists joined with clicks.


def test_every_sending_of_a_list_has_an_id_of_its_own(client, state):
    first, again = recommended(client, "3"), recommended(client, "3")
    assert first["items"] == again["items"]
    assert first["recommendation_id"] != again["recommendation_id"]
    arm, digest, _ = first["recommendation_id"].split(".")
    assert arm == first["arm"] == state.model_of("3").name
    assert first["model_version"].endswith(digest)


def test_impressions_are_joined_with_clicks_by_list_and_item(client, state):
    user = next(one for one in map(str, range(1, 99)) if state.model_of(one).name == "popular")
    shown = recommended(client, user, n=4)
    items, of = [one["item_id"] for one in shown["items"]], shown["recommendation_id"]
    rows = [action("impression", user, item, of) for item in items] * 2  # sent twice
    clicks = [action("click", user, items[0], of)] * 2
    stray = [action("click", user, "never-shown", of), action("click", user, items[1])]
    post(client, *rows, *clicks, *stray, action("purchase", user, items[0], of))
    figures = client.get("/v1/online").json()
    (arm,) = figures["arms"]
    assert arm["arm"] == "popular"
    counts = arm["users"], arm["lists"], arm["impressions"], arm["clicks"], arm["conversions"]
    assert counts == (1, 1, 4, 1, 1)
    assert (arm["click_through_by_user"], arm["conversion_by_user"]) == (None, None), "one user"
    assert arm["latency"]["n"] == 1
    assert arm["latency"]["median_ms"] == arm["latency"]["p99_ms"] > 0, "one list"
    assert (arm["click_through"], arm["conversion"]) == (0.25, 0.25)
    n_items = len(state.main.model.items)
    assert arm["coverage"] == pytest.approx(4 / n_items, abs=1e-6)
    text = client.get("/metrics").text
    assert 'matinee_impressions{arm="popular"} 4.0' in text
    assert 'matinee_actions_total{kind="click"} 4.0' in text
    assert 'matinee_list_duration_seconds_count{arm="popular"} 1.0' in text


def converting(kind: str, user: str, item: str, of: str | None = None) -> dict:
    row = action(kind, user, item, of)
    return {**row, "rating": 4} if kind == "rating" else row


def undoing(kind: str, user: str, item: str, of: str | None = None) -> dict:
    if kind == "rating":
        return {**action("rating", user, item, of), "rating": None}
    return action("restore", user, item, of)


@pytest.mark.parametrize("kind", ["rating", "like", "purchase", "play"])
@pytest.mark.parametrize("within", [True, False], ids=["named the list", "named none"])
def test_what_is_taken_back_converts_no_longer(client, store, kind, within):
    listed = recommended(client, "7", n=2)
    items, of = [one["item_id"] for one in listed["items"]], listed["recommendation_id"]
    conversions = lambda: store.outcomes()[listed["arm"]].conversions  # noqa: E731
    post(client, *(action("impression", "7", item, of) for item in items))
    post(client, *(converting(kind, "7", item, of) for item in items))
    assert conversions() == 2
    undo = undoing(kind, "7", items[0], of if within else None)
    post(client, undo)
    assert conversions() == 1
    post(client, converting(kind, "7", items[0], of))
    assert conversions() == 2, "done again after it was taken back"
    post(client, converting(kind, "8", items[0]), {**undo, "user_id": "8"})
    assert conversions() == 2, "what another person takes back is theirs"
    post(client, converting(kind, "7", items[0], of), undo)
    assert conversions() == 1, "both in one request"


def test_a_restore_takes_no_rating_back_and_a_null_rating_no_purchase(client, store):
    listed = recommended(client, "7", n=2)
    (rated, bought), of = [one["item_id"] for one in listed["items"]], listed["recommendation_id"]
    post(client, *(action("impression", "7", item, of) for item in (rated, bought)))
    post(client, converting("rating", "7", rated, of), action("purchase", "7", bought, of))
    post(client, action("restore", "7", rated, of), undoing("rating", "7", bought, of))
    assert store.outcomes()[listed["arm"]].conversions == 2


def test_figures_are_of_one_moment_whatever_is_written_meanwhile(store):
    """An impression of one more list follows each statement."""

    shown = Action("7", "heat-1995", "impression", "late.1.2", "late", 1)
    is_reading = True

    def write_another(*_: object) -> None:
        nonlocal is_reading
        if is_reading:
            is_reading = False
            store.write([EventBatch((), (), actions=(shown,))])
            is_reading = True

    event.listen(store.engine, "after_cursor_execute", write_another)
    figures = [store.outcomes() for _ in range(2)]
    assert [list(arms) for arms in figures] == [[], ["late"]]


def test_outcomes_are_sums_over_users_on_either_database(postgresql_url, tmp_path):
    def actions() -> Iterator[Action]:
        for user, shown, clicked in (("a", 4, 2), ("b", 2, 0)):
            for place in range(shown):
                kinds = ["impression"] + ["click"] * (place < clicked)
                yield from (
                    Action(user, f"i{place}", kind, f"main.d.{user}", "main", 0) for kind in kinds
                )

    for place in (tmp_path / "feedback.sqlite", postgresql_url):
        store = Store.at(place)
        store.write([EventBatch((), (), actions=tuple(actions()))])
        found = store.outcomes()["main"]
        store.erase("a")
        store.erase("b")
        store.close()
        assert found[:5] == (2, 6, 2, 0, 4), "lists, exposures, clicks, conversions, items"
        assert found.clicked == Sample(2, 0.5, 0.25)


def test_rates_by_user_and_their_comparison_have_the_intervals_of_the_formula(client, store):
    def shown(arm: str, user: int, n_clicks: int) -> Iterator[Action]:
        for place in range(4):
            kinds = ["impression"] + ["click"] * (place < n_clicks)
            for kind in kinds:
                yield Action(f"{arm}{user}", f"i{place}", kind, f"{arm}.d.{user}", arm, 0)

    rows = [row for user in range(40) for row in shown("main", user, user % 2)]
    rows += [row for user in range(50) for row in shown("popular", user, 3)]
    store.write([EventBatch((), (), actions=tuple(rows))])
    figures = client.get("/v1/online").json()
    main, popular = figures["arms"]
    assert (main["lists"], main["impressions"], main["clicks"]) == (40, 160, 20)
    assert (popular["lists"], popular["impressions"], popular["clicks"]) == (50, 200, 150)
    assert main["latency"] is popular["latency"] is None, "this server computed no list"
    samples = Sample(40, 20 * 0.25, 20 * 0.0625), Sample(50, 50 * 0.75, 50 * 0.5625)
    for arm, sample in zip((main, popular), samples, strict=True):
        assert arm["click_through_by_user"] == pytest.approx(mean(sample)._asdict(), abs=1e-6)
    (compared,) = figures["comparisons"]
    assert (compared["arm"], compared["against"]) == ("popular", "main")
    assert compared["click_through"]["estimate"] == pytest.approx(0.75 - 0.125)
    assert compared["click_through"]["decided"]
    assert not compared["conversion"]["decided"], "nobody converted"


def test_a_quantile_of_a_latency_is_the_bound_of_its_bucket():
    latency = Latency({0.001: 49, 0.002: 50, 0.005: 98, 0.01: 99, float("inf"): 100})
    assert latency.n == 100
    assert [latency.bound(share) for share in (0.49, 0.5, 0.51, 0.99)] == [
        0.001,
        0.002,
        0.005,
        0.01,
    ]
    assert latency.bound(0.995) is None, "beyond the largest bucket"


def test_latencies_are_those_of_each_arm(state):
    for arm, seconds in (("main", [0.0001, 0.0015, 0.0015]), ("popular", [0.3, 20.0])):
        for one in seconds:
            state.metrics.list_seconds.labels(arm).observe(one)
    state.metrics.list_seconds.labels("idle")
    latency = latencies(state.metrics.registry.collect(), "matinee_list_duration_seconds", "arm")
    assert latency == state.metrics.list_latencies()
    assert set(latency) == {"main", "popular"}
    quantiles = {arm: (one.n, one.bound(0.5), one.bound(0.99)) for arm, one in latency.items()}
    assert quantiles == {"main": (3, 0.002, 0.002), "popular": (2, 0.5, None)}


# Arms.


def test_arms_share_users_evenly_and_a_new_arm_moves_nobody_else(state):
    arms = list(state.snapshots)
    users = [f"user {number}" for number in range(4000)]
    of_two = [assigned(user, "salt", arms).name for user in users]
    assert of_two == [assigned(user, "salt", arms[::-1]).name for user in users]
    assert abs(of_two.count("main") - 2000) < 5 * np.sqrt(1000)
    third = type(arms[0])(arms[0].model, arms[0].version, "third")
    of_three = [assigned(user, "salt", [*arms, third]).name for user in users]
    moved = [(a, b) for a, b in zip(of_two, of_three, strict=True) if a != b]
    assert {b for _, b in moved} == {"third"}
    assert abs(len(moved) - 4000 / 3) < 5 * np.sqrt(4000 * 2 / 9)
    assert of_two != [assigned(user, "other salt", arms).name for user in users]


def test_a_user_is_answered_by_the_model_of_their_arm(client, folders, state):
    models = {"main": matinee.load(folders[0]), "popular": matinee.load(folders[1])}
    arms = set()
    for user in map(str, range(1, 13)):
        body = recommended(client, user, n=5)
        arms.add(body["arm"])
        own = models[body["arm"]]
        expected = list(own.recommend(user, 5).item_id)
        assert [one["item_id"] for one in body["items"]] == expected
        assert body["model_version"].startswith(own.algorithm)
    assert arms == {"main", "popular"}


# The comparison.


def looks(rng: np.random.Generator, lift: float) -> Iterator[tuple[Sample, Sample]]:
    """The sums of two arms at every look, as users come back again and again."""
    n_users, n_visits, n_looks = 1200, 6000, 40
    rate = rng.beta(1, 6, n_users)
    arm = rng.integers(0, 2, n_users)
    chance = np.clip(rate + lift * arm, 0, 1)
    user = np.minimum(rng.geometric(1 / 300, n_visits), n_users) - 1
    clicked = rng.random(n_visits) < chance[user]
    for end in np.linspace(n_visits / n_looks, n_visits, n_looks).astype(int):
        shown = np.bincount(user[:end], minlength=n_users)
        share = np.bincount(user[:end], clicked[:end], minlength=n_users) / np.maximum(shown, 1)
        parts = [share[(arm == one) & (shown > 0)] for one in (0, 1)]
        yield tuple(Sample(len(one), one.sum(), (one**2).sum()) for one in parts)


def ever_decided(seed: int, lift: float) -> list[int]:
    """The signs of all decisions of an experiment that is looked at after every few visits."""
    rng = np.random.default_rng(seed)
    found = [difference(a, b) for a, b in looks(rng, lift)]
    return [int(np.sign(one.estimate)) for one in found if one is not None and one.decided]


def test_looking_at_equal_arms_again_and_again_decides_in_less_than_alpha_of_them():
    wrong = sum(bool(ever_decided(seed, 0.0)) for seed in range(300))
    assert wrong / 300 <= 0.05


def test_a_better_arm_is_decided_for():
    found = [ever_decided(seed, 0.15) for seed in range(20)]
    assert all(found)
    assert all(sign == 1 for signs in found for sign in signs)


def test_the_interval_is_the_formula_and_wider_than_that_of_one_look():
    a, b = Sample(400, 40.0, 12.0), Sample(600, 90.0, 31.0)
    found = difference(a, b, alpha=0.05)
    v = a.variance / 400 + b.variance / 600
    x = 1000 * (-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / 1000
    reach = np.sqrt(v) * np.sqrt(2 * (x + 1) / x * np.log(np.sqrt(x + 1) / 0.05))
    assert found.estimate == pytest.approx(0.05)
    assert found.high - found.estimate == pytest.approx(reach)
    assert found.estimate - found.low == pytest.approx(reach)
    assert 1.2 < reach / (1.96 * np.sqrt(v)) < 1.7


def test_the_interval_of_a_mean_is_the_formula_with_one_arm():
    a = Sample(400, 40.0, 12.0)
    found = mean(a, alpha=0.05)
    x = 400 * (-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / 1000
    reach = np.sqrt(2 * a.variance / 400 * (x + 1) / x * np.log(np.sqrt(x + 1) / 0.05))
    assert found == pytest.approx((0.1, 0.1 - reach, 0.1 + reach))
    assert mean(Sample(40, 0.0, 0.0)).low == 0, "a share is not below 0"
    assert mean(Sample(40, 40.0, 40.0)).high == 1, "nor above 1"


def test_the_mean_is_in_its_interval_at_all_of_many_looks_in_95_of_100():
    rng, missed = np.random.default_rng(0), 0
    for _ in range(300):
        values = rng.beta(1, 4, 1000)
        sums, squares = values.cumsum(), (values**2).cumsum()
        looks = [mean(Sample(n, sums[n - 1], squares[n - 1])) for n in range(MIN_UNITS, 1001, 10)]
        missed += any(not one.low <= 0.2 <= one.high for one in looks)
    assert missed / 300 <= 0.05


def test_there_is_no_interval_of_a_few_users():
    few, many = Sample(MIN_UNITS - 1, 3.0, 1.0), Sample(500, 50.0, 20.0)
    assert difference(few, many) is None
    assert difference(many, few) is None
    assert mean(few) is None
