# SPDX-License-Identifier: MIT
"""
Causes of trouble in words, one module for each step.
"""
