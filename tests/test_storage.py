"""A model folder is data, whole or refused in words, and either the old one or the new one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from matinee.algorithms import MF, Bias
from matinee.data import ids
from matinee.data.rows import Rows
from matinee.data.texts import Texts
from matinee.errors import BadModel, MatineeError
from matinee.evaluation.profiling import model_mb
from matinee.models import load
from matinee.row_solvers.embeddings import Embeddings
from matinee.sources.packing.pack import pack
from matinee.storage import model_files
from matinee.storage.tensors import Part, Stacked, stacked, write_tensors
from test_contract import ratings_of


@pytest.fixture(scope="module")
def model():
    return MF(n_factors=3, n_epochs=2).fit(ratings_of())


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "model")


def test_the_folder_holds_numbers_and_json_only(folder):
    assert {file.suffix for file in folder.iterdir()} == {".json", ".safetensors"}
    manifest = json.loads((folder / "model.json").read_text())
    assert manifest["format_version"] == 2
    assert manifest["settings"]["n_factors"] == 3


def test_every_altered_or_shortened_file_is_refused(folder):
    for file in sorted(folder.iterdir()):
        whole = file.read_bytes()
        for damaged in (whole[:-1], whole[: len(whole) // 2], b"", b"x" + whole[1:]):
            file.write_bytes(damaged)
            with pytest.raises(BadModel, match=file.name):
                load(folder)
        middle = len(whole) // 2
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        with pytest.raises(BadModel):
            load(folder)
        file.unlink()
        with pytest.raises(BadModel, match="missing"):
            load(folder)
        file.write_bytes(whole)
    load(folder)


def test_newer_foreign_and_missing_folders_are_refused(folder, tmp_path):
    with pytest.raises(BadModel, match="there is no model at"):
        load(tmp_path / "nowhere")
    manifest = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(manifest | {"format_version": 99}))
    with pytest.raises(BadModel, match=r"format 99.*reads format 2"):
        load(folder)
    (folder / "model.json").write_text('{"format": "something else"}')
    with pytest.raises(BadModel, match="not written by Matinee"):
        load(folder)


def test_a_folder_of_something_else_is_not_overwritten(model, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(MatineeError, match="not a model folder"):
        model.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_saving_over_a_model_replaces_it_and_leaves_nothing_behind(model, folder):
    Bias().fit(ratings_of()).save(folder)
    assert load(folder).algorithm == "bias"
    assert len(list(folder.iterdir())) == 3
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_failed_save_leaves_the_old_model_and_no_rubbish(model, folder, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MatineeError, match="No space left on device"):
        Bias().fit(ratings_of()).save(folder)
    monkeypatch.undo()
    assert load(folder).algorithm == "mf"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


WRITER = """
import sys
from matinee.algorithms import Bias, Popularity
from test_contract import ratings_of
train = ratings_of()
models = [kind().fit(train) for kind in (Bias, Popularity)]
print("ready", flush=True)
while True:
    for model in models:
        model.save(sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill that cannot be caught")
def test_killed_while_saving_the_model_is_the_old_or_the_new_one(tmp_path):
    path = tmp_path / "model"
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    rng = np.random.default_rng(0)
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path], env=env, stdout=subprocess.PIPE
        )
        writer.stdout.readline()
        while not path.exists():
            assert writer.poll() is None
            time.sleep(0.01)
        for _ in range(10):
            time.sleep(rng.uniform(0, 0.02))
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert load(path).algorithm in ("bias", "popularity")


def test_a_large_model_is_mapped_and_answers_the_same(model, folder, monkeypatch):
    monkeypatch.setattr(model_files, "MAP_FROM", 0)
    monkeypatch.setattr(ids, "UNPACK_BELOW", 0)
    mapped = load(folder)
    assert not mapped.user_factors.flags.owndata
    assert not mapped.user_factors.flags.writeable
    assert not isinstance(mapped.users.ids, np.ndarray)
    everyone = np.arange(len(model.users))
    assert np.array_equal(mapped.score_block(everyone), model.score_block(everyone))
    people = ["u003", "u010"]
    assert mapped.recommend(people) == model.recommend(people)
    assert mapped.predict(["u003", "nobody"], "7") == model.predict(["u003", "nobody"], "7")
    assert str(mapped.explain("u003", "7")) == str(model.explain("u003", "7"))
    person, same = (one.fold_in({"1": 5, "2": 0.5}) for one in (mapped, model))
    assert mapped.recommend(person) == model.recommend(same)
    assert mapped.similar_users("u003") == model.similar_users("u003")
    again = mapped.save(folder.parent / "again")
    assert np.array_equal(load(again).item_factors, model.item_factors)


def test_a_loaded_model_answers_one_user_without_reading_the_others(model, folder):
    found, one = load(folder), model.users.row("u003")
    factors, bias = (np.full_like(array, np.nan) for array in (found.user_factors, found.user_bias))
    factors[one], bias[one] = model.user_factors[one], model.user_bias[one]
    object.__setattr__(found, "user_embeddings", Embeddings(factors, bias))
    assert found.recommend("u003") == model.recommend("u003")
    assert found.recommend("u003", exclude_seen=False) == model.recommend(
        "u003", exclude_seen=False
    )
    for by in ("factor", "history"):
        assert str(found.explain("u003", "7", by)) == str(model.explain("u003", "7", by))
    assert str(found.tastes()) == str(model.tastes())
    assert list(found.interval("u003", "7")) == list(model.interval("u003", "7"))
    assert found.predict("nobody", "7") == model.predict("nobody", "7")
    for fold_in in (lambda it: it.fold_in({"1": 5}), lambda it: it.fold_in_tastes({0: 5})):
        assert found.recommend(fold_in(found)) == model.recommend(fold_in(model))


