"""Plain data by name, as JSON holds it: documents, settings, and facts that are saved and shown."""

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]  # values are text, numbers, truth values, null, lists and objects
JsonMapping = Mapping[str, Any]  # such an object where it is only read
