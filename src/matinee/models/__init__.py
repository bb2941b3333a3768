"""Fitted models: immutable values that answer. Algorithms learn them; nothing here learns."""

from matinee.models.factor import FactorModel
from matinee.models.model import Model
from matinee.models.saved import load
from matinee.row_solvers.person import Person

__all__ = ["FactorModel", "Model", "Person", "load"]
