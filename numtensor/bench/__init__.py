"""Numtensor beside what people would pick instead: rows, contestants, timing, report.

``rows_<group>.py`` declare what is measured, ``contestants.py`` who takes part, ``runner.py`` compares and times,
``report.py`` writes tables. ``numtensor bench`` is the command; nothing else of numtensor imports this package.
"""
