"""Files from strangers, replays and images: whatever is in them, one line, and nothing is run."""

import copy
import gzip
import io
import json
import os
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equivalence.catalogue import CATALOGUE
from properties.cases.case import Case
from properties.cases.domain import Domain
from properties.cli import main
from properties.laws import LAWS
from properties.oracle.exact import MOST_BITS
from properties.reading.claims import parse_pins
from properties.reading.failures import FailureFileError
from properties.reading.fitting import case_of
from properties.refutation.counterexample import Refuted
from properties.refutation.failure import MOST_BYTES, SCHEMA_VERSION, Failure, described
from properties.running.cell import Cell
from tests.test_idx import NAME, idx

ROOT = Path(__file__).parent.parent
DEEP = 100_000
MOST_SECONDS = 5.0
LONGEST_LINE = 1000
CRASH = re.compile(r"ERROR: \w+(Error|Exception|Exit)\b")
"""How an error begins that no rule foresaw."""
FUZZING = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=600,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PLANTED = """
from pathlib import Path

Path({marker!r}).write_text("this ran")
from equivalence.claims.masked import OutputMaskIsMasked as Claim
"""
IMAGES = [
    "verify",
    "two-d-fc",
    "--law",
    "parameter_count",
    "--at",
    "height=3,width=4,out_features=1",
    "--data",
]


