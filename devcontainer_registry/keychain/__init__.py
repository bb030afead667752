# SPDX-License-Identifier: MIT
"""
The credential that docker would send.
"""
