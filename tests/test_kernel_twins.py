"""Every kernel beside a slow, obvious twin, and a list that finds those without one."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import naive
from matinee.data.rows import Rows, indptr_of
from matinee.kernels import tiles
from matinee.kernels.bpr import PairRates, Pairs, descend_pairs
from matinee.kernels.cholesky import BLOCK
from matinee.kernels.factors import score_block, score_pairs
from matinee.kernels.least_squares import (
    Regularizer,
    Terms,
    dual_is_cheaper,
    dual_rows,
    normal_matrix,
    penalties_of,
    penalty_of,
)
from matinee.kernels.normal_sums import NormalSums, add_ratings, flush, solve_sums, sum_row, unpack
from matinee.kernels.random import draw_normal
from matinee.kernels.rows import by_columns
from matinee.kernels.sgd import Blocks, Placed, descend
from matinee.kernels.similarities import (
    Comparison,
    Vectors,
    inner_products,
    mean_differences,
    nearest_rows,
    similarities,
)
from matinee.kernels.sparse import Sparse
from matinee.kernels.svdpp import Letters, UserRates, descend_users
from matinee.kernels.user_neighbors import (
    Askers,
    Neighborhood,
    add_user_scores,
    add_user_scores_of_pairs,
    user_terms,
)
from matinee.row_solvers.embeddings import Embeddings

TESTS = Path(__file__).parent
KERNELS = Path(tiles.__file__).parent

# The test that compares a driver with its twin, where the twin is written in the test itself.
COMPARED_IN = {
    "improve_rows": "test_many_steps_give_the_dense_solution",
    "squared_errors": "test_squared_errors_are_those_of_the_clipped_scores",
    "add_row_sums": "test_listed_rows_are_added_one_after_the_other",
    "draw_rows": "test_a_row_is_drawn_from_its_posterior",
    "solve_rows": "test_rows_equal_the_slow_twin",
    "dual_rows": "test_rows_are_solved_in_the_dual_where_that_is_cheaper",
    "score_pairs": "test_scores_are_those_of_the_formula",
    "add_ratings": "test_sums_of_parts_give_the_dense_solution",
    "flush": "test_sums_are_the_dense_normal_matrix",
    "sum_row": "test_sums_are_the_dense_normal_matrix",
    "solve_sums": "test_sums_of_parts_give_the_dense_solution",
    "add_list_scores": "test_item_neighbours_equal_the_slow_twin",
    "add_list_scores_of_pairs": "test_an_item_scores_the_same_alone_and_among_all",
    "list_terms": "test_item_neighbours_equal_the_slow_twin",
    "add_user_scores_of_pairs": "test_user_scores_and_terms_are_those_of_the_slow_twin",
    "add_matrix_scores": "test_ease_equals_dense_algebra",
    "add_matrix_scores_of_pairs": "test_an_item_scores_the_same_alone_and_among_all",
    "top_n_in_blocks": "test_best_items_among_many",
    "top_by_index": "test_lists_of_an_index_are_those_of_scoring_all",
    "rank_intervals": "test_stand_is_that_of_sorting",
}


# The list.


def functions() -> dict[str, tuple[bool, set[str]]]:
    """Whether each function of ``matinee.kernels`` is compiled, and the names it mentions.

    Read from the source, so that it is the same list with compilation off.
    """
    return {
        f"{file.stem}.{node.name}": (
            any(ast.unparse(one) in ("kernel", "inlined") for one in node.decorator_list),
            {name.id for name in ast.walk(node) if isinstance(name, ast.Name)},
        )
        for file in KERNELS.glob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


def plain(name: str) -> str:
    return name.split(".")[1]


def drivers() -> list[str]:
    """The plain functions that call a compiled one of their own file."""
    every = functions()
    return sorted(
        name
        for name, (compiled, mentioned) in every.items()
        if not compiled
        and any(
            other.split(".")[0] == name.split(".")[0] and plain(other) in mentioned
            for other, (other_compiled, _) in every.items()
            if other_compiled
        )
    )


def test_every_kernel_is_run_by_a_driver():
    every = functions()
    ahead, reached = drivers(), set()
    while ahead:
        name = ahead.pop()
        reached.add(name)
        ahead += [
            other for other in every if plain(other) in every[name][1] and other not in reached
        ]
    assert not {name for name, (compiled, _) in every.items() if compiled} - reached


@pytest.mark.parametrize("driver", [plain(name) for name in drivers()])
def test_every_driver_is_compared_with_a_slow_twin(driver):
    """With that of its name in ``naive``, or in the test that ``COMPARED_IN`` names."""
    if driver in COMPARED_IN:
        written = rf"^def {COMPARED_IN[driver]}\("
    else:
        assert hasattr(naive, driver), f"{driver} has no twin in tests/naive.py"
        written = rf"\bnaive\.{driver}\("
    texts = [file.read_text(encoding="utf-8") for file in TESTS.glob("test_*.py")]
    assert any(re.search(written, text, re.MULTILINE) for text in texts)


# Scores, rows, random numbers.


def sides(n_users, n_items, k, seed=0):
    """P, b, Q and c, float32."""
    rng = np.random.default_rng(seed)
    shapes = (n_users, k), n_users, (n_items, k), n_items
    return [rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]


def test_scores_are_those_of_the_formula():
    P, b, Q, c = sides(4, 6, 5)
    expected = naive.score_block(3.5, *(array.astype(float) for array in (P, b, Q, c)))
    given = 3.5, Embeddings(P, b), Embeddings(Q, c)
    np.testing.assert_allclose(score_block(*given), expected, rtol=1e-5)
    user, item = np.array([3, 0, 3]), np.array([5, 2, 0])
    np.testing.assert_allclose(score_pairs(*given, user, item), expected[user, item], rtol=1e-5)


def test_normal_numbers_are_those_of_their_rows():
    out = np.empty((3, 6), np.float32)
    draw_normal(out, 0.5, seed=2**33 + 7, draw=2, first=2**32 - 1)
    expected = [naive.draw_normal(6, 2**33 + 7, 2, 2**32 - 1 + row) for row in range(3)]
    np.testing.assert_allclose(out, 0.5 * np.array(expected), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("renumbered", [False, True])
def test_columns_are_those_of_a_search(renumbered):
    rows = [[(0, 1.0), (2, 2.0)], [], [(1, 3.0), (2, 4.0), (3, 5.0)]]
    entries = [entry for row in rows for entry in row]
    rated = Rows(
        np.array([0, 2, 2, 5]),
        np.array([column for column, _ in entries], np.int32),
        np.array([value for _, value in entries], np.float32),
    )
    column_of = np.array([1, -1, 0, 2], np.int32) if renumbered else None
    if renumbered:
        rows = [[(int(column_of[i]), v) for i, v in row if column_of[i] >= 0] for row in rows]
    turned = by_columns(rated, 4, column_of)
    found = [list(zip(*map(np.ndarray.tolist, turned.row(c)), strict=True)) for c in range(4)]
    assert found == naive.by_columns(rows, 4)


# Normal equations.


def terms(n_rows=6, n_cols=200, d=9, weighted=True, seed=0):
    """Rows from empty to longer than two panels."""
    rng = np.random.default_rng(seed)
    counts = [0, 1, 5, BLOCK, BLOCK + 1, 2 * BLOCK + 3][:n_rows]
    indices = np.concatenate([rng.permutation(n_cols)[:n] for n in counts])
    rated = Rows(np.r_[0, np.cumsum(counts)], indices, rng.normal(size=len(indices)))
    if weighted:
        rated = rated._replace(weights=rng.uniform(0.5, 2, len(indices)))
    return Terms.of(rated, rng.normal(size=n_cols), rng.normal(size=(n_cols, d)))


def dense(all_terms, row, penalty):
    """A and b of a row."""
    one = all_terms.of_row(row)
    Y = one.Y[one.indices].astype(np.float64)
    w = one.weights.astype(np.float64) if one.weights.size else np.ones(len(Y))
    t = one.values.astype(np.float64) - one.offset[one.indices]
    return normal_matrix(Y, penalty, len(Y), w), Y.T @ (w * t)


def parts_of(all_terms, share):
    """The first ``share`` of each row's ratings, and the rest."""
    counts = all_terms.counts
    first = (counts * share).astype(int)
    place = np.arange(len(all_terms.indices)) - np.repeat(all_terms.indptr[:-1], counts)
    early = place < np.repeat(first, counts)
    for chosen, n in ((early, first), (~early, counts - first)):
        yield all_terms._replace(
            indptr=np.r_[0, np.cumsum(n)],
            indices=all_terms.indices[chosen],
            values=all_terms.values[chosen],
            weights=all_terms.weights[chosen] if all_terms.weights.size else all_terms.weights,
        )


