"""A reader who does what a page says, line by line, comes out where the page says."""

import shlex
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.follow import follow, prepare
from tests.docs.pages import PAGES, ROOT
from tests.docs.steps import LeaveOut, Run, See, Step, Write, steps

FOLLOWED = [path for path in PAGES if path.parent.name in ("tutorial", "how-to")]


def _title(path: Path) -> str:
    return path.stem


@pytest.mark.long
@pytest.mark.parametrize("path", FOLLOWED, ids=_title)
def test_a_page_comes_out_as_it_says(path: Path, tmp_path: Path) -> None:
    prepare(tmp_path)

    follow(steps(path), tmp_path)


@pytest.mark.parametrize("path", FOLLOWED, ids=_title)
def test_a_page_has_every_file_that_its_commands_read(path: Path) -> None:
    assert list(files_from_nowhere(steps(path))) == []


def test_few_commands_are_left_out() -> None:
    left_out = [step.block for path in FOLLOWED for step in steps(path) if isinstance(step, LeaveOut)]

    assert len(left_out) <= 8


_WRITES = ("--out", "--record", "--save-baseline", ">", ">>")
_READ = (".yaml", ".py", ".rec")
_FOLDERS = ("scenarios", "runs", "./")


def files_from_nowhere(page_steps: Iterable[Step]) -> Iterator[str]:
    """Files that commands read, and that no earlier step has written and no clone has.

    What happens in a folder that `sim new` has made is not looked at.
    """
    there: set[str] = set()
    for step in page_steps:
        if isinstance(step, Write):
            there.add(step.name)
        if not isinstance(step, Run):
            continue
        words = shlex.split(step.line, comments=True)
        if words[0] == "cd":
            return
        there |= {word for option, word in pairwise(words) if option in _WRITES}
        for word in words[1:]:
            path = word.removeprefix("exec:").partition(":")[0]
            name = path.removeprefix("./")
            if (path.endswith(_READ) or path.startswith(_FOLDERS)) and not _is_there(name, there):
                yield name


def _is_there(name: str, there: set[str]) -> bool:
    return (name.startswith("scenarios") and (ROOT / name).exists()) or any(
        name == one or name.startswith(f"{one}/") for one in there
    )


PAGE = """
# A page

Write the greeting, `greeting.yaml`:

```yaml
hello
```

    cat greeting.yaml

```text
hello
```

<!-- not run by the tests: nobody has such a command -->

    no-such-command

```sh
exit 3  # ends with exit code 3
false   # fails
true    # exit code 1 if it is false
```
"""


@pytest.fixture
def other_page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_a_page_is_a_list_of_steps(other_page: Path) -> None:
    assert list(steps(other_page)) == [
        Write("greeting.yaml", "hello\n"),
        Run("cat greeting.yaml", 0),
        See(("hello",)),
        LeaveOut("no-such-command\n", "nobody has such a command"),
        Run("exit 3  # ends with exit code 3", 3),
        Run("false   # fails", 1),
        Run("true    # exit code 1 if it is false", 0),
    ]


def test_a_page_may_take_a_file_from_another_one(other_page: Path) -> None:
    next_page = other_page.with_name("next.md")
    next_page.write_text("`greeting.yaml` of [a page](page.md)\ngreets.", encoding="utf-8")

    assert list(steps(next_page)) == [Write("greeting.yaml", "hello\n")]


def test_a_page_that_is_right_can_be_followed(other_page: Path, tmp_path: Path) -> None:
    follow(steps(other_page), tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("exit code 3", "exit code 4", "ended with 3, not 4"),
        ("false   # fails", "false", "ended with 1, not 0"),
        ("```text\nhello", "```text\ngoodbye", "not shown: ['goodbye']"),
        ("cat greeting.yaml", "cat greetings.yaml", "No such file"),
    ],
)
def test_a_mistake_on_a_page_is_seen(other_page: Path, tmp_path: Path, right: str, wrong: str, found: str) -> None:
    other_page.write_text(PAGE.replace(right, wrong), encoding="utf-8")

    with pytest.raises(AssertionError) as error:
        follow(steps(other_page), tmp_path)

    assert found in str(error.value)


def test_a_file_from_nowhere_is_seen(other_page: Path) -> None:
    other_page.write_text(PAGE.replace("cat greeting.yaml", "cat greetings.yaml"), encoding="utf-8")

    assert list(files_from_nowhere(steps(other_page))) == ["greetings.yaml"]
