"""Loading a model from its folder: the types that a folder may hold."""

from os import PathLike
from pathlib import Path

from matinee.data.features import Vocabulary
from matinee.data.scale import Scale
from matinee.errors import BadModel, known_arguments
from matinee.kernels.item_neighbors import NeighborLists
from matinee.models.blend import BlendModel
from matinee.models.choice import ChoicePart
from matinee.models.factor import FactorModel
from matinee.models.hybrid import HybridModel
from matinee.models.intervals import Calibration
from matinee.models.model import Model
from matinee.models.neighbor import NeighborModel
from matinee.models.neural import NeuralModel
from matinee.models.population_statistics import PopulationStatistics
from matinee.models.posterior import PosteriorModel
from matinee.models.profile_map import ProfileMap
from matinee.models.similarity import Similarity
from matinee.models.user_neighbor import UserNeighborModel
from matinee.row_solvers import FOLD_INS, MatrixPenalty
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.tower import Tower
from matinee.storage.model_files import read_folder
from matinee.storage.serialization import TYPE, Reader
from matinee.tastes import TasteNotes
from matinee.tastes.canonical import Moments

MODELS: tuple[type[Model], ...] = (
    FactorModel,
    HybridModel,
    PosteriorModel,
    NeighborModel,
    NeuralModel,
    UserNeighborModel,
    BlendModel,
)
VALUES: tuple[type, ...] = (
    Calibration,
    ChoicePart,
    Embeddings,
    MatrixPenalty,
    NeighborLists,
    Moments,
    PopulationStatistics,
    ProfileMap,
    Scale,
    Similarity,
    TasteNotes,
    Tower,
    Vocabulary,
    *FOLD_INS.values(),
)
TYPES: dict[str, type] = {kind.__name__: kind for kind in (*MODELS, *VALUES)}


@known_arguments
def load(path: str | Path) -> Model:
    """The model saved at ``path``; needs neither its training data nor any code from the file.

    Every file is checked by its digest, which takes some 0.6 s per GB. Raises BadModel, in words,
    when the folder is missing, truncated, altered, newer, foreign or inconsistent.
    """
    if not isinstance(path, str | PathLike):
        raise BadModel(f"load takes the path of a model's folder, not {path!r}")
    facts, arrays, texts = read_folder(Path(path))
    facts.pop("versions", None)
    kind = facts.get(TYPE)
    if kind not in TYPES or not issubclass(TYPES[kind], Model):
        raise BadModel(f"{path} holds a model of kind {kind!r}, which this Matinee does not know")
    try:
        model: Model = Reader(TYPES, arrays, texts).value(facts)
        return model
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadModel(f"{path} does not hold a whole model ({error}); fit it again") from None
