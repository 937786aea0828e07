"""Follow the tutorial as a reader does: `python -m tests.docs.follow_tutorial`, a minute of processor time.

Each command has to end as the page says, and to print what the page shows.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import page, text

STEP = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def follow(tutorial: str, folder: Path) -> None:
    """Do what the page says, in the folder. Raise AssertionError at the first step that comes out otherwise."""
    shown = ""
    for kind, block in STEP.findall(tutorial):
        if kind == "python":
            (folder / "picker.py").write_text(block)
        elif kind == "text":
            missing = [line for line in block.splitlines() if line not in shown]
            assert missing == [], f"not shown: {missing}\n{shown}"
        else:
            for line in block.splitlines():
                if line.startswith("cd "):
                    folder /= line.removeprefix("cd ")
                else:
                    shown = _run(line, folder)


def _run(line: str, folder: Path) -> str:
    """Run a line of the shell, which fails where its comment says so, and return what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "120"}
    print(f"$ {line}", flush=True)
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == int(line.endswith("# fails")), done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        follow(text(page("tutorial/check-your-router-in-ci")), Path(name))
