# SPDX-License-Identifier: MIT
"""
The command line: commands, options, settings, and what was probably meant.
"""
