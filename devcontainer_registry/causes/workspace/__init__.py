# SPDX-License-Identifier: MIT
"""
Causes in the files of a workspace.
"""
