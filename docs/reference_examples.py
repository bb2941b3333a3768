"""The examples of docs/reference-python.md, a cell for each of its subjects, run from the top.

Every public name stands in one of them, which tests hold.
"""

# %% Reading ratings
import warnings

import pandas

import matinee

frame = pandas.DataFrame({"user": [1, 1, 2], "item": [7, 8, 7], "stars": [5, 3, 4]})
table = {"user_id": "user", "item_id": "item", "rating": "stars"}
small: matinee.Ratings = matinee.read_ratings(frame, columns=table, scale=matinee.Scale(1, 5))
assert small.items == matinee.IdMap.of([7, 8], "item")
known: matinee.Catalog = matinee.read_catalog(
    {7: matinee.Item("Heat", 1995, ("Crime",)), 8: "Alien (1979)"}
)
film: matinee.Item = known["8"]
assert film.label == "Alien (1979)"

frame.to_csv("small.csv", index=False)
packed: matinee.PackedRatings = matinee.pack("small.csv", "packed", columns=table)
assert len(packed) == len(small) == 3

ratings = matinee.sample()  # real films, simulated people
board = matinee.checkerboard(40)  # two halves, each liked by one half of the people
noise = matinee.uniform(100, 50, ratings_per_user=10)
truth = matinee.planted(100, 50, n_factors=3)
print(ratings, board, noise, truth)

# %% Algorithms
print(matinee.default_algorithm(ratings))
model = matinee.fit(ratings, "mf")  # or matinee.fit(ratings), by the default

stars = [
    *(matinee.Bias(), matinee.MF(n_factors=8), matinee.NMF(n_factors=8), matinee.SVDpp()),
    *(matinee.BayesianMF(), matinee.UserKNN(), matinee.ItemKNN(), matinee.SlopeOne()),
]
lists = [
    *(matinee.Popularity(), matinee.EASE(), matinee.SLIM(), matinee.RP3beta(), matinee.BPR()),
    *(matinee.ImplicitALS(n_factors=16), matinee.TruncatedSVD(), matinee.MultVAE()),
]
made_of_others = [matinee.Blend(of=("mf", "bias")), matinee.Hybrid(), matinee.ContentBased()]
either = matinee.NeuralMF(feedback="rating")
assert {one.name for one in [*stars, *lists, *made_of_others, either]} == set(matinee.ALGORITHMS)

with matinee.on_device("auto"):  # a GPU where there is one
    print(matinee.ImplicitALS(n_factors=4).fit(board))

# %% Models
model.save("model")
again: matinee.Model = matinee.load("model")
assert isinstance(again, matinee.FactorModel)
print(again.recommend("42", n=3))
guest: matinee.Person = again.fold_in({"alien-1979": 5, "grease-1978": 1})
print(matinee.recommend_together(again, ["42", guest], n=3))

interview = matinee.Interview(again)
interview = interview.answered(interview.question.item_id, 4)
print(interview.question)

nmf = matinee.NMF(n_factors=4)
older, newer = nmf.fit(ratings), nmf.set_params(seed=1).fit(ratings)
print(matinee.match_tastes(older, newer))

# %% Explanations
first, second = model.recommend("42", n=2).item_id
explanation = model.explain("42", first, by="history")
assert abs(sum(term.value for term in explanation) - explanation.score) < 1e-4
contrast: matinee.Contrast = model.explain("42", first, versus=second)
rated = next(iter(ratings.history("42")))
changed: matinee.WhatIf = model.what_if("42", first, without=[rated])
fewer: matinee.Counterfactual = model.counterfactual("42", second, n=2)
print(contrast, changed, fewer)

# %% Measuring
split: matinee.Split = matinee.splitting.random(ratings, test_share=0.2, seed=0)
bias = matinee.Bias().fit(split.train)
print(matinee.evaluate(bias, split.test).metrics["rmse"])
print(matinee.evaluate_predictions(bias.predict(split.test)))
print(matinee.evaluate_lists(bias.recommend_all(10), split.test))
print(matinee.cross_validate(["bias", "popularity"], ratings, folds=2, metrics=["ndcg@10"]))
print(matinee.compare(["bias"], split, metrics=["rmse", "ndcg@10"]).to_pandas())
print(matinee.check_algorithm(matinee.Bias))

# %% Choosing
print(matinee.tune("bias", board, budget=3).to_pandas())
print(matinee.k_curve("nmf", truth, factors=[2, 3, 4], folds=2).chosen)
print(matinee.taste_stability(matinee.NMF(n_factors=3), truth, n_refits=2).tastes())
print(matinee.auto(board, trials=2).algorithm)

# %% Errors
for mistake in (
    lambda: matinee.MF(n_factors=0),  # matinee.BadSetting
    lambda: matinee.splitting.by_time(board),  # matinee.BadRatings
    lambda: model.recommend("nobody"),  # matinee.UnknownId
    lambda: matinee.load("nowhere"),  # matinee.BadModel
):
    try:
        mistake()
    except matinee.MatineeError as error:  # the parent of all
        print(type(error), error)

try:
    matinee.MF(n_factors=8, solver="sgd", learning_rate=10.0).fit(board)
except matinee.Diverged as error:
    print(error)

with warnings.catch_warnings(record=True, action="always", category=matinee.DataWarning) as caught:
    matinee.read_ratings(([1, 2], [7, 7], [5, "?"]))
print(caught[0].message)

# %% Splitting
for made in (
    matinee.splitting.random(ratings),
    matinee.splitting.per_user(ratings),
    matinee.splitting.liked(ratings),
    matinee.splitting.leave_last(ratings, n=1),
    matinee.splitting.by_time(ratings),
    matinee.splitting.cold_users(ratings),
    matinee.splitting.cold_items(ratings),
    matinee.splitting.strong(ratings),
    matinee.splitting.given(split.train, split.test),
    *matinee.splitting.k_fold(ratings, folds=2),
):
    print(made)

# %% Charts
matinee.charts.rating_distribution(ratings.describe()).save("ratings.svg")
matinee.charts.waterfall(explanation).save("why.html")
print(matinee.charts.long_tail(ratings).data)

# %% Report
matinee.report.report_of(older, ratings).save("report.html")
