"""Broken trace files are refused with the row, the column and what is allowed there."""

from pathlib import Path

import pytest

from sim import load
from sim.scenario import ScenarioError, make_plan
from tests.scenario.good_scenario import workload

HEADER = "arrival_s,context_tokens,generated_tokens\n"
BROKEN = {
    "empty": (b"", "t.csv:1: found no column 'arrival_s'"),
    "header alone": (HEADER.encode(), "t.csv has no rows; allowed: at least one below the header"),
    "missing column": (b"arrival_s,context,generated_tokens\n0,1,1\n", "found no column 'context_tokens'"),
    "missing column, with a hint": (b"arrival,context_tokens,generated_tokens\n", "columns: {arrival: arrival}"),
    "missing column, with no hint": (b"time,context_tokens,generated_tokens\n", "named by columns: {arrival: ...}"),
    "semicolons": (b"arrival_s;context_tokens;generated_tokens\n0;1;1\n", "t.csv:1: found ';' between the fields"),
    "a JSON document a line": (
        b'{"arrival_s": 0.0, "context_tokens": 3}\n',
        "t.csv:1: found JSON; allowed: CSV whose first line names the columns",
    ),
    "tabs": (b"arrival_s\tcontext_tokens\n", "t.csv:1: found '\\t' between the fields; allowed: ','"),
    "column twice": (b"arrival_s,arrival_s,context_tokens,generated_tokens\n", "more than one column 'arrival_s'"),
    "field missing": (HEADER.encode() + b"0,1,1\n1,2\n", "t.csv:3: found 2 fields; allowed: 3, as in the header"),
    "field too many": (HEADER.encode() + b"0,1,1,1\n", "t.csv:2: found 4 fields"),
    "blank row": (HEADER.encode() + b"0,1,1\n\n1,1,1\n", "t.csv:3: found 0 fields"),
    "word for an arrival": (
        HEADER.encode() + b"soon,1,1\n",
        "t.csv:2: column 'arrival_s': found 'soon'; allowed: seconds",
    ),
    "arrival not a number": (HEADER.encode() + b"nan,1,1\n", "found 'nan'; allowed: seconds from 0 to 8640000"),
    "infinite arrival": (HEADER.encode() + b"inf,1,1\n", "found 'inf'; allowed: seconds from 0"),
    "overflowing arrival": (HEADER.encode() + b"1e999,1,1\n", "found '1e999'; allowed: seconds from 0"),
    "arrival too late": (HEADER.encode() + b"1e300,1,1\n", "found '1e300'; allowed: seconds from 0"),
    "negative arrival": (HEADER.encode() + b"-1,1,1\n", "found '-1'; allowed: seconds from 0"),
    "arrival with underscore": (HEADER.encode() + b"1_0,1,1\n", "found '1_0'; allowed: seconds from 0"),
    "not sorted": (
        HEADER.encode() + b"5,1,1\n4.9,1,1\n",
        "t.csv:3: column 'arrival_s': found '4.9'; allowed: not earlier",
    ),
    "times not sorted": (
        HEADER.encode() + b"2023-11-16T18:17:03,1,1\n2023-11-16T18:17:02.9,1,1\n",
        "t.csv:3: column 'arrival_s': found '2023-11-16T18:17:02.9'; allowed: not earlier",
    ),
    "seconds among times": (
        HEADER.encode() + b"2023-11-16T18:17:03,1,1\n5,1,1\n",
        "t.csv:3: column 'arrival_s': found '5'; allowed: a time such as 2023-11-16T18:17:03.97, as in the first row",
    ),
    "time without the others' offset": (
        HEADER.encode() + b"2023-11-16T18:17:03Z,1,1\n2023-11-16T18:17:04,1,1\n",
        "allowed: a time such as 2023-11-16T18:17:03.97Z, as in the first row",
    ),
    "no such day": (HEADER.encode() + b"2023-02-30T18:17:03,1,1\n", "found '2023-02-30T18:17:03'; allowed: seconds"),
    "time too late": (
        HEADER.encode() + b"2023-11-16T18:17:03,1,1\n2024-11-16T18:17:03,1,1\n",
        "as in the first row, up to 8640000 s later",
    ),
    "fraction of a token": (
        HEADER.encode() + b"0,1.5,1\n",
        "column 'context_tokens': found '1.5'; allowed: a whole number",
    ),
    "negative tokens": (
        HEADER.encode() + b"0,1,-1\n",
        "column 'generated_tokens': found '-1'; allowed: a whole number",
    ),
    "no tokens": (HEADER.encode() + b"0,,1\n", "column 'context_tokens': found ''; allowed: a whole number"),
    "digits of another script": (HEADER.encode() + "0,٣,1\n".encode(), "found '٣'; allowed: a whole number"),
    "too many tokens": (HEADER.encode() + b"0,1,99999999\n", "allowed: a whole number from 0 to 10,000,000"),
    "fault far down": (HEADER.encode() + b"0,1,1\n" * 10_000 + b"0,x,1\n", "t.csv:10002: column 'context_tokens'"),
    "not sorted, far down": (
        HEADER.encode() + b"5,1,1\n" * 10_000 + b"4,1,1\n",
        "t.csv:10002: column 'arrival_s': found '4'; allowed: not earlier",
    ),
    "endless header": (b"a," * 100_000, "t.csv:1: found 200,000 characters; allowed: 65,536 a line"),
    "endless row": (HEADER.encode() + b"1," * 100_000, "t.csv:2: found 200,000 characters; allowed: 65,536 a line"),
    "quote not closed": (HEADER.encode() + b'0,1,"1\n', "t.csv is not CSV: unexpected end of data"),
    "not UTF-8": (HEADER.encode() + b"0,1,\xff\n", "t.csv is not UTF-8; allowed: a CSV file in UTF-8"),
    "compressed": (b"\x1f\x8b\x08\x00\x00\x00", "t.csv is not UTF-8"),
}


