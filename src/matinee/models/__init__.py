"""Fitted models: immutable values that answer. Algorithms learn them; nothing here learns."""

from matinee.models.factor import FactorModel
from matinee.models.model import Model
from matinee.models.person import Person
from matinee.models.saved import load

__all__ = ["FactorModel", "Model", "Person", "load"]