def test_a_large_model_that_was_cut_short_is_refused(folder, monkeypatch):
    monkeypatch.setattr(model_files, "MAP_FROM", 0)
    (file,) = folder.glob("*.safetensors")
    whole = file.read_bytes()
    for damaged, why in ((whole[:-1], "cut short"), (b"x" * len(whole), "altered")):
        file.write_bytes(damaged)
        with pytest.raises(BadModel, match=why):
            load(folder)
    file.unlink()
    with pytest.raises(BadModel, match="missing"):
        load(folder)


def test_other_programs_read_the_arrays(model, folder):
    (file,) = folder.glob("*.safetensors")
    arrays = load_file(file)
    assert np.array_equal(arrays["item_factors"], model.item_factors)
    assert np.array_equal(arrays["item_counts"], model.item_counts)


def test_a_model_of_packed_ratings_keeps_them_small(model, tmp_path):
    train = ratings_of()
    columns = train.users.ids[train.user], train.items.ids[train.item], train.rating
    packed = pack(columns, tmp_path / "packed", scale=(0.5, 5))
    fitted = MF(n_factors=3, n_epochs=2).fit_packed(packed)
    loaded = load(fitted.save(tmp_path / "model"))
    assert loaded.seen.indices.dtype == np.uint8
    assert loaded.recommend("u003") == fitted.recommend("u003")
    assert loaded.interval("u003", "7") == fitted.interval("u003", "7")
    assert loaded.person("u003").ratings.tolist() == train.by_user.row(3)[1].tolist()


def split_up(model, folder):
    """The folder of a model whose users lie in three files, as a cluster writes it."""
    folder.mkdir()
    whole = model.seen.parts() | {
        "user_ids": model.users.texts.data,
        "user_id_ends": model.users.texts.ends,
        "user_factors": model.user_factors,
        "user_bias": model.user_bias,
    }
    n, letters = len(model.users), model.users.texts.ends
    cuts = [0, 3, n // 2, n]
    parts = []
    for first, stop in pairwise(cuts):
        ratings = slice(*(int(model.seen.indptr[at]) for at in (first, stop)))
        text = slice(int(letters[first - 1]) if first else 0, int(letters[stop - 1]))
        spans = {"seen_items": ratings, "seen_ratings": ratings, "user_ids": text}
        spans["seen_indptr"] = slice(first, stop + (stop == n))
        file = folder / f"part-{first}"
        with file.open("wb") as stream:
            digest = write_tensors(
                stream, {name: a[spans.get(name, slice(first, stop))] for name, a in whole.items()}
            )
        parts.append(Part(file, digest, file.stat().st_size))
    arrays = stacked(parts)
    return replace(
        model,
        users=ids.IdMap.packed(Texts(arrays["user_ids"], arrays["user_id_ends"]), "user"),
        user_embeddings=Embeddings(arrays["user_factors"], arrays["user_bias"]),
        seen=Rows(arrays["seen_indptr"], arrays["seen_items"], arrays["seen_ratings"]),
    )


@pytest.mark.parametrize("mapped", [False, True])
def test_users_may_lie_in_many_files(model, tmp_path, monkeypatch, mapped):
    if mapped:
        monkeypatch.setattr(model_files, "MAP_FROM", 0)
        monkeypatch.setattr(ids, "UNPACK_BELOW", 0)
    split = split_up(model, tmp_path / "parts")
    folder = split.save(tmp_path / "model")
    assert len(list(folder.glob("users-*.safetensors"))) == 3
    shutil.rmtree(tmp_path / "parts")
    found = load(folder)
    assert isinstance(found.user_factors, Stacked) == mapped
    assert model_mb(found) == model_mb(model)
    check_same_answers(found, model)
    split.save(folder)  # files that are gone are written anew
    check_same_answers(load(folder), model)
    one = model.save(folder)
    assert not list(one.glob("users-*"))


def check_same_answers(found, model):
    """The two models are one, whatever is asked."""
    ratings = ratings_of()
    assert found.users == model.users
    users = [user for user in model.users if len(model.rated(user))]
    assert list(found.recommend(users, 3)) == list(model.recommend(users, 3))
    person = users[-1]
    item = model.recommend(person, 1).item_id[0]
    for by in model.views:
        assert found.explain(person, item, by) == model.explain(person, item, by)
    assert list(found.interval(person, item)) == list(model.interval(person, item))
    assert list(found.similar_users(person)) == list(model.similar_users(person))
    assert str(found.tastes()) == str(model.tastes())
    assert (
        found.fold_in_tastes({0: 5}).embeddings.bias == model.fold_in_tastes({0: 5}).embeddings.bias
    )
    np.testing.assert_array_equal(
        found.predict_rows(ratings.user[:50], ratings.item[:50]),
        model.predict_rows(ratings.user[:50], ratings.item[:50]),
    )
    np.testing.assert_array_equal(found.average_user.factors, model.average_user.factors)
    np.testing.assert_array_equal(found.seen.counts, model.seen.counts)


def test_a_lost_or_shortened_file_of_users_is_refused(model, tmp_path, monkeypatch):
    folder = split_up(model, tmp_path / "parts").save(tmp_path / "model")
    part = next(folder.glob("users-*"))
    whole = part.read_bytes()
    for most in (0, model_files.MAP_FROM):
        monkeypatch.setattr(model_files, "MAP_FROM", most)
        part.unlink()
        with pytest.raises(BadModel, match=r"users-.* is missing"):
            load(folder)
        part.write_bytes(whole[:-1])
        with pytest.raises(BadModel, match="cut short"):
            load(folder)
