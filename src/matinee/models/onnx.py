"""The scores of a model as an ONNX graph, for runtimes that know nothing of Matinee.

    vectors      user (n,) int64              scores = Gather(U, user) V         (n, n_items)
    neighbours   chosen (n, n_items) float32  scores = chosen W                  (n, n_items)

U and V' are the search vectors, so biases and the choice part are in them. Row j of W holds what
the chosen item j adds to all scores. Rows stand in the order of the ids.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.scale import Scale
from matinee.disk.whole_files import whole_file
from matinee.display.optional import ONNX
from matinee.errors import BadSetting, MatineeError
from matinee.models.vectors import Vectors

IR_VERSION, OPSET = 8, 17  # of 2022
MOST_BYTES = 2**31 - 2**20  # of a protocol buffer, less room for the ids


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes of a graph from one input to the scores, and its constants."""

    entry: tuple[str, str, tuple[str | int, ...]]  # name, type of ONNX and shape of the input
    nodes: tuple[tuple[str, tuple[str, ...], str], ...]  # operator, inputs and output
    constants: Mapping[str, np.ndarray] = field(repr=False)  # float32

    @classmethod
    def of_vectors(cls, users: Vectors, items: Vectors, scale: Scale | None) -> "Graph":
        """Products of search vectors, clipped to a scale where one is given."""
        entry, constants = (
            ("user", "INT64", ("n",)),
            {"users": users.values, "items": items.values.T},
        )
        gather = "Gather", ("users", "user"), "vectors"
        factors = "vectors", "items"
        if scale is None:
            return cls(entry, (gather, ("MatMul", factors, "scores")), constants)
        constants |= {"low": np.array(scale.low), "high": np.array(scale.high)}
        clip = "Clip", ("products", "low", "high"), "scores"
        return cls(entry, (gather, ("MatMul", factors, "products"), clip), constants)

    @classmethod
    def of_weights(cls, weights: np.ndarray) -> "Graph":
        """Sums of what each chosen item adds (n_items, n_items), a row a chosen item."""
        entry = ("chosen", "FLOAT", ("n", len(weights)))
        return cls(entry, (("MatMul", ("chosen", "weights"), "scores"),), {"weights": weights})

    def save(self, path: str | Path, users: IdMap, items: IdMap) -> Path:
        """Write the graph, with the ids as JSON in its metadata; it takes its name when whole.

        Raises BadSetting where it is too large for the format, and MatineeError without onnx.
        """
        onnx = ONNX.load("onnx", "save_onnx")
        arrays = {name: np.asarray(one, np.float32) for name, one in self.constants.items()}
        n_bytes = sum(one.nbytes for one in arrays.values())
        if n_bytes > MOST_BYTES:
            raise BadSetting(
                f"the arrays take {n_bytes / 1e9:.1f} GB, and an ONNX file holds 2 GB at most; "
                "save the model as it is, or take its search_vectors"
            )
        model = self._proto(onnx, arrays, len(items))
        ids = {"user_ids": users, "item_ids": items}
        onnx.helper.set_model_props(model, {name: json.dumps(list(of)) for name, of in ids.items()})
        onnx.checker.check_model(model)
        path = Path(path)
        try:
            with whole_file(path) as file:
                file.write(model.SerializeToString())
        except OSError as error:
            raise MatineeError(f"{path} cannot be written: {error.strerror}") from error
        return path

    def _proto(self, onnx: Any, arrays: Mapping[str, np.ndarray], n_items: int) -> Any:
        """The graph as a protocol buffer of the package ``onnx``."""
        make, types = onnx.helper, onnx.TensorProto
        name, kind, shape = self.entry
        graph = make.make_graph(
            [make.make_node(operator, ins, [out]) for operator, ins, out in self.nodes],
            "matinee",
            [make.make_tensor_value_info(name, getattr(types, kind), shape)],
            [make.make_tensor_value_info("scores", types.FLOAT, ["n", n_items])],
            [onnx.numpy_helper.from_array(one, name) for name, one in arrays.items()],
        )
        return make.make_model(
            graph,
            producer_name="matinee",
            opset_imports=[make.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
