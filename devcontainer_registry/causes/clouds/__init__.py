# SPDX-License-Identifier: MIT
"""
Causes in the clouds, one module for each.
"""
