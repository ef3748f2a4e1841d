"""What a page, a list and an export may show of a citizen."""

import pytest

from app.security.masking import Masked, mask_address, mask_id_card, mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("李小明", "李**"),
        ("李四", "李**"),
        ("李", "李**"),
        ("欧阳娜娜", "欧**"),
        ("阿卜杜拉·买买提", "阿**"),
        ("𠮷田", "𠮷**"),
        ("  王五 ", "王**"),
        ("", ""),
        ("   ", ""),
        (None, ""),
    ],
)
def test_a_name_shows_its_first_character_and_not_its_length(name, shown):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812341234", "138****1234"),
        ("１３８１２３４１２３４", "138****1234"),
        ("138 1234 1234", "138****1234"),
        ("138-1234-1234", "138****1234"),
        ("+8613812341234", "138****1234"),
        ("008613812341234", "138****1234"),
        ("86 13812341234", "138****1234"),
        ("0851-85551234", "0851-****1234"),
        ("085185551234", "0851-****1234"),
        ("(0851)85551234", "0851-****1234"),
        ("０８５１－８５５５１２３４", "0851-****1234"),
        ("010-65551234", "010-****1234"),
        ("0855-8551234", "0855-****1234"),
        ("0851-85551234-801", "0851-****1234"),
        ("0851-85551234转801", "0851-****1234"),
        ("85551234", "****1234"),
        ("8551234", "****1234"),
        ("110", "******"),
        ("+1 212 555 0100", "******"),
        ("不详", "******"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_telephone_number_shows_its_head_and_four_digits(phone, shown):
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("52010219900101123X", "520***********123X"),
        ("52010219900101123x", "520***********123X"),
        ("５２０１０２１９９００１０１１２３Ｘ", "520***********123X"),
        ("520102 19900101 1237", "520***********1237"),
        ("520102900101123", "520********1123"),
        ("H12345678", "H*******8"),
        ("E1234", "*****"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_identity_number_shows_three_and_four_characters(number, shown):
    assert mask_id_card(number) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("贵州省遵义市湄潭县湄江街道金花村三组12号", "贵州省遵义市湄潭县湄江街道***"),
        (
            "贵州省黔南布依族苗族自治州惠水县好花红镇弄苑村5组",
            "贵州省黔南布依族苗族自治州惠水县好花红镇***",
        ),
        (
            "贵州省安顺市镇宁布依族苗族自治县白马湖街道红星路1号",
            "贵州省安顺市镇宁布依族苗族自治县白马湖街道***",
        ),
        ("江苏省镇江市京口区四牌楼街道中山路3号", "江苏省镇江市京口区四牌楼街道***"),
        ("山西省临汾市乡宁县昌宁镇迎旭东街1号", "山西省临汾市乡宁县昌宁镇***"),
        ("河南省新乡市红旗区洪门镇诚城社区2栋", "河南省新乡市红旗区洪门镇***"),
        (
            "内蒙古自治区锡林郭勒盟苏尼特左旗满都拉图镇",
            "内蒙古自治区锡林郭勒盟苏尼特左旗满都拉图镇",
        ),
        (
            "内蒙古自治区呼伦贝尔市新巴尔虎左旗嵯岗苏木一队",
            "内蒙古自治区呼伦贝尔市新巴尔虎左旗嵯岗苏木***",
        ),
        ("重庆市酉阳土家族苗族自治县花田乡何家岩村", "重庆市酉阳土家族苗族自治县花田乡***"),
        ("北京市朝阳区建国路88号", "北京市朝阳区***"),
        ("遵义市解放路１２号幸福小区3栋", "遵义市***"),
        ("遵义市幸福小区3栋", "遵义市***"),
        ("湄潭县湄江街道金花村", "湄潭县湄江街道***"),
        ("湄江街道金花村三组", "湄江街道***"),
        ("和平路12号老乡家", "***"),
        ("三组12号", "***"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_ends_at_the_township(address, shown):
    assert mask_address(address) == shown


def test_a_masked_person_shows_each_field_masked():
    shown = Masked.of(name="李小明", phone="13812341234", id_card=None, address="湄潭县湄江街道1号")

    assert shown == Masked("李**", "138****1234", "", "湄潭县湄江街道***")


def test_a_sealed_person_shows_as_anonymous_and_not_one_digit():
    shown = Masked.of(name="李小明", phone="13812341234", address="湄潭县", sealed=True)

    assert (shown.name, shown.phone, shown.id_card, shown.address) == ("匿名", "", "", "")
    assert shown.sealed
