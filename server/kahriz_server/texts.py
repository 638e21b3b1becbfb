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
    "per_day_help": Text(
        "Günün orta su sərfi 24 saata vurulub; ölçülməyən saatlar orta kimi sayılır. Tamlığı ilə "
        "birgə həcm: `kahriz export totals`.",
        "Средний расход суток, умноженный на 24 часа; неизмеренные часы считаются средними. Объём "
        "с полнотой измерений: `kahriz export totals`.",
        "The day's mean flow over 24 hours; hours without readings count as the mean. Sums with "
        "their completeness: `kahriz export totals`.",
    ),
    "turns": Text(
        "Növbələrin suyu, gün üzrə", "Вода по очередям за сутки", "Water by turns, per day"
    ),
    "turns_help": Text(
        "Bitmiş növbələrin m³-u, başladıqları günə yazılır. Sahələr kodla göstərilir. Ölçülməyən "
        "növbə burada yoxdur: bu, su almayıb demək deyil.",
        "м³ завершённых очередей, по дню их начала. Участки показаны кодами. Неизмеренной очереди "
        "здесь нет: это не значит, что воды не было.",
        "m³ of the turns that are over, on the day they began. Plots by their codes. A turn that "
        "was not measured is not here: that does not say that it had no water.",
    ),
    "turn_list": Text("Son növbələr", "Последние очереди", "Latest turns"),
    "per_turn": Text("Növbənin suyu", "Вода за очередь", "Water of the turn"),
    "plot": Text("Sahə", "Участок", "Plot"),
    "turn_began": Text("Növbə başlayıb", "Начало очереди", "Turn began"),
    "minutes": Text("Dəqiqə", "Минут", "Minutes"),
    "coverage": Text("Ölçülən vaxt", "Измерено времени", "Time measured"),
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
    "fleet": Text("Bütün kəhrizlər", "Все кяхризы", "All kahrizes"),
    "fleet_help": Text(
        "Su sərfi: kəhrizin nöqtələri arasında ən böyüyü, seçilmiş müddətdəki son qiymət. "
        "Dəyişmə: müddətin birinci və son günü arasında.",
        "Расход: наибольший среди точек кяхриза, последнее значение за выбранный срок. "
        "Изменение: между первым и последним днём срока.",
        "Discharge: the largest among the kahriz's points, its newest value within the span. "
        "Change: between the first and the last day of the span.",
    ),
    "map": Text("Xəritə", "Карта", "Map"),
    "map_help": Text(
        "Planında latitude_deg və longitude_deg olmayan kəhriz xəritədə yoxdur.",
        "Кяхриза, в плане которого нет latitude_deg и longitude_deg, на карте нет.",
        "A kahriz whose plan has no latitude_deg and longitude_deg is not on the map.",
    ),
    "change": Text("Dəyişmə", "Изменение", "Change"),
    "open_alarms": Text("Açıq xəbərdarlıqlar", "Открытые тревоги", "Open alarms"),
    "nodes": Text("Cihazların vəziyyəti", "Состояние узлов", "Node health"),
    "backlog": Text("Cihazda gözləyir", "Ждёт в узле", "Waiting in the node"),
    "starts": Text("Yenidən işə düşmə", "Запуски", "Starts"),
    "starts_in_span": Text(
        "Seçilmiş müddətdə yenidən işə düşmə", "Перезапуски за срок", "Restarts within the span"
    ),
    "heap": Text("Boş yaddaş", "Свободная память", "Free memory"),
    "alarms_help": Text(
        "Hər xəbərdarlıq bir sətirdir. Növünə basın: nə etməli.",
        "Каждая тревога — одна строка. Нажмите на вид: что делать.",
        "A row an alarm. Press its kind: what to do.",
    ),
    "number": Text("Nömrə", "Номер", "Number"),
    "raised": Text("Başlayıb", "Поднята", "Raised"),
    "open_for": Text("Nə qədər açıq olub", "Была открыта", "Stood open"),
    "repair_time": Text("Təmirə qədər vaxt", "Время до ремонта", "Time to repair"),
    "repair_help": Text(
        "Xəbərdarlıqdan «düzəldildi» xəbərinə qədər. Hələ düzəldilməyənlər orta qiymətə daxil "
        "deyil.",
        "От тревоги до сообщения «исправлено». Ещё не исправленное в среднее не входит.",
        "From the alarm to the word that it is mended. What nobody has mended yet is not in it.",
    ),
    "runbook": Text("Nə etməli", "Что делать", "What to do"),
    "look": Text("Nəyə baxmalı:", "Что осмотреть:", "Look at:"),
    "bring": Text("Nə götürməli:", "Что взять:", "Bring:"),
    "ask_doctor": Text(
        "Şlüzdə `kahriz doctor` əmri nəyin xarab olduğunu və necə düzəldiləcəyini deyir.",
        "На шлюзе команда `kahriz doctor` скажет, что неисправно и как это исправить.",
        "On the gateway `kahriz doctor` says what is wrong and how to mend it.",
    ),
    "delivery": Text("Ölçmələrin çatdırılması", "Доставка измерений", "Delivery of readings"),
    "delivery_help": Text(
        "Ölçülən = saxlanılan + cihazda gözləyən + itirilmiş kimi bağlanan. Çatışmayan gözləyənin "
        "köhnə hissəsidir.",
        "Измерено = сохранено + ждёт в узле + закрыто как потерянное. Недостающее — старая часть "
        "ждущего.",
        "Measured = stored + waiting in the node + closed as lost. Missing is the older part of "
        "what waits.",
    ),
    "measured": Text("Ölçülüb", "Измерено", "Measured"),
    "stored": Text("Saxlanılıb", "Сохранено", "Stored"),
    "lost_rows": Text("İtirilmiş kimi bağlanıb", "Закрыто как потерянное", "Closed as lost"),
    "unaccounted": Text("Hesabda olmayan", "Не учтено", "Unaccounted for"),
    "unaccounted_help": Text(
        "Ölçülüb, amma nə saxlanılıb, nə gözləyir, nə də bağlanıb. Oxuna bilməyən ölçmələr "
        "karantindədir və burada görünür.",
        "Измерено, но не сохранено, не ждёт и не закрыто. Нечитаемые измерения лежат в карантине "
        "и видны здесь.",
        "Measured, and neither stored nor waiting nor closed. Readings that cannot be read lie in "
        "quarantine and show here.",
    ),
    "waiting": Text("Şlüzdə gözləyən dəyişikliklər", "Ждёт в шлюзе", "Waiting in the gateway"),
    "quarantined": Text("Karantindəki məlumatlar", "Сообщения в карантине", "In quarantine"),
    "quality": Text("Ölçmələrin keyfiyyəti", "Качество измерений", "Quality of readings"),
    "quality_help": Text(
        "QARTOD işarəsi; uğursuz və çatışmayan ədədlər başqa heç bir paneldə göstərilmir.",
        "Метка QARTOD; негодные и недостающие числа больше нигде не показаны.",
        "The QARTOD flag; numbers that failed or are missing are shown in no other panel.",
    ),
    "flag_pass": Text("Yoxlamadan keçib", "Прошло проверки", "Passed"),
    "flag_unknown": Text("Yoxlanmayıb", "Не проверено", "Not evaluated"),
    "flag_suspect": Text("Şübhəli", "Сомнительно", "Suspect"),
    "flag_fail": Text("Yararsız", "Негодно", "Failed"),
    "flag_missing": Text("Yoxdur", "Отсутствует", "Absent"),
    "alert_gateway": Text("Şlüz susur", "Шлюз молчит", "Gateway is silent"),
    "alert_leak": Text("Su sızır", "Утечка воды", "A leak is open"),
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