class Site(NamedTuple):
    """A working directory, also on the module path, in which importing `planted` leaves a mark."""

    folder: Path

    @property
    def marker(self) -> Path:
        return self.folder / "marker"

    def file(self, content: bytes) -> str:
        path = self.folder / "failure.json"
        path.write_bytes(content)
        return str(path)

    def images(self, content: bytes, ending: str = "") -> str:
        """Put images into a folder of their own: what was read from one is kept."""
        folder = self.folder / f"images {len(list(self.folder.iterdir()))}"
        folder.mkdir()
        (folder / (NAME + ending)).write_bytes(content)
        return str(folder)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    found = Site(tmp_path)
    (tmp_path / "planted.py").write_text(PLANTED.format(marker=str(found.marker)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    # What is imported when it is first needed is imported now.
    assert said("replay", found.file(FILE)).code == 1
    assert said(*IMAGES, found.images(idx())).code == 0
    yield found
    sys.modules.pop("planted", None)
    for name in [name for name in sys.modules if name.startswith("claims_in_planted")]:
        del sys.modules[name]


class Said(NamedTuple):
    """What the command answered."""

    code: int
    out: str
    err: str


def said(*arguments: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return Said(code, out.getvalue(), err.getvalue())


def assert_one_line(answer: Said, about: str) -> None:
    assert (answer.code, answer.out) == (2, ""), about
    assert answer.err.endswith("\n")
    line = answer.err[:-1]
    assert line.startswith(("ERROR: ", "equivalence: ")), line
    assert line.isprintable(), line
    assert len(line) < LONGEST_LINE, line
    assert "Traceback" not in line


def assert_refused(site: Site, *arguments: str) -> str:
    """Hold one line on stderr, nothing imported, nothing run, and not for long; give the line."""
    modules, started = set(sys.modules), time.perf_counter()
    answer = said(*arguments)
    assert time.perf_counter() - started < MOST_SECONDS
    assert_one_line(answer, str(arguments))
    assert not CRASH.match(answer.err), answer.err
    assert set(sys.modules) == modules
    assert not site.marker.exists()
    return answer.err


def valid() -> Failure:
    claim = CATALOGUE["masked-output"]
    pins = parse_pins(claim, "out_features=2,in_features=2,mask=01/00,bias=true")
    with pytest.raises(Refuted) as found:
        Cell(Domain(claim), LAWS["forward"]).check(Case(claim(**pins), {"batch": (2,)}, 0))
    return described(found.value)


DATA: dict[str, Any] = json.loads(json.dumps(asdict(valid())))
FILE = json.dumps(DATA, indent=1).encode() + b"\n"


# Mutations, each malformed by construction: what it leaves is no file that a replay reads.

MARK = "a mark for what JSON cannot write"
Place = tuple[str | int, ...]


def nodes(tree: Any, path: Place = ()) -> Iterator[Place]:
    """Give the place of everything in a tree, the tree itself first."""
    yield path
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in below:
        yield from nodes(value, (*path, key))


def at(tree: Any, path: Place) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def changed(path: Place, change: Callable[[Any], Any]) -> Any:
    """Give the valid tree with one place in it changed."""
    if not path:
        return change(copy.deepcopy(DATA))
    tree = copy.deepcopy(DATA)
    at(tree, path[:-1])[path[-1]] = change(at(tree, path))
    return tree


def put(path: Place, value: Any) -> Any:
    """Give the valid tree with another value in one place."""
    return changed(path, lambda _: value)


def text(tree: Any, raw: str = "") -> bytes:
    """Write a tree as JSON, with a raw text in place of the mark."""
    return json.dumps(tree, indent=1).replace(f'"{MARK}"', raw).encode()


NODES = list(nodes(DATA))
OBJECTS = [path for path in NODES if isinstance(at(DATA, path), dict)]
OF_ANY_NAMES = [("versions",)]
"""Objects whose names are free."""
NUMBERS = [path for path in NODES if type(at(DATA, path)) in {int, float}]
TYPES: list[Any] = [None, True, False, 0, 1, 7, 0.5, 1.0, "7", "", [], [7], {}, {"a": 7}]
RAW = [
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 5000, "-1" + "0" * 4000),
    *("0x10", "01", ".5", "5.", "+1", "--1", "undefined", "None", "True", "'a'", '"\\x"', '"\t"', '"\\u12"'),
    *("[" * DEEP, '{"a":' * DEEP, "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[1,]", "{,}"),
]


def other_types(path: Place) -> list[Any]:
    """Give values of other types than that which stands there; an integer is a number as well."""
    old = at(DATA, path)
    allowed = {float, int} if isinstance(old, float) else {type(old)}
    alike = [str(old), [old], {"a": old}, *([float(old), bool(old)] if isinstance(old, int) else [])]
    return [value for value in [*TYPES, *alike] if type(value) not in allowed]


@st.composite
def of_another_type(draw: st.DrawFn) -> bytes:
    path = draw(st.sampled_from(NODES))
    value = draw(st.sampled_from(other_types(path)))
    return text(put(path, value))


@st.composite
def no_json(draw: st.DrawFn) -> bytes:
    path = draw(st.sampled_from(NODES))
    return text(put(path, MARK), draw(st.sampled_from(RAW)))


@st.composite
def beyond_its_range(draw: st.DrawFn) -> bytes:
    path = draw(st.sampled_from(NUMBERS))
    number = draw(st.integers(1 << 63, 1 << 200) | st.integers(-(1 << 200), -(1 << 63)))
    return text(put(path, number))


@st.composite
def without_a_key(draw: st.DrawFn) -> bytes:
    path = draw(st.sampled_from([path for path in NODES if path and path[:-1] not in OF_ANY_NAMES]))
    *above, last = path
    if isinstance(last, int):
        return text(changed(tuple(above), lambda old: [*old[:last], *old[last + 1 :]]))
    return text(changed(tuple(above), lambda old: {key: old[key] for key in old if key != last}))


@st.composite
def with_another_key(draw: st.DrawFn) -> bytes:
    path, key = draw(st.sampled_from(OBJECTS)), draw(st.text(max_size=20))
    return text(changed(path, lambda old: {**old, key: None}))


@st.composite
def with_a_key_twice(draw: st.DrawFn) -> bytes:
    path = draw(st.sampled_from(OBJECTS))
    key = draw(st.sampled_from(sorted(at(DATA, path))))
    return text(changed(path, lambda old: {**old, MARK: old[key]}), json.dumps(key))


@st.composite
def of_a_renamed_key(draw: st.DrawFn) -> bytes:
    path = draw(st.sampled_from([path for path in OBJECTS if path not in OF_ANY_NAMES]))
    key = draw(st.sampled_from(sorted(at(DATA, path))))
    name = draw(st.text(max_size=20).filter(lambda name: name not in at(DATA, path)))
    return text(changed(path, lambda old: {name if one == key else one: old[one] for one in old}))


@st.composite
def cut_off(draw: st.DrawFn) -> bytes:
    return FILE[: draw(st.integers(0, len(FILE) - 2))]


@st.composite
def with_a_broken_byte(draw: st.DrawFn) -> bytes:
    """A lone byte beyond ASCII is no UTF-8, and a control character stands nowhere in JSON."""
    place = draw(st.integers(0, len(FILE) - 2))
    byte = draw(st.integers(128, 255) | st.sampled_from([*range(9), 11, 12, *range(14, 32)]))
    return FILE[:place] + bytes([byte]) + FILE[place + 1 :]


@st.composite
def with_more_behind(draw: st.DrawFn) -> bytes:
    return FILE + draw(st.sampled_from([FILE, b"]", b"}", b"null", b",", b"#", b"\x00", b"\xff"]))


FUZZED = st.one_of(
    of_another_type(),
    no_json(),
    beyond_its_range(),
    without_a_key(),
    with_another_key(),
    with_a_key_twice(),
    of_a_renamed_key(),
    cut_off(),
    with_a_broken_byte(),
    with_more_behind(),
)


def test_no_fuzzed_replay_is_run_and_each_gets_one_line(site: Site) -> None:
    ran: set[bytes] = set()

    @FUZZING
    @given(content=FUZZED)
    def refused(content: bytes) -> None:
        ran.add(content)
        assert_refused(site, "replay", site.file(content))

    refused()
    assert len(ran) >= 400


@pytest.mark.parametrize("place", NODES, ids=lambda place: ".".join(map(str, place)))
def test_no_place_of_a_replay_takes_another_type(site: Site, place: Place) -> None:
    for value in other_types(place):
        assert_refused(site, "replay", site.file(text(put(place, value))))


def test_a_flipped_byte_is_refused_in_one_line_or_leaves_a_file_that_is_answered(site: Site) -> None:
    """Here a file may stay valid: no digit of a value is wrong by itself."""
    codes = set()

    @settings(FUZZING, max_examples=200)
    @given(place=st.integers(0, len(FILE) - 1), bit=st.integers(0, 6))
    def answered(place: int, bit: int) -> None:
        content = FILE[:place] + bytes([FILE[place] ^ 1 << bit]) + FILE[place + 1 :]
        path, modules = site.file(content), set(sys.modules)
        answer = said("replay", path)
        codes.add(answer.code)
        if answer.code == 2:
            assert_one_line(answer, path)
        else:
            json.loads(content)
            assert answer.out.startswith(("FIXED: ", "FAILS: ")[answer.code])
            assert not answer.err
        assert set(sys.modules) == modules

    answered()
    assert {1, 2} <= codes
    assert not site.marker.exists()


@pytest.mark.parametrize("place", OBJECTS, ids=lambda place: ".".join(map(str, place)))
def test_no_object_of_a_replay_takes_other_keys(site: Site, place: Place) -> None:
    known = at(DATA, place)
    trees = [{**known, "planted": None}]
    if place not in OF_ANY_NAMES:
        trees += [{key: known[key] for key in known if key != left} for left in known]
    if place not in [*OF_ANY_NAMES, ("values",)]:
        trees += [{**known, name: one} for name in ("planted", "__class__", "") for one in known.values()]
    for tree in trees:
        assert_refused(site, "replay", site.file(text(put(place, tree))))


# What is well written, and says what it must not.

SAYS: list[tuple[Place, list[Any]]] = [
    (
        ("claim",),
        [
            *(
                "planted:Claim",
                "planted.py:Claim",
                "./planted.py:Claim",
                "planted",
                "os:system",
                "",
                ":",
                "a:",
            ),
            *("__import__('planted'):Claim", "planted:Claim\nplanted:Claim", "masked-output\x00", "\x1b[2J"),
            *(
                "<script>alert(1)</script>",
                "../planted.py:Claim",
                "masked-output ",
                "Masked-Output",
                "\u202e",
            ),
            *("masked-output\ud800", "no identifier:1", "a" * 100_000, "é" * 400, "a" * 1000),
        ],
    ),
    (
        ("law",),
        [
            "forwrd",
            "planted",
            "",
            "Forward",
            "__class__",
            "initialisation",
            "masked",
            "state\n",
            "{0}",
            "\ufb01",
            "a" * 1000,
        ],
    ),
    (("id",), ["", "a979bca", "A979BCA7", "../../ab", "<b>abcd<", "a979bca7\n", "\u0660" * 8]),
    (("device",), ["cuda:", "", "CPU", "cpu\n", "meta", "cuda:9999"]),
    (("dtype",), ["", "double", "float64\n", "torch.float64", "int64"]),
    (("schema",), [0, SCHEMA_VERSION + 1, -1]),
    (("seed",), [-1, 1 << 32]),
    (("decided",), ["", "Exact", "guessed", "ladder", "statistics"]),
    (("look",), ["", "Zeros", "zeros\n", "planted", "__class__"]),
    (("regime",), [[], {}, [DATA["regime"]], {**DATA["regime"], "more": 1}]),
    (("regime", "bits"), [-1, MOST_BITS + 1, 10**9]),
    (("regime", "dtype"), ["float16", "object", "int64", "torch.float64", "float32"]),
    (("regime", "numbers"), ["reals", "", "Integers"]),
    (
        ("fields", "mask"),
        ["", "0", "01", "01/00/00", "01/0", "02/00", "01 00", "0" * 10_000, "\u06601/00", "01\n00"],
    ),
    (("fields", "out_features"), [-1, 3, 0, 65, 1 << 24, 10**9, (1 << 63) - 1]),
    (("fields", "in_features"), [-1, 3, 0, 65, 1 << 24, 10**9, (1 << 63) - 1]),
    (("axes",), [{}, {"height": [2]}, {"batch": [2], "depth": [2]}, {"batch": [2], "seed": [2]}]),
    (("axes", "batch"), [[], [3], [2, 1], [1] * 17, [-1], [1 << 24], [64] * 16, [10**9], [0, 1 << 23]]),
    (("values", "x", "shape"), [[], [4], [2, 3], [1 << 24], [1 << 62, 1 << 62], [-2, -2], [2, 2] + [1] * 15]),
    (("values", "x", "shape"), [[1, 2, 2], [4, 1], [0], [1 << 23, 1 << 23, 0]]),
    (("values", "x", "entries"), [[], [1.0], [1.0] * 5, [1.5] * 4, [1e18] * 4, [True] * 4, [[1.0]] * 4]),
    (("values", "x", "dtype"), ["float32", "int64", "bool", "float16", "complex64", "object", "__class__"]),
    (("values", "weight"), [DATA["values"]["x"] | {"shape": [4]}, DATA["values"]["bias"]]),
    (("values",), [{}, {"x": DATA["values"]["x"]}, DATA["values"] | {"x\n": DATA["values"]["x"]}]),
    (("versions",), [{"torch\n": "2"}, {"torch": "2\n"}, {"t" * 2000: "2"}, {"torch": "2" * 2000}]),
]


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path, values in SAYS for value in values],
    ids=[f"{'.'.join(map(str, path))}-{number}" for path, values in SAYS for number, _ in enumerate(values)],
)
def test_a_well_written_file_that_says_what_it_must_not_is_refused(
    site: Site, path: Place, value: Any
) -> None:
    assert_refused(site, "replay", site.file(text(put(path, value))))


