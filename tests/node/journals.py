# SPDX-License-Identifier: MIT
"""A journal that tests fill, damage and ask: an ultrasonic node with a thermometer."""

from places import draw

from kahriz_node import journal, records

LAYOUT = records.Layout([("air", ("c",)), ("weir", ("distance_m", "spread_m", "echoes"))])
BEGIN_S = 1764000000


class Receipt:
    def __init__(self, upto, missing=(), store="c41d0a0b"):
        self.store = store
        self.upto = upto
        self.missing = [list(one) for one in missing]


def opened(root, layout=LAYOUT, **more):
    return journal.Journal(root + "/journal", layout, draw, **more)


def reading(n):
    return {"air": {"c": n - 50}, "weir": {"distance_m": 6000 + n, "spread_m": 12, "echoes": 15}}


def fill(book, count):
    for _ in range(count):
        n = book.next
        assert book.append(records.Stamp(BEGIN_S + 300 * n, records.SYNCED), 1, reading(n)) == n


def held(book, a, b):
    return [item for item in book.rows(a, b) if item[2] is not None]


def gone(book, a, b):
    return [(c, d, word) for c, d, text, word in book.rows(a, b) if text is None]


def small_segments(count=10):
    """Segments of a few records, so that a test sees many."""
    journal.SEGMENT_BYTES = 125 + count * LAYOUT.size


def file_of(root, book, name="00000001"):
    return root + "/journal/" + book.id + "/" + name


def flip(path, at):
    """One bit of a file, counted from its end."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[-at] ^= 1
    with open(path, "wb") as file:
        file.write(data)
