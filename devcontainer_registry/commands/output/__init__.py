# SPDX-License-Identifier: MIT
"""
What commands print while they run, and how lines are laid out.
"""
