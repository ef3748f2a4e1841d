"""How names are shortened, and what counts as a mention. No database."""

import tracemalloc

import pytest

from app.divisions import datafile, gazetteer
from app.divisions.aliases import ALIASES
from app.divisions.gazetteer import Gazetteer, Kind, Place, forms
from app.divisions.mentions import MAX_LENGTH, find_mentions, normalise
from app.divisions.rules import is_code, is_pseudo_city
from app.divisions.townships import village_forms


@pytest.fixture(scope="module")
def china() -> Gazetteer:
    return gazetteer.build("1", [Place(*row) for row in datafile.read() if row.level <= 3])


@pytest.mark.parametrize(
    ("level", "name", "short", "kind"),
    [
        (1, "贵州省", "贵州", Kind.PROVINCE_STEM),
        (1, "内蒙古自治区", "内蒙古", Kind.PROVINCE_STEM),
        (1, "广西壮族自治区", "广西", Kind.PROVINCE_STEM),
        (1, "新疆维吾尔自治区", "新疆", Kind.PROVINCE_STEM),
        (2, "黔南布依族苗族自治州", "黔南州", Kind.OFFICIAL),
        (2, "黔南布依族苗族自治州", "黔南", Kind.STEM),
        (2, "克孜勒苏柯尔克孜自治州", "克孜勒苏州", Kind.OFFICIAL),
        (2, "喀什地区", "喀什", Kind.STEM),
        (2, "锡林郭勒盟", "锡林郭勒", Kind.STEM),
        (3, "酉阳土家族苗族自治县", "酉阳县", Kind.OFFICIAL),
        (3, "积石山保安族东乡族撒拉族自治县", "积石山县", Kind.OFFICIAL),
        (3, "鄂伦春自治旗", "鄂伦春旗", Kind.OFFICIAL),
        (3, "梅里斯达斡尔族区", "梅里斯区", Kind.OFFICIAL),
        (3, "神农架林区", "神农架", Kind.STEM),
        (3, "六枝特区", "六枝", Kind.STEM),
        (3, "碑林区", "碑林", Kind.STEM),
        (3, "江北区", "江北", Kind.GENERIC),
        (3, "西安区", "西安", Kind.GENERIC),
        (3, "东区", "东区", Kind.GENERIC),
        (3, "曹县", "曹县", Kind.STEM),
        (3, "长春经济技术开发区", "经开区", Kind.GENERIC),
        (3, "石家庄高新技术产业开发区", "高新区", Kind.GENERIC),
    ],
)
def test_short_form_is_known(level: int, name: str, short: str, kind: Kind) -> None:
    assert dict(forms(level, name))[short] == kind


@pytest.mark.parametrize("name", ["市中区", "井陉矿区", "西沙群岛", "大柴旦行政委员会"])
def test_misleading_stem_is_not_made(name: str) -> None:
    assert [form for form, _ in forms(3, name)] == [name]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("永兴村村民委员会", "永兴村"),
        ("永兴村委会", "永兴村"),
        ("多福巷社区居委会", "多福巷社区"),
        ("河湾居委会", "河湾社区"),
        ("阿日嘎查委员会", "阿日嘎查"),
    ],
)
def test_village_is_found_as_people_write_it(name: str, written: str) -> None:
    assert written in village_forms(name)


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("江西安福县", ["江西", "安福县"]),
        ("贵阳高新区", ["贵阳", "高新区"]),
        ("乐山市中区", ["乐山市", "市中区"]),
        ("中山路123号", []),
        ("贵州大学", []),
        ("黔西县", ["黔西县"]),
        ("毕节地区织金县", ["毕节地区", "织金县"]),
        ("重庆市市辖区渝中区", ["重庆市", "渝中区"]),
        ("济南市中山路", ["济南市"]),
    ],
)
def test_mentions_are_cut_out_of_the_text(
    china: Gazetteer, text: str, mentioned: list[str]
) -> None:
    assert [text[m.start : m.end] for m in find_mentions(china, text)] == mentioned


def test_every_alias_stands_for_an_existing_place(china: Gazetteer) -> None:
    official = {place.name for place in china.places.values()}

    assert {name for name in ALIASES.values() if name not in official} == set()
    assert all(alias in china.names for alias in ALIASES)


def test_gazetteer_takes_a_few_megabytes() -> None:
    places = [Place(*row) for row in datafile.read() if row.level <= 3]

    tracemalloc.start()
    built = gazetteer.build("1", places)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(built.names) > 6_000
    assert kept < 4_000_000


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("　贵州省，遵义市／湄潭县 ", "贵州省 遵义市 湄潭县"),
        ("５２０３２８", "520328"),
        ("贵州-遵义<script>", "贵州 遵义 script"),
        ("，。！", ""),
    ],
)
def test_text_is_normalised(raw: str, plain: str) -> None:
    assert normalise(raw) == plain


def test_long_text_is_cut() -> None:
    assert len(normalise("贵" * 1_000)) == MAX_LENGTH


def test_pseudo_cities_are_only_cities() -> None:
    assert is_pseudo_city(2, "市辖区")
    assert is_pseudo_city(2, "省直辖县级行政区划")
    assert not is_pseudo_city(2, "遵义市")
    assert not is_pseudo_city(3, "市辖区")


@pytest.mark.parametrize(
    "text", ["", "52", "52032800000a", "５２０３２８００００００", "520328000000\n"]
)
def test_other_text_is_no_code(text: str) -> None:
    assert not is_code(text)
