# SPDX-License-Identifier: MIT
"""
Logging in: decide, ask, write, renew.
"""
