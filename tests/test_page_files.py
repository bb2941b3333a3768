"""The files of the page: modules bundled in two scripts, kept by browsers as long as they are."""

import base64
import hashlib
import re
import shutil

import pytest

import matinee
from matinee.feedback.store import Store
from matinee.server.lifecycle import ServerState
from matinee.server.middleware.security import AccessPolicy, content_security_policy
from matinee.server.page_files import FOREVER, PAGE, assemble
from matinee.server.script_bundle import bundles, modules_from
from matinee.sources.synthetic import checkerboard
from serving import TOKEN, answering

FIRST = """import { two } from "./base.js";
export const four = two + two;
"""
SECOND = """// Says what it knows.
import { two as pair, later } from "./base.js";
import { four } from "./first.js";

export async function say() {
  return [pair, four, later];
}
"""
BASE = """export const two = 2;
export class Later {}
export function later() {}
"""


@pytest.fixture
def folder(tmp_path):
    for name, source in {"base": BASE, "first": FIRST, "second": SECOND}.items():
        (tmp_path / f"{name}.js").write_text(source, encoding="utf-8")
    return tmp_path


def test_modules_become_functions_that_run_once_after_what_they_import(folder):
    first, second = bundles(folder, "first", "second")
    assert first == (
        "const modules = {};\n"
        'modules.base = (() => {\n"use strict";\n'
        "const two = 2;\nclass Later {}\nfunction later() {}\n\n"
        "return { two, Later, later };\n})();\n"
        'modules.first = (() => {\n"use strict";\n'
        "const { two } = modules.base;\nconst four = two + two;\n\n"
        "return { four };\n})();\n"
    )
    assert second == (
        'modules.second = (() => {\n"use strict";\n// Says what it knows.\n'
        "const { two: pair, later } = modules.base;\nconst { four } = modules.first;\n\n"
        "async function say() {\n  return [pair, four, later];\n}\n\n"
        "return { say };\n})();\n"
    )


@pytest.mark.parametrize(
    "form",
    [
        "export default 1;",
        "export { two };",
        "export const { a, b } = two;",
        "export let two = 2;",
        'import "./base.js";',
        'import base from "./base.js";',
        'import * as base from "./base.js";',
        "  import { two } from './base.js';",
        'const base = await import("./base.js");',
        "const here = import.meta.url;",
    ],
)
def test_what_cannot_be_translated_is_refused_by_name(folder, form):
    (folder / "second.js").write_text(f"{SECOND}\n{form}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape("second.js cannot be bundled: ")):
        bundles(folder, "first", "second")


def test_a_circle_and_a_name_that_is_not_exported_are_refused(folder):
    (folder / "base.js").write_text(f'import {{ four }} from "./first.js";\n{BASE}')
    with pytest.raises(ValueError, match="first imports base imports first"):
        modules_from(folder, "first")
    (folder / "base.js").write_text("export const three = 3;\n")
    with pytest.raises(ValueError, match=r"base\.js does not export two"):
        modules_from(folder, "first")


def test_every_module_of_the_page_runs_once_after_those_that_it_imports():
    run = re.findall(r"^modules\.(\w+) = ", "".join(bundles(PAGE / "js", "early", "app")), re.M)
    assert sorted(run) == sorted(file.stem for file in PAGE.glob("js/*.js"))
    modules = modules_from(PAGE / "js", "app")
    for place, name in enumerate(run):
        assert set(modules[name].imports) <= set(run[:place]), name


def test_a_name_changes_with_its_content_and_only_with_it(tmp_path):
    page = shutil.copytree(PAGE, tmp_path / "page")
    before = set(assemble(page))
    assert before == set(assemble(PAGE))
    with (page / "style.css").open("a") as styles:
        styles.write("p { margin: 0 }\n")
    (gone,), (new,) = before - set(assemble(page)), set(assemble(page)) - before
    assert gone.endswith(".css")
    assert new.endswith(".css")


@pytest.fixture
def state(tmp_path):
    store = Store.at(tmp_path / "feedback.sqlite")
    yield ServerState(matinee.Bias().fit(checkerboard(10)).save(tmp_path / "bias"), store)
    store.close()


def test_browsers_keep_script_and_styles_for_good_and_ask_for_the_document(state):
    with answering(state) as client:
        document = client.get("/")
        assert document.headers["cache-control"] == "no-store"
        names = re.findall(r'(?:src|href)="(page-[0-9a-f]{24}\.(?:js|css))"', document.text)
        assert [name.rsplit(".")[-1] for name in names] == ["css", "js"]
        for name in names:
            response = client.get(f"/{name}")
            assert response.headers["cache-control"] == FOREVER
            assert response.text == assemble(PAGE)[name].content
            assert client.get(f"/{name}x").status_code == 404
            assert client.post(f"/{name}").status_code == 405


def test_the_document_runs_its_own_script_and_no_other_inside(state):
    with answering(state, AccessPolicy(TOKEN, public=True)) as client:
        document = client.get("/")
        policies = document.headers.get_list("content-security-policy")
        elsewhere = client.get("/style.css").headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.+?)</script>", document.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policies == [content_security_policy(script)]
    assert f"script-src 'self' 'sha256-{digest}';" in policies[0]
    assert elsewhere == content_security_policy() == policies[0].replace(f" 'sha256-{digest}'", "")
