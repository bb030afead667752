# SPDX-License-Identifier: MIT
"""
Requests to registries, token servers and proxies.
"""
