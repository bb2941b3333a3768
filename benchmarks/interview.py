"""Which films to ask a newcomer about: the interview against the most popular films.

A tenth of the users of MovieLens 1M is held out. Half of the ratings of each, at random, are the
films they have seen and can answer for; the other half is tested. Both ways of asking go on
until there are five answers, or stop after five questions whether they were answered or not.

python benchmarks/interview.py
"""

from argparse import ArgumentParser
from collections.abc import Iterator

import numpy as np

from data import folder_of_data
from jobs import RESULTS, Row, circumstances, keep
from matinee import __version__, splitting
from matinee.algorithms import MF, NMF
from matinee.algorithms.base import Algorithm
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.threads import n_threads
from matinee.models import Model
from matinee.models.interview import Interview, Knowledge
from matinee.sources import read_ratings
from matinee.splitting import Split
from tables import table

CONTENDERS: tuple[Algorithm, ...] = (
    NMF(n_factors=15),
    MF(n_factors=16, implicit_weight=0),
    MF(n_factors=16),
    MF(),
)
FIVE, MOST_ASKED = 5, 200
KEY = ("algorithm", "settings", "data_set", "until")
SHOWN = (
    "algorithm",
    "until",
    "nothing_rmse",
    "popular_rmse",
    "interview_rmse",
    "popular_questions",
    "interview_questions",
    "popular_answers",
    "interview_answers",
)


def main() -> None:
    """Measure, show and keep."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of ml-1m.zip")
    parser.add_argument("--data-set", default="ml-1m", choices=("ml-100k", "ml-1m"))
    parser.add_argument("--people", type=int, default=300, help="held-out users to interview")
    given = parser.parse_args()
    ratings = read_ratings(folder_of_data(given.data) / f"{given.data_set}.zip")
    split = splitting.strong(ratings, 0.1, 0.5, seed=0)
    rows = []
    for algorithm in CONTENDERS:
        model = algorithm.fit(split.train)
        for until in ("5 answers", "5 questions"):
            with one_blas_thread():
                row = measured(model, split, given.people, until)
            row |= {
                "algorithm": algorithm.name,
                "settings": algorithm.settings,
                "until": until,
                "data_set": given.data_set,
                "people": given.people,
                "split": str(split),
                "versions": {"matinee": __version__, "numpy": np.__version__},
            }
            keep(RESULTS / "interview.jsonl", row | circumstances(n_threads()), KEY)
            rows.append({name: row[name] for name in SHOWN})
            print(table(rows[-1:]), flush=True)
    print(table(rows))


def measured(model: Model, split: Split, n_people: int, until: str) -> Row:
    """RMSE on the tested half after each way of asking, with the means of questions and answers."""
    assert split.history is not None
    knowledge = Knowledge.of(model)
    squares = {"nothing": 0.0, "popular": 0.0, "interview": 0.0}
    asked = {"popular": [], "interview": []}  # type: dict[str, list[tuple[int, int]]]
    n = 0
    for user in np.unique(split.test.user)[:n_people].tolist():
        seen = split.history.history(split.train.users.ids[user])
        answers = {"nothing": {}}  # type: dict[str, dict[object, float]]
        ways = {"popular": popular(model), "interview": None}
        for way, films in ways.items():
            interview, questions = Interview(model, knowledge=knowledge), 0
            while not_enough(interview, questions, until):
                question = interview.question if films is None else None
                film = question.item_id if question else next(films or iter(()), None)
                if film is None:
                    break
                questions += 1
                interview = (
                    interview.answered(film, seen[film]) if film in seen else interview.unseen(film)
                )
            answers[way] = dict(interview.answers)
            asked[way].append((questions, len(interview.answers)))
        items, stars = split.test.by_user.row(user)
        n += len(items)
        for way, told in answers.items():
            scores = model.clipped(model.score_people([model.fold_in(told)], items)[0])
            squares[way] += float(((scores.astype(np.float64) - stars) ** 2).sum())
    row: Row = {f"{way}_rmse": float(np.sqrt(one / n)) for way, one in squares.items()}
    for way, counts in asked.items():
        row[f"{way}_questions"], row[f"{way}_answers"] = np.mean(counts, axis=0).round(2).tolist()
    return row


def popular(model: Model) -> Iterator[str]:
    """The films with the most ratings first."""
    return iter(model.items.ids[np.argsort(-model.item_counts, kind="stable")].tolist())


def not_enough(interview: Interview, questions: int, until: str) -> bool:
    """Whether to go on asking."""
    if until == "5 questions":
        return questions < FIVE
    return len(interview.answers) < FIVE and questions < MOST_ASKED


if __name__ == "__main__":
    main()
