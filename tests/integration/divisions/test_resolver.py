"""Addresses as citizens write them; 贵州 and 重庆 are loaded entirely, the rest to the county."""

import time

import pytest

from app.divisions import queries
from app.divisions.resolver import MAX_CANDIDATES, Exactness, resolve

pytestmark = pytest.mark.usefixtures("context")

FOUND = [
    # complete and official
    ("贵州省遵义市湄潭县永兴镇", "贵州省遵义市湄潭县永兴镇"),
    ("贵州省黔南布依族苗族自治州荔波县", "贵州省黔南布依族苗族自治州荔波县"),
    ("广东省深圳市南山区粤海街道", "广东省深圳市南山区"),
    ("新疆喀什地区疏附县", "新疆维吾尔自治区喀什地区疏附县"),
    ("黎平县肇兴镇肇兴村", "贵州省黔东南苗族侗族自治州黎平县肇兴镇肇兴村村民委员会"),
    ("湄潭县核桃坝村", "贵州省遵义市湄潭县湄江街道核桃坝村村民委员会"),
    # no ending, no province, no city
    ("遵义湄潭", "贵州省遵义市湄潭县"),
    ("遵义湄潭永兴镇", "贵州省遵义市湄潭县永兴镇"),
    ("湄潭", "贵州省遵义市湄潭县"),
    ("湄潭县城关", "贵州省遵义市湄潭县"),
    ("贵州毕节七星关", "贵州省毕节市七星关区"),
    ("青海玉树囊谦", "青海省玉树藏族自治州囊谦县"),
    ("黑龙江大兴安岭漠河", "黑龙江省大兴安岭地区漠河市"),
    ("西安碑林", "陕西省西安市碑林区"),
    ("西安", "陕西省西安市"),
    ("福州鼓楼", "福建省福州市鼓楼区"),
    ("重庆巫山", "重庆市巫山县"),
    ("重庆江北观音桥", "重庆市江北区观音桥街道"),
    ("曹县大集镇", "山东省菏泽市曹县"),
    # prefectures and banners in short
    ("黔南州都匀市", "贵州省黔南布依族苗族自治州都匀市"),
    ("黔南州某某村", "贵州省黔南布依族苗族自治州"),
    ("贵州 黔东南 雷山 西江镇", "贵州省黔东南苗族侗族自治州雷山县西江镇"),
    ("甘肃临夏州东乡县", "甘肃省临夏回族自治州东乡族自治县"),
    ("内蒙锡盟西乌旗", "内蒙古自治区锡林郭勒盟西乌珠穆沁旗"),
    ("内蒙呼市新城区", "内蒙古自治区呼和浩特市新城区"),
    ("新疆克州阿图什", "新疆维吾尔自治区克孜勒苏柯尔克孜自治州阿图什市"),
    ("内蒙古鄂伦春旗", "内蒙古自治区呼伦贝尔市鄂伦春自治旗"),
    ("恩施州利川市", "湖北省恩施土家族苗族自治州利川市"),
    # no middle level, no lowest level
    ("重庆市酉阳县", "重庆市酉阳土家族苗族自治县"),
    ("重庆市石柱县西沱镇", "重庆市石柱土家族自治县西沱镇"),
    ("重庆市市辖区渝中区", "重庆市渝中区"),
    ("湖北仙桃市", "湖北省仙桃市"),
    ("新疆生产建设兵团石河子市", "新疆维吾尔自治区石河子市"),
    ("神农架林区木鱼镇", "湖北省神农架林区"),
    ("东莞市虎门镇", "广东省东莞市"),
    ("广东中山市小榄镇", "广东省中山市"),
    # the same word twice, on two levels, or inside another
    ("吉林船营", "吉林省吉林市船营区"),
    ("我是吉林省吉林市船营区的农民，反映化肥质量问题", "吉林省吉林市船营区"),
    ("海南", "海南省"),
    ("青海海南共和县", "青海省海南藏族自治州共和县"),
    ("大理", "云南省大理白族自治州"),
    ("大理市", "云南省大理白族自治州大理市"),
    ("长沙县星沙", "湖南省长沙市长沙县"),
    ("辽宁朝阳市双塔区", "辽宁省朝阳市双塔区"),
    ("北京朝阳区建国路88号", "北京市朝阳区"),
    ("长春朝阳区红旗街", "吉林省长春市朝阳区"),
    ("鼓楼区湖东路 福州", "福建省福州市鼓楼区"),
    ("乐山市中区", "四川省乐山市市中区"),
    ("济南市中山路", "山东省济南市"),
    ("海淀区中关村大街27号", "北京市海淀区"),
    ("江西安福县", "江西省吉安市安福县"),
    ("贵阳高新区", "贵州省贵阳市"),
    ("河北省雄安新区容城县", "河北省保定市容城县"),
    ("贵州省朝阳区", "贵州省"),
    # former names
    ("遵义县", "贵州省遵义市播州区"),
    ("黔西县", "贵州省毕节市黔西市"),
    ("重庆开县", "重庆市开州区"),
    ("贵州省毕节地区织金县", "贵州省毕节市织金县"),
    # typed in odd ways
    ("ＧＺ　贵州省　遵义市", "贵州省遵义市"),
    ("贵州省/安顺市/西秀区/七眼桥镇", "贵州省安顺市西秀区七眼桥镇"),
    ("我们村在邢台市巨鹿县,种子不出苗", "河北省邢台市巨鹿县"),
    ("520328", "贵州省遵义市湄潭县"),
    ("５２０３２８００００００", "贵州省遵义市湄潭县"),
    # the township alone
    ("遵义市永兴镇", "贵州省遵义市湄潭县永兴镇"),
    ("茅台镇", "贵州省遵义市仁怀市茅台镇"),
]


