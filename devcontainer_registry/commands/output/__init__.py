# SPDX-License-Identifier: MIT
"""
Output of a login, and the layout of lines.
"""
