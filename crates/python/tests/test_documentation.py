"""Examples of the docstrings and of the README run, and the types hold."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import unpool
from conftest import MODELS, ROOT

PACKAGE = Path(__file__).resolve().parents[1]
MODULES = ["unpool"] + [
    f"unpool.{module.name}" for module in pkgutil.iter_modules(unpool.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name, monkeypatch):
    monkeypatch.chdir(MODELS)
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(str(error))
    assert doctest.testmod(module).failed == 0


def test_examples_of_the_readme(monkeypatch):
    monkeypatch.chdir(MODELS)
    readme = PACKAGE / "README.md"
    result = doctest.testfile(str(readme), module_relative=False)
    assert result.failed == 0 and result.attempted > 5


def test_the_example_of_the_repository():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(import numpy as np, unpool.*?)```", readme, re.DOTALL)
    assert len(blocks) == 1
    exec(blocks[0], {})


def test_every_public_function_has_examples_or_parameters():
    for name in unpool.__all__:
        thing = getattr(unpool, name)
        assert thing.__doc__, name


def test_the_types_hold():
    api = pytest.importorskip("mypy.api")
    out, err, status = api.run(["--config-file", str(PACKAGE / "pyproject.toml"), "-p", "unpool"])
    assert status == 0, out + err
