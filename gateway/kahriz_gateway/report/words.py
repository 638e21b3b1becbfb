# SPDX-License-Identifier: MIT
"""The words of the reports: az, ru, en. No native reader has gone over az and ru yet.

Nothing here says that water is fit to drink, and a month without readings is never a good month.
"""

from __future__ import annotations

LANGS = ("az", "ru", "en")
WORDS: dict[str, tuple[str, str, str]] = {
    "month": ("Kəhrizin aylıq hesabatı", "Месячный отчёт о кяхризе", "Monthly report of a kahriz"),
    "fleet": (
        "Bütün kəhrizlər: aylıq hesabat",
        "Все кяхризы: месячный отчёт",
        "All kahrizes: monthly report",
    ),
    "span": ("%s – %s", "%s – %s", "%s – %s"),
    "water": ("Su", "Вода", "Water"),
    "point": ("Ölçmə nöqtəsi", "Точка измерения", "Measuring point"),
    "volume": ("Həcm, m³", "Объём, м³", "Volume, m³"),
    "mean": ("Orta sərf, L/s", "Средний расход, л/с", "Mean flow, L/s"),
    "change": ("Əvvəlki aya görə", "К прошлому месяцу", "Against last month"),
    "complete": ("Ölçülmüş vaxt", "Измеренное время", "Time measured"),
    "losses": ("Kanalda itki", "Потери в канале", "Losses on the way"),
    "reach": ("Hissə", "Участок", "Reach"),
    "loss": ("İtki, m³", "Потеря, м³", "Loss, m³"),
    "sure": ("Əmindirmi", "Достоверно", "Certain"),
    "certain": ("bəli", "да", "yes"),
    "within": (
        "xəta hüdudunda",
        "в пределах погрешности",
        "within the uncertainty",
    ),
    "unknown": ("məlum deyil", "неизвестно", "not known"),
    "by_turns": ("Növbələr üzrə su", "Вода по очередям", "Water by turns"),
    "plot": ("Sahə", "Участок", "Plot"),
    "turns": ("Növbələr", "Очередей", "Turns"),
    "hours_of_turns": ("Saat", "Часов", "Hours"),
    "part": ("Suyun payı", "Доля воды", "Share of the water"),
    "agreed": ("Razılaşdırılmış pay", "Доля по договору", "Share agreed"),
    "other_plots": ("daha %d sahə", "ещё участков: %d", "%d more plots"),
    "alarms": ("Xəbərdarlıqlar və təmir", "Тревоги и ремонт", "Alarms and repairs"),
    "kind": ("Növ", "Вид", "Kind"),
    "raised": ("Olub", "Поднято", "Raised"),
    "open": ("Hələ açıq", "Ещё открыто", "Still open"),
    "repaired": ("Təmir sübut olunub", "Ремонт доказан", "Repair proved"),
    "hours": ("Təmirə qədər, saat", "До ремонта, часов", "Hours to repair"),
    "no_alarms": (
        "Bu müddətdə xəbərdarlıq olmayıb. Ölçmə olmayan vaxt haqqında bu heç nə demir.",
        "Тревог за этот срок не было. О времени без измерений это ничего не говорит.",
        "No alarm was raised. That says nothing of the time that was not measured.",
    ),
    "lost": (
        "Xəbərdarlıqlar zamanı itirilən su: %s m³.",
        "За время тревог потеряно: %s м³.",
        "Water lost during alarms: %s m³.",
    ),
    "uptime": (
        "Gəlməli olan ölçmələrin %s hissəsi gəlib.",
        "Получено %s ожидаемых измерений.",
        "%s of the readings that were due are here.",
    ),
    "missing": ("Nə çatmır", "Чего не хватает", "What is missing"),
    "days_missing": (
        "%s: bu günlərdə günün 80 %%-dən azı ölçülüb və həcm yazılmır: %s.",
        "%s: в эти дни измерено меньше 80 %% суток, объём не указан: %s.",
        "%s: on these days less than 80 %% of the time was measured, no volume is told: %s.",
    ),
    "none_missing": (
        "%s: hər gün kifayət qədər ölçülüb.",
        "%s: каждый день измерен достаточно полно.",
        "%s: every day was measured well enough.",
    ),
    "nothing": (
        "Bu müddətdə heç bir su sərfi ölçülməyib.",
        "За этот срок расход воды не измерен.",
        "No flow of water was measured in this time.",
    ),
    "chart": (
        "Gün ərzində m³, %s. Ştrixlənmiş: ölçmə azdır.",
        "м³ в сутки, %s. Штриховка: мало измерений.",
        "m³ a day, %s. Hatched: too few readings.",
    ),
    "provisional": (
        "Ədədlər ilkindir: heç kim onları yoxlayıb təsdiq etməyib.",
        "Числа предварительные: их никто не проверил и не утвердил.",
        "Provisional: nobody has reviewed and approved these numbers.",
    ),
    "approved": (
        "Ədədləri yoxlayıb təsdiq edən: %s, %s.",
        "Числа проверил и утвердил: %s, %s.",
        "Reviewed and approved by %s, %s.",
    ),
    "revised": (
        "Ədədlərin bir hissəsi təsdiq ediləndən sonra dəyişib; yenilərini hələ heç kim təsdiq "
        "etməyib.",
        "Часть чисел изменилась после утверждения; новых ещё никто не утвердил.",
        "Some of these numbers have changed since they were approved; nobody has approved the new "
        "ones yet.",
    ),
    "no_word_on_health": (
        "Hesabat suyun içməyə yararlı olub-olmadığı haqqında heç nə demir. ± 95 % hüdududur "
        "(k = 2).",
        "О пригодности воды для питья отчёт ничего не говорит. ± — границы 95 % (k = 2).",
        "The report says nothing on whether the water can be drunk. ± are bounds of 95 % (k = 2).",
    ),
    "kahriz": ("Kəhriz", "Кяхриз", "Kahriz"),
    "target": ("Hədəf, L/s", "Цель, л/с", "Target, L/s"),
    "reached": ("Hədəfə çatma", "Выполнение", "Of the target"),
    "households": ("Ailələr", "Семьи", "Households"),
    "hectares": ("Hektar", "Гектары", "Hectares"),
    "readings": ("Gələn ölçmələr", "Получено измерений", "Readings here"),
}


def say(key: str, lang: str) -> str:
    """The words of a key; KeyError names a key that is not in the table."""
    return WORDS[key][LANGS.index(lang)]