@pytest.mark.parametrize(
    ("dtype", "entry"), [("int64", 0.5), ("int64", True), ("bool", 1), ("float64", False), ("float64", "1")]
)
def test_entries_are_of_the_dtype_of_their_tensor(site: Site, dtype: str, entry: object) -> None:
    value = {"shape": [2, 2], "dtype": dtype, "entries": [entry] * 4}
    err = assert_refused(site, "replay", site.file(text(put(("values", "x"), value))))
    assert "as many finite entries of that dtype" in err


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("NaN", "NaN is no number of JSON"),
        ("-Infinity", "-Infinity is no number of JSON"),
        ("1e999", "as many finite entries"),
        ("1" + "0" * 4000, "as many finite entries"),
        ("9223372036854775808", "as many finite entries"),
        ("1" + "0" * 5000, "a replay file is JSON"),
        ("[" * DEEP, "nested without end"),
    ],
    ids=range(7),
)
def test_an_entry_that_is_no_finite_number_is_named(site: Site, raw: str, words: str) -> None:
    tree = put(("values", "x", "entries", 0), MARK)
    assert words in assert_refused(site, "replay", site.file(text(tree, raw)))


@pytest.mark.parametrize("name", CATALOGUE)
def test_sizes_that_no_value_shows_are_refused_before_a_form_is_built(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = CATALOGUE[name]
    case = Domain(claim).typical
    plain = {field: getattr(value, "rows", value) for field, value in vars(case.claim).items()}
    sizes = [field for field, kind in Domain(claim).sized.items() if kind.high is None]
    data = {**DATA, "values": {}, "axes": case.axes}

    def built(_: object) -> None:
        pytest.fail("a form was built")

    monkeypatch.setattr(claim, "reference", built)
    monkeypatch.setattr(claim, "candidate", built)
    assert case_of(claim, Failure(**{**data, "fields": plain})).claim == case.claim
    if isinstance(plain.get("mask"), str):
        sizes = []
    for field in sizes:
        for size in (1000, 10**9):
            with pytest.raises(FailureFileError, match="sizes beyond 64 show in the values"):
                case_of(claim, Failure(**{**data, "fields": {**plain, field: size}}))
    for axis in case.axes:
        with pytest.raises(FailureFileError, match="sizes beyond 64 show in the values"):
            case_of(claim, Failure(**{**data, "fields": plain, "axes": {**case.axes, axis: [10**6]}}))


ENCODED = [
    FILE.decode().encode("utf-16"),
    FILE.decode().encode("utf-16-le"),
    FILE.decode().encode("utf-32"),
    FILE.decode().encode("utf-8-sig"),
    FILE.replace(b"masked-output", "maské".encode("latin-1")),
    FILE.replace(b"masked-output", b"mask\xc0\xaf"),
    FILE.replace(b"masked-output", b"mask\xed\xa0\x80"),
    gzip.compress(FILE),
    b"",
    b"\n",
    b"\x00" * 1000,
    b"<html>" + FILE,
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b'"' + b"a" * (MOST_BYTES - 2) + b'"',
    b"[" + b"1," * (MOST_BYTES // 2 - 2) + b"1]",
    FILE + b" " * MOST_BYTES,
]


@pytest.mark.parametrize("content", ENCODED, ids=range(len(ENCODED)))
def test_other_encodings_and_other_files_are_refused(site: Site, content: bytes) -> None:
    assert_refused(site, "replay", site.file(content))


def missing(folder: Path) -> Path:
    return folder / "nowhere"


def a_folder(folder: Path) -> Path:
    (folder / "folder").mkdir()
    return folder / "folder"


def below_a_file(folder: Path) -> Path:
    return folder / "planted.py" / "failure.json"


def sparse(folder: Path) -> Path:
    path = folder / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 36)
    return path


def a_loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def a_device(_: Path) -> Path:
    return Path("/dev/zero")


def too_long(folder: Path) -> Path:
    return folder / ("a" * 300)


def with_a_null(folder: Path) -> Path:
    return folder / "a\x00b"


def with_a_new_line(folder: Path) -> Path:
    path = folder / "two\nlines\x1b[31m\u202e\udcff"
    path.write_bytes(b"{")
    return path


PLACES = [
    missing,
    a_folder,
    below_a_file,
    sparse,
    a_loop,
    a_device,
    too_long,
    with_a_null,
    with_a_new_line,
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", [["replay"], IMAGES])
def test_a_place_that_holds_no_such_file_is_refused(
    site: Site, command: list[str], place: Callable[[Path], Path]
) -> None:
    assert_refused(site, *command, str(place(site.folder)))


def test_images_that_are_no_regular_file_are_refused(site: Site) -> None:
    for number, place in enumerate((a_folder, sparse, a_loop)):
        folder = site.folder / f"odd {number}"
        folder.mkdir()
        place(folder).rename(folder / NAME)
        assert_refused(site, *IMAGES, str(folder))


def test_the_trap_works(site: Site) -> None:
    """What the tests above hold against: named by the user, the planted module does leave its mark."""
    path = site.file(text(put(("claim",), "planted:Claim")))
    assert said("replay", path, "--claim", "planted:Claim").code == 1
    assert site.marker.exists()


# Images.


@st.composite
def cut_off_images(draw: st.DrawFn) -> bytes:
    return idx()[: draw(st.integers(0, len(idx()) - 1))]


@st.composite
def more_images(draw: st.DrawFn) -> bytes:
    return idx() + draw(st.binary(min_size=1, max_size=40))


@st.composite
def other_magic(draw: st.DrawFn) -> bytes:
    magic = draw(st.binary(min_size=4, max_size=4).filter(lambda magic: magic != idx()[:4]))
    return magic + idx()[4:]


@st.composite
def another_promise(draw: st.DrawFn) -> bytes:
    """One size alone is another: as no size is 0, the header promises more or less."""
    axis = draw(st.integers(1, 3))
    start = 4 * axis
    size = draw(
        st.integers(0, 2**32 - 1).filter(lambda size: size != int.from_bytes(idx()[start : start + 4]))
    )
    return idx()[:start] + size.to_bytes(4, "big") + idx()[start + 4 :]


@st.composite
def no_image(draw: st.DrawFn) -> bytes:
    """A size of 0, and no byte behind the header, as it promises."""
    sizes = draw(st.permutations([0, *draw(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2))]))
    return idx()[:4] + b"".join(size.to_bytes(4, "big") for size in sizes)


BROKEN_IMAGES = st.one_of(cut_off_images(), more_images(), other_magic(), another_promise(), no_image())


@st.composite
def broken_archive(draw: st.DrawFn) -> bytes:
    """Cut anywhere, or with another beginning, checksum or length."""
    archive = gzip.compress(idx(), mtime=0)
    if draw(st.booleans()):
        return archive[: draw(st.integers(0, len(archive) - 1))]
    place = draw(st.sampled_from([0, 1, 2, *range(-8, 0)])) % len(archive)
    return archive[:place] + bytes([archive[place] ^ draw(st.integers(1, 255))]) + archive[place + 1 :]


FUZZED_IMAGES = st.one_of(
    st.tuples(BROKEN_IMAGES, st.just("")),
    st.tuples(BROKEN_IMAGES.map(gzip.compress), st.just(".gz")),
    st.tuples(broken_archive(), st.just(".gz")),
)


def test_no_fuzzed_images_are_taken_and_each_file_gets_one_line(site: Site) -> None:
    ran: set[tuple[bytes, str]] = set()

    @settings(FUZZING, max_examples=300)
    @given(file=FUZZED_IMAGES)
    def refused(file: tuple[bytes, str]) -> None:
        ran.add(file)
        assert_refused(site, *IMAGES, site.images(*file))

    refused()
    assert len(ran) >= 200


def test_a_promise_that_no_file_keeps_is_named(site: Site) -> None:
    for sizes in (b"\x00\x00\xff\xff" * 3, bytes(12)):
        err = assert_refused(site, *IMAGES, site.images(idx()[:4] + sizes + bytes(24)))
        assert "its header promises one image or more, in 268435456 bytes or less" in err


def archive_of_a_gigabyte(beginning: bytes) -> bytes:
    """An archive of 1 MB, most of it the same 16 MB of zeros again and again."""
    return gzip.compress(beginning) + gzip.compress(bytes(1 << 24)) * 64


@pytest.mark.parametrize("beginning", [idx(), b"", idx()[:4] + b"\x00\x00\xff\xff" * 3], ids=range(3))
def test_an_archive_that_unpacks_to_a_gigabyte_is_not_unpacked(site: Site, beginning: bytes) -> None:
    folder = site.images(archive_of_a_gigabyte(beginning), ".gz")
    tracemalloc.start()
    assert_refused(site, *IMAGES, folder)
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


# In processes of their own.


def run(site: Site, *arguments: str) -> Said:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "properties", *arguments],
        cwd=site.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site.folder), str(ROOT)])},
        check=False,
        capture_output=True,
        timeout=60,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    "content",
    [
        text(put(("claim",), "planted:Claim")),
        text(put(("seed",), MARK), "[" * DEEP),
        text(put(("seed",), MARK), "1" + "0" * 5000),
    ],
    ids=range(3),
)
def test_a_hostile_file_gets_one_line_in_a_process_of_its_own(site: Site, content: bytes) -> None:
    assert_one_line(run(site, "replay", site.file(content)), "replay")
    assert not site.marker.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("command", [["replay"], IMAGES])
def test_a_pipe_is_refused_and_not_waited_for(site: Site, command: list[str]) -> None:
    os.mkfifo(site.folder / NAME)
    path = site.folder if command is IMAGES else site.folder / NAME
    assert_one_line(run(site, *command, str(path)), str(path))
