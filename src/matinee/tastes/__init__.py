"""What the factors of a model stand for, in films, people and words.

canonical.py turns factors into those that can be read, labels.py finds words for them, cards.py
shows them, notes.py keeps their names, matching.py finds them again in another model.
"""

from matinee.tastes.cards import Taste, Tastes, find_tastes
from matinee.tastes.labels import UNLABELLED
from matinee.tastes.notes import NO_NOTES, TasteNotes

__all__ = ["NO_NOTES", "UNLABELLED", "Taste", "TasteNotes", "Tastes", "find_tastes"]
