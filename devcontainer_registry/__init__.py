# SPDX-License-Identifier: MIT
"""
devcontainer-registry.
"""
