"""Let the site's search work from disk without a network: a page takes the shim for workers from beside it.

The theme would have the reader's browser fetch it. It is iframe-worker 1.0.4 (MIT), `shim/index.js` of its npm package.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

FETCHED = "https://unpkg.com/iframe-worker/shim"
SHIPPED = "assets/iframe-worker.js"
SHIM = Path(__file__).with_name("iframe-worker.js")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the shim to what the site holds."""
    files.append(File.generated(config, SHIPPED, abs_src_path=str(SHIM)))
    return files


def on_post_template(output_content: str, **_: object) -> str:
    """Let the page for what is not found name it too."""
    return output_content.replace(FETCHED, SHIPPED)


def on_post_page(output: str, *, page: Page, **_: object) -> str:
    """Let the page name it. Raise ValueError if the theme has no such line any more."""
    if FETCHED not in output:
        raise ValueError(f"{page.file.src_uri}: the theme does not fetch {FETCHED}; take this hook out")
    return output.replace(FETCHED, get_relative_url(SHIPPED, page.url))