@pytest.mark.parametrize("weighted", [False, True])
def test_sums_of_parts_give_the_dense_solution(weighted):
    given, d = terms(weighted=weighted), 9
    sums = NormalSums.zeros(6, d)
    for part in parts_of(given, 0.4):
        add_ratings(part, sums)
    pull = np.random.default_rng(1).normal(size=(6, d))
    base = 0.2 * np.eye(d) + 0.1
    penalty = penalty_of(np.full(d, 0.7), np.full(d, 0.5), 2.0, base=base)
    X = np.full((6, d), 0.5, np.float32)
    solve_sums(sums, Regularizer.of(penalty, pull, np.full(d, -np.inf), 0), X)
    assert (X[0] == 0.5).all(), "a row without ratings is left"
    for row in range(1, 6):
        A, b = dense(given, row, penalty)
        expected = np.linalg.solve(A, b + pull[row].astype(np.float32))
        np.testing.assert_allclose(X[row], expected, rtol=1e-3, atol=1e-4)


def unpacked(packed, d):
    A = np.zeros((d + 16 + d % 16, d + 32))
    unpack(packed, d, A)
    return np.triu(A[:d, :d])


def test_sums_are_the_dense_normal_matrix(monkeypatch):
    monkeypatch.setenv("MATINEE_THREADS", "3")
    given, d = terms(), 9
    nothing = penalty_of(np.zeros(d), np.zeros(d))
    sums = NormalSums.zeros(6, d)
    add_ratings(given, sums)
    flush(sums)
    assert not sums.held.any()
    for row in range(1, 6):
        A, b = dense(given, row, nothing)
        for one in (sums, sum_row(given.of_row(row))):
            place = row if one is sums else 0
            np.testing.assert_allclose(unpacked(one.A[place], d), np.triu(A), rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(one.b[place], b, rtol=1e-3, atol=1e-3)
            assert one.n[place] == given.counts[row]


def test_rows_are_solved_in_the_dual_where_that_is_cheaper():
    counts = np.array([0, 1, 9, 30, BLOCK, BLOCK + 1, 10**6])
    for d in (1, 12, 500):
        assert dual_rows(counts, d).tolist() == [bool(dual_is_cheaper(n, d)) for n in counts]
    assert dual_rows(counts, 12).tolist() == [True, True, True, False, False, False, False]


# Gradient steps.


def test_steps_are_those_of_one_rating_after_the_other():
    rng = np.random.default_rng(3)
    P, b, Q, c = sides(4, 5, 3)
    user, item = np.array([0, 1, 1, 3]), np.array([2, 2, 0, 4])
    rating = rng.normal(3, 1, 4).astype(np.float32)
    user_place, item_place = np.array([2, 0, 3, 1]), np.arange(5)
    places = (user_place[user], item_place[item])
    blocks = Blocks(1, np.array([0, 4]), *places, rating, user_place, item_place)
    penalties = tuple(rng.uniform(0.1, 0.5, n) for n in (4, 4, 5, 5))
    expected = [array.astype(np.float64) for array in (P, b, Q, c)]
    naive.descend(zip(user, item, rating, strict=True), 3.0, 0.1, penalties, *expected)
    given = Embeddings(P, b), Embeddings(Q, c)
    penalized = (penalties[:2], penalties[2:])
    placed = [
        Placed.of(*one) for one in zip(given, (user_place, item_place), penalized, strict=True)
    ]
    descend(blocks, [0], 3.0, 0.1, *placed)
    for steps, side in zip(placed, given, strict=True):
        steps.write(side)
    for found, wanted in zip((P, b, Q, c), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_steps_of_svdpp_are_those_of_one_user_after_the_other():
    rng = np.random.default_rng(4)
    P, b, Q, c = sides(3, 4, 2)
    Z = rng.normal(0, 0.5, (4, 2)).astype(np.float32)
    rated = [[(0, 4.0), (2, 3.0)], [], [(1, 5.0), (2, 1.0), (3, 2.0)]]
    implicit = [[0, 2, 3], [1], [1, 2, 3]]
    as_rows = Rows(
        indptr_of(np.repeat(range(3), [2, 0, 3]), 3),
        np.array([i for row in rated for i, _ in row]),
        np.array([r for row in rated for _, r in row]),
    )
    listed = Rows(indptr_of(np.repeat(range(3), [3, 1, 3]), 3), np.concatenate(implicit), Z[:0])
    rates, order = UserRates(0.05, 0.1, 0.2, 0.3), np.array([2, 0, 1])
    expected = [array.astype(np.float64) for array in (P, b, Q, c, Z)]
    naive.descend_users(order, rated, implicit, 3.0, rates, expected)
    descend_users(order, as_rows, listed, 3.0, rates, Letters(P, b, Q, c, Z))
    for found, wanted in zip((P, b, Q, c, Z), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_steps_of_bpr_are_those_of_one_pair_after_the_other():
    P, _, Q, c = sides(4, 6, 3)
    users, items = Embeddings(P, np.zeros(4, np.float32)), Embeddings(Q, c)
    positives = [[0, 1], [1, 4], [2, 5], [3]]
    user_group, item_group = np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1, 0, 1])
    dealt = sorted(
        (int(item_group[i] - user_group[u]) % 2 * 2 + int(user_group[u]), u, i)
        for u, listed in enumerate(positives)
        for i in listed
    )
    pairs = Pairs(
        indptr_of(np.array([block for block, _, _ in dealt]), 4),
        np.array([u for _, u, _ in dealt]),
        np.array([i for _, _, i in dealt]),
        indptr_of(item_group, 2),
        np.argsort(item_group, kind="stable"),
        np.cumsum([0, *map(len, positives)]),
        np.concatenate(positives),
    )
    rates = PairRates(0.1, 0.2, np.linspace(0.1, 0.6, 6), 0.05, 5)
    expected = [array.astype(np.float64) for array in (P, Q, c)]
    naive.descend_pairs(pairs, [1, 0], rates, (7, 3), *expected)
    descend_pairs(pairs, [1, 0], rates, (7, 3), users, items)
    for found, wanted in zip((P, Q, c), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


# Neighbours.


def sparse_vectors(n_rows=9, n_coordinates=7, seed=5):
    """Some ratings as vectors, as a matrix and as its transpose; the last row is empty."""
    rng = np.random.default_rng(seed)
    rows = [
        {int(c): float(rng.integers(1, 6)) for c in np.flatnonzero(rng.random(n_coordinates) < 0.6)}
        for _ in range(n_rows - 1)
    ] + [{}]
    return rows, sparse(rows), sparse(turned(rows, n_coordinates))


def turned(rows, n_coordinates):
    """The vectors of the coordinates."""
    return [{r: row[c] for r, row in enumerate(rows) if c in row} for c in range(n_coordinates)]


def sparse(rows):
    """Vectors as a matrix, a row each."""
    return Sparse(
        np.cumsum([0, *map(len, rows)]),
        np.array([c for row in rows for c in row], np.int32),
        np.array([value for row in rows for value in row.values()], np.float32),
    )


def norms_of(rows, power):
    """Norms to a power, which are 0 for empty vectors."""
    return np.array([sum(v * v for v in row.values()) ** (power / 2) for row in rows])


COMPARISONS = [Comparison(), Comparison(shrinkage=2.0, amplification=1.5), Comparison(True, 3.0)]


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_similar_rows_are_those_of_comparing_each_two(comparison):
    rows, by_row, by_column = sparse_vectors()
    as_row, as_neighbor = norms_of(rows, 0.8), norms_of(rows, 1.2)
    nearest = nearest_rows(by_row, by_column, (as_row, as_neighbor), comparison, 4)
    expected = naive.nearest_rows(rows, as_row, as_neighbor, comparison, 4)
    assert nearest.counts.tolist() == list(map(len, expected))
    assert nearest.indices.tolist() == [other for near in expected for other, _ in near]
    weights = [weight for near in expected for _, weight in near]
    np.testing.assert_allclose(nearest.values, weights, rtol=2e-4)
    vectors = Vectors.of(by_column, as_neighbor, comparison)
    for own_row in (3, -1):
        vector = np.array(list(rows[3])), np.array(list(rows[3].values()))
        found = similarities(vector, 2.5, own_row, vectors)
        expected = naive.similarities(rows[3], 2.5, own_row, rows, as_neighbor, comparison)
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-6)


def test_differences_and_products_are_those_of_each_two():
    rows, by_row, by_column = sparse_vectors()
    shared, differences = mean_differences(by_row, by_column, 5)
    expected = naive.mean_differences(rows, 5)
    assert shared.counts.tolist() == list(map(len, expected))
    others, counts, means = zip(*(one for near in expected for one in near), strict=True)
    assert shared.indices.tolist() == list(others)
    assert shared.values.tolist() == list(counts)
    np.testing.assert_allclose(differences, means, rtol=1e-5)
    np.testing.assert_allclose(inner_products(by_row, by_column), naive.inner_products(rows))


@pytest.mark.parametrize("averaged", [False, True])
def test_user_scores_and_terms_are_those_of_the_slow_twin(averaged):
    rows, by_row, by_column = sparse_vectors(n_rows=14, n_coordinates=40)
    comparison, norms = Comparison(shrinkage=1.0), norms_of(rows, 1.0)
    deviations = [{i: rating - 3.2 for i, rating in row.items()} for row in rows]
    rule = 3, averaged, 0.5 if averaged else 0.0
    neighborhood = Neighborhood(
        Vectors.of(by_column, norms, comparison),
        sparse(turned(deviations, 40)).values,
        by_row.indptr,
        by_row.indices,
        sparse(deviations).values,
        *rule,
    )
    newcomer = {0: 4.0, 5: 1.0, 6: 2.0}
    people = [rows[2], newcomer, rows[13]]
    own_row, own_norms = np.array([2, -1, 13]), norms_of(people, 1.0)
    askers = Askers(own_row, sparse(people), own_norms)
    weights = [
        naive.similarities(x, norm, own, rows, norms, comparison)
        for x, norm, own in zip(people, own_norms, own_row, strict=True)
    ]
    for items in ([7], list(range(40))):  # a few are scored one by one, many at once
        out = np.ones((3, len(items)), np.float32)
        add_user_scores(askers, neighborhood, np.array(items), out)
        expected = naive.add_user_scores(weights, items, deviations, *rule)
        np.testing.assert_allclose(out - 1, expected, rtol=1e-4, atol=1e-5)
    user, item = np.array([0, 0, 1, 2]), np.array([3, 39, 7, 3])
    out = np.ones(4, np.float32)
    add_user_scores_of_pairs(user, item, askers, neighborhood, out)
    np.testing.assert_allclose(out - 1, np.array(expected)[user, item], rtol=1e-4, atol=1e-5)
    users, terms = user_terms(7, np.array(weights[1]), neighborhood)
    found = dict(zip(users.tolist(), terms.tolist(), strict=True))
    assert found == pytest.approx(naive.user_terms(7, weights[1], deviations, *rule))
    assert found


def test_penalties_are_those_of_the_formula():
    reg, power, diagonal = np.array([0.2, 3.0, 0.5]), np.array([0.5, 0.5, 0.0]), np.arange(3.0)
    counts = np.array([4, 1, 4, 900])
    found = penalties_of(penalty_of(reg, power, 2.0, diagonal=diagonal), counts, 3)
    assert found == pytest.approx(np.array(naive.penalties_of(reg, power, 2.0, diagonal, counts)))
