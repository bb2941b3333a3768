"""The next questions of an interview."""

from collections.abc import Iterator
from itertools import islice

from matinee.models.interview import Interview, is_askable
from matinee.server.schemas.interview import InterviewRequest
from matinee.server.snapshot import ModelSnapshot


def questions(snapshot: ModelSnapshot, body: InterviewRequest) -> list[int]:
    """Rows of up to ``n`` items to ask about, the most telling first.

    Each is the best once those before it are answered; where the model cannot tell, the most rated.
    """
    return list(islice(_questions(snapshot, body), body.n))


def _questions(snapshot: ModelSnapshot, body: InterviewRequest) -> Iterator[int]:
    model = snapshot.model
    answers: dict[object, float] = {one.item_id: one.rating for one in body.ratings}
    answered_items = set(model.items.rows([*answers, *body.not_seen]).tolist())
    if is_askable(model):
        known = {item: value for item, value in answers.items() if item in model.items}
        interview = Interview(model, known, knowledge=snapshot.interview_knowledge)
        for item in body.not_seen:
            interview = interview.unseen(item) if item in model.items else interview
        while question := interview.question:
            yield model.items.row(question.item_id)
            interview = interview.answered(question.item_id, model.scale.high)
    else:
        yield from (row for row in snapshot.by_count.tolist() if row not in answered_items)
