# SPDX-License-Identifier: MIT
"""
Variables in devcontainer.json, Dockerfiles and Compose files.
"""
