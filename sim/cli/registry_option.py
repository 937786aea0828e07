"""What `--registry` names: a database made for the command, or one by its URL."""

from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from sim.clean_up import cleaned_up_by
from sim.cli.process.exits import BadInput
from sim.live.socket_room import root_for_socket


def scratch_folder(prefix: str, stack: ExitStack) -> Path:
    """Make a folder with room for sockets, deleted with the stack, and also if a signal ends the process."""
    root = root_for_socket(prefix, "workers.sock")
    folder = stack.enter_context(TemporaryDirectory(prefix=prefix, dir=root, ignore_cleanup_errors=True))
    stack.enter_context(cleaned_up_by(lambda: rmtree(folder, ignore_errors=True)))
    return Path(folder)


def registry_url(registry: str, folder: Path, stack: ExitStack) -> str:
    """Return the URL of `sqlite` (a file in the folder), `postgres` (a server that ends with the stack), or as given.

    Raises BadInput for anything else, and if that server cannot be started.
    """
    if registry == "sqlite":
        # The file ends with the command, so its writes need not reach the disk, where others may be in the way.
        return f"sqlite:///{folder / 'registry.db'}?synchronous=off"
    if registry == "postgres":
        # Imported here, because only this choice needs it.
        from sim.live.registry.embedded_postgres import embedded_postgres

        try:
            return stack.enter_context(embedded_postgres())
        except (ImportError, RuntimeError) as error:
            raise BadInput(f"--registry postgres: {error}") from None
    if "://" not in registry:
        raise BadInput(f"--registry: found {registry!r}; allowed: sqlite, postgres, or a URL such as sqlite:///file.db")
    return registry
