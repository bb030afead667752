# SPDX-License-Identifier: MIT
"""
All words of `causes/`, as the page of codes collects them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from devcontainer_registry.causes.cause import Cause, Fix, Reason

ROOT = Path(__file__).resolve().parent.parent.parent


def _script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CODES = _script(ROOT / "docs" / "codes.py")
WORDS = [words for module in CODES.modules() for words in CODES.words_in(module)]
CAUSES = CODES.of(WORDS, Cause)
FIXES = CODES.of(WORDS, Fix)
REASONS = CODES.of(WORDS, Reason)