@pytest.mark.parametrize(("words", "place"), FOUND, ids=[words for words, _ in FOUND])
def test_address_is_recognised(words: str, place: str) -> None:
    resolution = resolve(words)

    assert resolution.is_resolved
    assert queries.full_name(resolution.code or "") == place


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("朝阳区", {"北京市朝阳区", "吉林省长春市朝阳区"}),
        ("朝阳区大悦城", {"北京市朝阳区", "吉林省长春市朝阳区"}),
        ("鼓楼区中山路", {
            "江苏省南京市鼓楼区", "江苏省徐州市鼓楼区", "福建省福州市鼓楼区", "河南省开封市鼓楼区",
        }),
        ("北京市湄潭县", {"北京市", "贵州省遵义市湄潭县"}),
        ("通道堵塞", {"湖南省怀化市通道侗族自治县"}),
        ("我和县政府反映", {"安徽省马鞍山市和县"}),
    ],
)  # fmt: skip
def test_ambiguity_gives_candidates_and_no_code(words: str, offered: set[str]) -> None:
    resolution = resolve(words)

    assert resolution.code is None
    assert resolution.exactness == Exactness.AMBIGUOUS
    assert {queries.full_name(code) for code in resolution.candidates} == offered


def test_a_common_township_name_offers_a_bounded_list() -> None:
    resolution = resolve("太平镇")

    assert resolution.code is None
    assert 1 < len(resolution.candidates) <= MAX_CANDIDATES


@pytest.mark.parametrize(
    "words",
    ["", " ", "，。", "你好，我要投诉", "化肥质量问题，种子不出苗", "中山路123号", "北京路",
     "省直辖县级行政区划", "999999", "台湾省", "a" * 5_000],
)  # fmt: skip
def test_text_that_names_no_place_is_no_error(words: str) -> None:
    resolution = resolve(words)

    assert resolution.exactness == Exactness.NONE
    assert resolution.code is None
    assert resolution.candidates == ()


@pytest.mark.parametrize(
    ("words", "exactness"),
    [
        ("贵州省遵义市湄潭县永兴镇", Exactness.EXACT),
        ("黔南州都匀市", Exactness.EXACT),
        ("遵义湄潭", Exactness.INFERRED),
        ("茅台镇", Exactness.INFERRED),
        ("长春开发区", Exactness.PARTIAL),
        ("遵义市新城区", Exactness.PARTIAL),
    ],
)
def test_exactness_tells_how_the_code_was_found(words: str, exactness: Exactness) -> None:
    assert resolve(words).exactness == exactness


def test_resolving_is_fast() -> None:
    resolve("贵州省")
    started = time.perf_counter()

    for words, _ in FOUND:
        resolve(words)

    assert (time.perf_counter() - started) / len(FOUND) < 0.02
