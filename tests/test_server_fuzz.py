"""Requests that nobody thought of, drawn by schemathesis from the OpenAPI document itself."""

import subprocess
import sys
from pathlib import Path

import pytest

import matinee
from matinee.feedback.store import Store
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy
from serving import OWNER, TOKEN, answering

EXAMPLES = 3  # random requests to each operation, beside those at the limits of each parameter
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.parametrize("public", [False, True])
def test_every_request_is_answered_as_documented(tmp_path, public):
    model = matinee.NMF(n_factors=2, n_epochs=2).fit(matinee.sample())
    store = Store.at(tmp_path / "feedback.sqlite")
    state = ServerState(model.save(tmp_path / "model"), store)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "--no-color"]
    options = ["--checks", "all", "--seed", "7", "--max-examples", EXAMPLES, "--no-shrink"]
    with answering(state, AccessPolicy(TOKEN, public=public)) as client:
        paths = client.get("/openapi.json").json()["paths"]
        header = ["--header", f"Authorization: {OWNER['Authorization']}"]
        words = [*command, "run", f"{client.base_url}/openapi.json", *options, *header]
        run = subprocess.run(
            list(map(str, words)), cwd=tmp_path, capture_output=True, text=True, check=False
        )
    store.close()
    assert run.returncode == 0, run.stdout + run.stderr
    n_operations = sum(map(len, paths.values()))
    assert f"Tested: {n_operations}" in run.stdout, run.stdout
