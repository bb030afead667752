# SPDX-License-Identifier: MIT
"""
Causes of trouble on the nodes of a Kubernetes cluster.
"""
