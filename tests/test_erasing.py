"""After a user is erased and the model refitted, no byte of any file holds their id or keys."""

import signal
from pathlib import Path

import httpx

import matinee
from matinee.algorithms import NMF
from matinee.algorithms.from_model import ratings_of
from matinee.cli import run
from test_server_process import OWNER, serving

SECRET, OTHER = "somebody@example.org", "anybody@example.org"


def traces(folder: Path, text: str) -> set[str]:
    """The files below a folder whose name or bytes hold a text: UTF-8, UTF-16 or in an address."""
    forms = [text.encode(), text.encode("utf-16-le"), text.replace("@", "%40").encode()]
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        if text in file.name or any(form in file.read_bytes() for form in forms)
    }


def serve_and_erase(place: Path) -> None:
    """A server is given feedback of both, asked for lists and reasons, and told to erase one."""
    with serving(place / "model") as (process, url), httpx.Client(base_url=url) as client:
        for user in (SECRET, OTHER):
            event = {"user_id": user, "item_id": "film 20", "rating": 5}
            key = {"Idempotency-Key": f"order-of-{user}-1"}
            assert client.post("/v1/feedback", json={"events": [event]}, headers=key).is_success
            assert client.get(f"/v1/users/{user}/recommendations?why=true").is_success
        assert any(name.startswith("model-feedback") for name in traces(place, SECRET))
        assert client.delete(f"/v1/users/{SECRET}", headers=OWNER).is_success
        assert all(name.startswith("model/") for name in traces(place, SECRET)), "while it runs"
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stderr is not None
        (place / "server.log").write_text(process.stderr.read())


def test_no_byte_is_left_of_an_erased_user(tmp_path):
    """Store and its log, log of the server, model, report, packed ratings, state of a fit."""
    rows = {(f"user {n % 30}", f"film {n % 23}"): float(n % 5 + 1) for n in range(600)}
    rows |= {(user, f"film {n}"): float(n % 5 + 1) for n in range(12) for user in (SECRET, OTHER)}
    train = matinee.read_ratings([(*pair, rating) for pair, rating in rows.items()])
    model = NMF(n_factors=2, n_epochs=3).fit(train).save(tmp_path / "model")
    serve_and_erase(tmp_path)
    assert traces(tmp_path, SECRET), "the model knows them until it is refitted"
    assert run(["refit", str(model), "--out", str(model)]) == 0
    assert run(["report", str(model), "--no-measure", "-o", str(tmp_path / "report.html")]) == 0
    known = ratings_of(matinee.load(model))
    packed = matinee.pack(known.to_pandas(), tmp_path / "packed")
    NMF(n_factors=2, n_epochs=2).fit_packed(packed, folder=tmp_path / "state")
    assert (tmp_path / "state" / "state.npz").is_file()
    found = traces(tmp_path, OTHER)
    assert {"model-feedback.sqlite", "packed/user_ids"} < found, "or the search finds nothing"
    assert traces(tmp_path, SECRET) == set()
    assert SECRET not in known.users
