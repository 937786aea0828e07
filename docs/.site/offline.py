"""Let the site's search work from disk without a network: a page takes the shim for workers from beside it.

The theme would have the reader's browser fetch it. It is iframe-worker 1.0.4 (MIT), `shim/index.js` of its npm package.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

FETCHED = re.compile(r"https://[^\s\"']+/iframe-worker/shim")
SHIPPED = "assets/iframe-worker.js"
SHIM = Path(__file__).with_name("iframe-worker.js")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the shim to what the site holds."""
    files.append(File.generated(config, SHIPPED, abs_src_path=str(SHIM)))
    return files


def on_post_template(output_content: str, **_: object) -> str:
    """Let the page that is shown for a wrong address name it too."""
    return FETCHED.sub(SHIPPED, output_content)


def on_post_page(output: str, *, page: Page, **_: object) -> str:
    """Let the page name it. Raise ValueError if the theme has no such line any more."""
    shipped, count = FETCHED.subn(get_relative_url(SHIPPED, page.url), output)
    if not count:
        raise ValueError(f"{page.file.src_uri}: the theme fetches no iframe-worker/shim; take this hook out")
    return shipped
