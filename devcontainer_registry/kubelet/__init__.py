# SPDX-License-Identifier: MIT
"""
Credentials for the kubelet, which pulls the images of a node.
"""
