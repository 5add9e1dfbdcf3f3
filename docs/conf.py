"""Sphinx configuration: Markdown pages, and reference pages derived from the op table."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import numtensor  # noqa: E402

project = "numtensor"
author = "the numtensor developers"
version = release = numtensor.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "op_reference"]
exclude_patterns = ["_build"]
napoleon_google_docstring = True
autodoc_member_order = "bysource"
html_theme = "alabaster"
suppress_warnings = ["myst.xref_missing"]
