# SPDX-License-Identifier: MIT
"""
Asking the clouds for registry credentials.
"""
