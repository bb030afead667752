# SPDX-License-Identifier: MIT
"""
The command `run`: private logins around a child process.
"""
