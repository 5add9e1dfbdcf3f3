"""Start-up: what importing numtensor adds to importing NumPy."""


def timeraw_import():
    return "import numtensor", "import numpy"


timeraw_import.repeat = 3
timeraw_import.number = 1
