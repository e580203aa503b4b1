"""Time and memory grow at most with the size of a document, or it is refused early."""

import tracemalloc
from collections.abc import Callable
from time import process_time

import pytest

from lenadose import DocumentError, replay
from lenadose.formats.course_json import parse_course
from lenadose.formats.protocol_file import parse_protocol
from lenadose.formats.reader import MOST_FAULTS


@pytest.mark.parametrize("part", ["a", '"a"', "'a'", '"\\""', '"\\u0041"', '"\\\\"', '" "'])
@pytest.mark.parametrize("join", [".", " . "])
def test_a_deep_key_is_refused_before_it_is_read(part: str, join: str) -> None:
    for line in ("{} = 1", "[{}]", "[[{}]]", "x = {{{} = 1}}"):
        deep = line.format(join.join([part] * 20_000))
        tracemalloc.start()
        with pytest.raises(DocumentError, match=r"^protocol: is nested too deeply; "):
            parse_protocol(deep, toml=True)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(deep)
        tracemalloc.stop()
        with pytest.raises(DocumentError, match=": unknown key; "):
            parse_protocol(line.format(join.join([part] * 20)), toml=True)


def test_a_line_of_escaped_quotes_is_searched_once() -> None:
    began = process_time()
    with pytest.raises(DocumentError, match="is not TOML"):
        parse_protocol('x = "' + '\\"' * 1_000_000, toml=True)
    assert process_time() - began < 20


@pytest.mark.parametrize("count", [MOST_FAULTS, 20_000])
def test_of_many_unknown_keys_some_are_named(count: int) -> None:
    keys = ",".join(f'"k{number}":1' for number in range(count))
    for text in (f'{{"visits":[{{"date":"2026-01-05"}}],{keys}}}', f"{{{keys}}}"):
        with pytest.raises(DocumentError) as error:
            parse_course(text)
        unknown = [fault for fault in error.value.faults if "unknown key" in fault.reason]
        assert len(unknown) == MOST_FAULTS + (count > MOST_FAULTS)
        if count > MOST_FAULTS:
            assert (
                str(unknown[-1]) == "course: and 19000 more unknown keys; fix the faults before it"
            )


def seconds(task: Callable[[], object]) -> float:
    """The least time of three runs."""

    def run() -> float:
        began = process_time()
        task()
        return process_time() - began

    return min(run() for _ in range(3))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("pregnancy_tests", '{"result": "negative"}'),
        ("neutrophils", '{"value": 3, "unit": "10*9/L"}'),
        ("adverse_events", '{"term": "rash", "grade": 1, "ctcae": "5.0"}'),
    ],
)
def test_a_long_list_takes_a_time_that_grows_with_it(name: str, entry: str) -> None:
    def read(count: int) -> Callable[[], object]:
        text = f'{{"visits": [{{"date": "2026-01-05", "{name}": [{",".join([entry] * count)}]}}]}}'
        return lambda: replay(parse_course(text))

    # Four times as long: a time that grew with the square would be sixteen times as long.
    assert seconds(read(8000)) < 10 * seconds(read(2000))
