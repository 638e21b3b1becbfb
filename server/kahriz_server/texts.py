# SPDX-License-Identifier: MIT
"""Every word a dashboard shows, in three languages, from this one place.

A translator edits only this file; `kahriz server dashboards` writes the JSON. No native reader
has gone over the az and ru columns yet.
"""

from typing import Literal, NamedTuple, get_args

Lang = Literal["az", "ru", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)


class Text(NamedTuple):
    az: str
    ru: str
    en: str

    def of(self, lang: Lang) -> str:
        words: str = getattr(self, lang)
        return words


TEXTS: dict[str, Text] = {
    "kahriz": Text("Kəhriz", "Кяхриз", "Kahriz"),
    "point": Text("Ölçmə nöqtəsi", "Точка измерения", "Measuring point"),
    "discharge_now": Text("İndiki su sərfi", "Расход сейчас", "Discharge now"),
    "discharge": Text("Su sərfi", "Расход воды", "Discharge"),
    "discharge_help": Text(
        "Nazik xətlər qeyri-müəyyənliyin sərhədləridir (k = 2). Nöqtələr: su sərfi bənddə ölçülə "
        "biləndən azdır (<) və ya çoxdur (>).",
        "Тонкие линии — границы неопределённости (k = 2). Точки: расход меньше (<) или больше (>) "
        "того, что водослив может измерить.",
        "Thin lines bound the uncertainty (k = 2). Dots: the discharge is below (<) or above (>) "
        "what the weir can measure.",
    ),
    "stage": Text("Bəndin üstündə su qatı", "Напор над водосливом", "Stage over the weir"),
    "loss": Text(
        "Kanal hissələri üzrə su itkisi", "Потери воды по участкам канала", "Loss per reach"
    ),
    "loss_help": Text(
        "Yuxarı bənd çıxılsın aşağı bənd. Torpaq arxda adi itki hər km-də 2,5-5 L/s-dir; siqnal "
        "dəyişmə üçün verilir.",
        "Верхний водослив минус нижний. Обычные потери земляного канала 2,5-5 л/с на км; тревога "
        "даётся по изменению.",
        "Upper weir minus lower weir. An earth ditch normally loses 2.5-5 L/s per km; the alarm "
        "is on the change.",
    ),
    "level": Text(
        "Hovuz və çəndə suyun səviyyəsi",
        "Уровень воды в бассейне и резервуаре",
        "Level in pool and tank",
    ),
    "volume": Text(
        "Hovuz və çəndə suyun həcmi", "Объём воды в бассейне и резервуаре", "Water stored"
    ),
    "per_day": Text("Gün ərzində su", "Вода за сутки", "Water per day"),
    "temperature": Text("Temperatur", "Температура", "Temperature"),
    "conductivity": Text("Elektrik keçiriciliyi", "Электропроводность", "Conductivity"),
    "last_word": Text("Cihazlar: son xəbər", "Узлы: последние вести", "Nodes: last word"),
    "battery": Text("Batareyanın gərginliyi", "Напряжение батареи", "Battery"),
    "signal": Text("WiFi siqnalı", "Сигнал WiFi", "WiFi signal"),
    "missing": Text("Çatışmayan ölçmələr", "Недостающие измерения", "Missing readings"),
    "missing_help": Text(
        "Cihazın ölçdüyü, amma şlüzə hələ çatmamış ölçmələr.",
        "Измерения, сделанные узлом, но ещё не пришедшие на шлюз.",
        "Readings that the node has made and the gateway does not have yet.",
    ),
    "alarms": Text("Xəbərdarlıqlar", "Тревоги", "Alarms"),
    "leak": Text("Sızma", "Утечка", "Leak"),
    "node": Text("Cihaz", "Узел", "Node"),
    "heard": Text("Son xəbər", "Последняя связь", "Last heard"),
    "time": Text("Vaxt", "Время", "Time"),
    "kind": Text("Növ", "Вид", "Kind"),
    "place": Text("Yer", "Место", "Place"),
    "open": Text("Açıqdır", "Открыта", "Open"),
    "yes": Text("Bəli", "Да", "Yes"),
    "no": Text("Xeyr", "Нет", "No"),
    "lost_lps": Text("İtki", "Потеря", "Loss"),
    "lost_m3": Text("İtirilmiş su", "Потеряно воды", "Water lost"),
    "upper": Text("Yuxarı hissə", "Верхний участок", "Upper reach"),
    "lower": Text("Aşağı hissə", "Нижний участок", "Lower reach"),
}

# Units whose written form differs; the rest is the same in all three.
UNIT_TEXTS: dict[str, Text] = {
    "L/s": Text("L/s", "л/с", "L/s"),
    "m": Text("m", "м", "m"),
    "m3": Text("m³", "м³", "m³"),
    "uS/cm": Text("µS/cm", "мкСм/см", "µS/cm"),
}


def say(key: str, lang: Lang) -> str:
    """The words of a key in one language; KeyError names a key that is not in the table."""
    return TEXTS[key].of(lang)
