"""Sphinx's configuration. ``build.py`` runs Sphinx on the folder that ``staging.py`` fills."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from numpydoc import xref

import tessera

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Tessera"
author = "Tessera contributors"
project_copyright = author
version = release = tessera.__version__
language = "en"

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_nb", "sphinx_design", "sphinx_copybutton"]
nitpicky = True
# Each exception has a reason.
suppress_warnings = [
    "config.cache",  # our configuration has functions, which the cache of a build cannot keep
]
smartquotes = False
default_role = "code"  # `words` of docstrings

# The same anchors as on the code host.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_typehints = "none"  # the docstrings say types, shapes and units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # autodoc lists the members
numpydoc_xref_param_type = True
xref.DEFAULT_LINKS.clear()  # they lead to sites of others
numpydoc_xref_ignore = "all"  # only our own names become links
numpydoc_xref_aliases = {name: f"tessera.{name}" for name in tessera.__all__ if name[:1].isupper()}

# The notebooks are run at each build. A cell that fails stops the build.
nb_execution_mode = os.environ.get("TESSERA_NOTEBOOKS", "force")
if nb_execution_mode == "off":
    suppress_warnings.append("myst-nb.lexer")  # the language of the cells is known when a kernel has told it
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True  # each notebook stands alone, and leaves nothing
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no scripts of other servers

html_theme = "pydata_sphinx_theme"
html_title = "Tessera"
html_context = {"default_mode": "auto"}
html_baseurl = ""
html_copy_source = False
html_show_sourcelink = False
html_sidebars: dict[str, list[str]] = {page: [] for page in ("start", "changelog", "contributing")}  # no pages below
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_theme_options = {
    "navigation_depth": 3,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_exclude = ".linenos, .gp, .go"

_PAGE = re.compile(r"\bdocs/([\w/]+)\.md\b")


def _link_pages(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Make links of the names of pages in docstrings."""
    lines[:] = [_PAGE.sub(r":doc:`/\1`", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Add our own steps to Sphinx."""
    app.connect("autodoc-process-docstring", _link_pages)
