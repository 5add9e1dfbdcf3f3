"""The modes' contract, one test per rule, named by it: ``test_A01_...``. docs/modes tells it to users.

The same suite runs against PyTorch, so that a misread rule shows::

    NUMTENSOR_RULES=torch pytest tests/rules

Tests take names from `nt` of `tests.rules.library`, which is numtensor or torch, and use nothing private but
``_version``, ``_base`` and ``_is_view``. A rule in which numtensor differs on purpose is marked with `differs`.
"""
