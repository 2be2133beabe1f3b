"""The language of a text, by its script and by the model."""

import random
import string

import pytest

from polyculture.text.language import CODE, SYMBOLS, UNKNOWN, Language, Why, language_of
from polyculture.text.scripts import letters_by_script

COMMANDS = "\n\n`git commit --amend --no-edit`\n\n`git push --force-with-lease origin main`\n\n"
TEXTS = {
    "en": "The committee put off its decision until the following spring, since nobody could agree on the price.",
    "de": "Der Ausschuss hat seine Entscheidung auf das nächste Frühjahr verschoben, weil sich niemand einigen konnte.",
    "fr": "La commission a reporté sa décision au printemps prochain, car personne ne s'accordait sur le prix.",
    "vi": "Ủy ban đã hoãn quyết định đến mùa xuân năm sau vì không ai đồng ý về giá cả.",
    "tr": "Komisyon, kimse fiyat üzerinde anlaşamadığı için kararını gelecek bahara erteledi.",
    "ru": "Комиссия отложила решение до следующей весны, потому что никто не мог договориться о цене.",
    "uk": "Комісія відклала рішення до наступної весни, оскільки ніхто не міг домовитися про ціну.",
    "el": "Η επιτροπή ανέβαλε την απόφασή της για την επόμενη άνοιξη, γιατί κανείς δεν συμφωνούσε.",
    "ar": "أجلت اللجنة قرارها إلى الربيع المقبل لأن أحدا لم يتفق على السعر.",
    "fa": "کمیته تصمیم خود را تا بهار آینده به تعویق انداخت زیرا هیچ کس بر سر قیمت توافق نداشت.",
    "hi": "समिति ने अपना निर्णय अगले वसंत तक टाल दिया क्योंकि कीमत पर कोई सहमत नहीं था।",
    "th": "คณะกรรมการเลื่อนการตัดสินใจออกไปจนถึงฤดูใบไม้ผลิหน้า",
    "ko": "위원회는 가격에 대해 아무도 동의하지 않아 결정을 내년 봄으로 미루었다.",
    "ja": "委員会は価格について合意できなかったため、決定を来年の春まで延期した。",
    "zh": "由于没有人能就价格达成一致，委员会把决定推迟到了明年春天。",
}


def words(generator: random.Random, letters: str, count: int = 120) -> str:
    return " ".join("".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(count))


@pytest.mark.parametrize("code", TEXTS)
def test_a_plain_text_is_known(code: str) -> None:
    assert language_of(TEXTS[code]).code == code


@pytest.mark.parametrize("code", ["zh", "ja", "ko", "th", "el", "ar", "hi", "ru"])
def test_commands_between_the_words_do_not_make_a_text_english(code: str) -> None:
    assert language_of(TEXTS[code] + COMMANDS + TEXTS[code]).code == code


def test_a_text_in_two_scripts_is_not_known() -> None:
    article = "Water boils at a lower temperature in the mountains, since the air is thinner there. " * 2
    assert language_of(article + TEXTS["zh"] * 2) == Language(UNKNOWN, Why.DISAGREE)


def test_a_script_decides_alone_whatever_the_model_says() -> None:
    assert language_of("漢字") == Language("zh", Why.SCRIPT)
    assert language_of("ひらがな") == Language("ja", Why.SCRIPT)
    assert language_of("ไทย") == Language("th", Why.SCRIPT)


def test_the_model_is_asked_about_the_words_where_markup_hides_them() -> None:
    markup = (
        '{{< legacy-img src="2015/05/250-x-333-Lisa-Danzig.jpg" alt="Lisa Danzig" >}} <https://a.example/b/c_d.html>'
    )
    assert language_of(f"{markup}\n{TEXTS['en']}\n{markup}").code == "en"
    assert language_of(f"{markup}\n{TEXTS['de']}\n{markup}").code == "de"


def test_code_and_tables_are_kinds_of_text() -> None:
    code = "for (i=0;i<n;i++){x[i]=f(&y[i],z->q);}\nif(!p||p->n==0){return -1;}\nm[k]=(a<<3)|(b&0xff);"
    assert language_of(code) == Language(CODE, Why.KIND)
    table = "x | 1.0 | 2.5 | 3.75 | 4\ny | 0.1 | 9.25 | 8.5 | 77\nz | 12.5 | 3 | 4.25 | 90"
    assert language_of(table) == Language(SYMBOLS, Why.KIND)


def test_without_letters_there_is_no_language() -> None:
    for text in ("", " \n", "12 + 30 = 42", "...", "\U0001f600"):
        assert language_of(text) == Language(UNKNOWN, Why.NO_LETTERS)


def test_random_letters_are_no_language() -> None:
    generator = random.Random(4)
    known = [language_of(words(generator, string.ascii_lowercase)).code != UNKNOWN for _ in range(200)]
    assert sum(known) <= 10  # the model alone is sure of a quarter


def test_words_of_digits_are_symbols() -> None:
    generator = random.Random(5)
    for _ in range(50):
        text = " ".join(f"{generator.choice(string.ascii_lowercase)}{generator.randrange(10**5)}" for _ in range(60))
        assert language_of(text).code in {SYMBOLS, UNKNOWN}


def test_a_long_text_is_looked_at_in_three_places() -> None:
    assert language_of(TEXTS["de"] * 100).code == "de"
    assert language_of("0123456789 " * 200 + TEXTS["de"] * 100).code == "de"


def test_letters_are_counted_by_script() -> None:
    assert letters_by_script("abc ДЕ 漢 1+2 \U00020000") == {"Latin": 3, "Cyrillic": 2, "Han": 2}
    assert letters_by_script("हिन्दी") == {"Devanagari": 6}
    assert letters_by_script("𝑥² + 1") == {}
    assert letters_by_script("ꓐ") == {"other": 1}
