# SPDX-License-Identifier: MIT
"""
State of each registry, kept between runs.
"""
