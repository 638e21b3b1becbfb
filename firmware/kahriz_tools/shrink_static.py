# SPDX-License-Identifier: MIT
"""Names that every MicroPython has in its own program memory; a part of shrink.py.

A file of .mpy says one of them with a byte or two, and no chip makes room for it when it loads the
file. They are the static names of mpy version 6 (py/makeqstrdata.py, static_qstr_list) without
Python's syntax, dunder names and errors.
"""

# Free for a variable where the program has none of that name.
STATIC = """
self args key value items index count step stop sep end little bytecode const main keys values
update upper lower split strip join get send throw copy clear append extend find from_bytes to_bytes
insert isalpha isdigit islower isspace isupper lstrip rstrip pop popitem readline remove replace
reverse rfind rindex rsplit setdefault sort startswith endswith start close readinto read write
builtins micropython
""".split()  # noqa: SIM905 - reads better

# Free for what has a dot before it.
BUILTINS = """
abs all any bool bytearray bytes callable chr classmethod dict dir divmod eval exec format getattr
globals hasattr hash id int isinstance issubclass iter len list locals map next object open ord pow
print range repr round set setattr sorted staticmethod str sum super tuple type zip
""".split()  # noqa: SIM905

# In the program memory too, with the modules math and re; a file says them in full.
OTHERS = """
e pi sin cos tan exp log tau real imag sqrt fabs ceil erf fmod acos asin atan cosh sinh tanh gamma
floor trunc modf ldexp frexp log2 sub add group match search union seed
""".split()  # noqa: SIM905