def scenario_with_trace(folder: Path, content: bytes, keys: str = "") -> Path:
    (folder / "t.csv").write_bytes(content)
    path = folder / "scenario.yaml"
    path.write_text(workload(f"kind: trace, file: t.csv{keys}"))
    return path


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_trace_is_refused_with_its_row_at_the_place_that_names_it(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = scenario_with_trace(tmp_path, content)

    with pytest.raises(ScenarioError) as refusal:
        load(path)

    assert message in str(refusal.value)
    assert all(line.startswith(f"{path}:5:46: workload[0].file: ") for line in str(refusal.value).splitlines())


def test_all_wrong_rows_are_reported_up_to_twenty(tmp_path: Path) -> None:
    path = scenario_with_trace(tmp_path, HEADER.encode() + b"x,1,1\n" * 30)

    with pytest.raises(ScenarioError) as refusal:
        load(path)

    assert [problem.text.split(":")[1] for problem in refusal.value.problems] == [str(row) for row in range(2, 22)]


def test_a_trace_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = scenario_with_trace(tmp_path, HEADER.encode())
    with (tmp_path / "t.csv").open("r+b") as trace:
        trace.truncate((16 << 20) + 1)

    with pytest.raises(ScenarioError, match=r"t\.csv is too large; allowed: at most 16,777,216 bytes"):
        load(path)


def test_columns_of_other_names_and_further_columns_are_read(tmp_path: Path) -> None:
    content = b"id,out,in,t\na,2,1,0.5\n"
    path = scenario_with_trace(tmp_path, content, ", columns: {arrival: t, prompt: in, output: out}")

    first = next(iter(make_plan(load(path).variants["default"], seed=0).open))

    assert (first.arrival_ns, first.prompt_tokens, first.output_tokens) == (500_000_000, 1, 2)


@pytest.mark.parametrize(
    ("first", "second", "expected_ns"),
    [
        ("2023-11-16 18:17:03.9799600", "2023-11-16 18:17:04.0319600", 52_000_000),
        ("2023-11-16T23:59:59Z", "2023-11-17T00:00:00.000000001Z", 1_000_000_001),
        ("2023-11-16T18:00:00+02:00", "2023-11-16T16:00:01+00:00", 1_000_000_000),
    ],
)
def test_times_count_from_that_of_the_first_row(tmp_path: Path, first: str, second: str, expected_ns: int) -> None:
    path = scenario_with_trace(tmp_path, f"{HEADER}{first},1,1\n{second},1,1\n".encode())

    requests = make_plan(load(path).variants["default"], seed=0).open

    assert [request.arrival_ns for request in requests] == [0, expected_ns]


def test_a_trace_outside_of_the_folder_is_read_if_its_folder_is_allowed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = scenario_with_trace(tmp_path, b"")
    (tmp_path / "t.csv").rename(elsewhere / "t.csv")
    (elsewhere / "t.csv").write_text(HEADER + "0,1,1\n")

    scenario = load(path, allow_dirs=[elsewhere]).variants["default"]

    assert len(make_plan(scenario, seed=0).open) == 1


def test_a_link_out_of_the_folder_is_followed_if_it_ends_in_an_allowed_folder(tmp_path: Path) -> None:
    inside, elsewhere = tmp_path / "inside", tmp_path / "elsewhere"
    inside.mkdir()
    elsewhere.mkdir()
    path = scenario_with_trace(inside, b"")
    (elsewhere / "real.csv").write_text(HEADER + "0,1,1\n")
    (inside / "t.csv").unlink()
    (inside / "t.csv").symlink_to(elsewhere / "real.csv")

    scenario = load(path, allow_dirs=[elsewhere]).variants["default"]

    assert len(make_plan(scenario, seed=0).open) == 1
