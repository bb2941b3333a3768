"""A report in one file: the data, the quality of a model, its tastes, and its explanations.

    from matinee.report import report_of
    report_of(model, ratings).save("report.html")

The file needs no network, script or server. It has styles for print and for dark mode.
"""

from collections.abc import Sequence

from matinee.algorithms.from_model import ratings_of
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonMapping
from matinee.display.text import counted
from matinee.errors import BadRatings
from matinee.evaluation.model_quality import ModelQuality
from matinee.evaluation.model_quality import measure_quality as measure
from matinee.evaluation.recorded import curve_fingerprint
from matinee.models import Model
from matinee.report.data import data_section
from matinee.report.document import Report
from matinee.report.model_card import card_section
from matinee.report.origins import Origin, origin_of
from matinee.report.quality import quality_section
from matinee.report.sample_users import samples_section
from matinee.report.taste_space import map_section, tastes_section

__all__ = ["Report", "data_report", "measure", "ratings_of", "report_of"]


def report_of(
    model: Model,
    ratings: Ratings | None = None,
    *,
    origin: Origin | None = None,
    evaluation: ModelQuality | None = None,
    comparison: Sequence[JsonMapping] = (),
    curve: JsonMapping | None = None,
) -> Report:
    """The report on a model, in sections: data, quality, tastes, map, people, model card.

    ``ratings`` are its training ratings; the model stores them too, but without their times and
    origin. ``evaluation`` is what ``measure`` returns, ``comparison`` the rows of
    ``compare(...).table``, and ``curve`` is ``k_curve(...).to_dict()``. The parts of arguments that
    are not given are left out; the quality that was saved with the model stands for
    ``evaluation``. Raises BadRatings for ratings the model was not fitted on, and for an evaluation
    or a curve of other ratings.
    """
    if evaluation is not None:
        check_data("the evaluation", evaluation.data_fingerprint, model)
    if curve is not None:
        check_data("the k-curve", curve_fingerprint(curve), model)
    if ratings is not None and ratings.fingerprint != model.data_fingerprint:
        raise BadRatings(
            f"the model was fitted on other ratings (fingerprint {model.data_fingerprint}, these "
            f"have {ratings.fingerprint}); read them with the same options, or leave them out"
        )
    if ratings is None:
        trained, fingerprint = ratings_of(model), model.data_fingerprint
    else:
        trained, fingerprint, origin = ratings, None, origin or origin_of(ratings)
    about = trained.describe()
    summary = (
        f"A model of {counted(about.n_ratings, 'rating')} of {counted(about.n_items, 'item')} "
        f"by {counted(about.n_users, 'person')}: its data, its quality, and the reasons for "
        "its recommendations."
    )
    sections = [
        data_section(trained, origin, fingerprint),
        quality_section(model, evaluation or ModelQuality.of_facts(model), comparison, curve),
        tastes_section(model),
        map_section(model),
        samples_section(model),
        card_section(model),
    ]
    return Report(f"Matinee report: {model.algorithm}", summary, sections)


def check_data(what: str, fingerprint: str | None, model: Model) -> None:
    """Raise BadRatings where a result is of other ratings than a model."""
    if fingerprint is not None and fingerprint != model.data_fingerprint:
        raise BadRatings(
            f"{what} is of other ratings (fingerprint {fingerprint}) than the model (fingerprint "
            f"{model.data_fingerprint}); make it again from these, or leave it out"
        )


def data_report(ratings: Ratings, origin: Origin | None = None) -> Report:
    """The report on ratings alone."""
    origin = origin or origin_of(ratings)
    summary = f"What is in {origin.name}." if ratings.report else "What is in the ratings."
    return Report("Matinee report: the data", summary, [data_section(ratings, origin)])
