# SPDX-License-Identifier: MIT
"""Every text of the page, read from its Python and its templates as Babel reads them."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

import kahriz_gateway.page

PAGE = Path(kahriz_gateway.page.__file__).parent
KEYWORDS = {
    "_": None,
    "text": None,
    "mark": None,
    "ngettext": (1, 2),
    "plural": (1, 2),
}


def texts() -> Catalog:
    """The catalogue as it should be: all messages, nothing translated."""
    catalogue = Catalog()
    found = extract_from_dir(
        PAGE,
        [("**.py", "python"), ("templates/**.html", "jinja2")],
        {"templates/**.html": {"trimmed": "true"}},
        keywords=KEYWORDS,
    )
    for _file, _line, message, _comments, _context in found:
        catalogue.add(message)
    return catalogue


if __name__ == "__main__":
    for message in texts():
        if message.id:
            print(repr(message.id))
