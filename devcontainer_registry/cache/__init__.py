# SPDX-License-Identifier: MIT
"""
What is remembered of each registry between runs.
"""
