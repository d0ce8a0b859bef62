# SPDX-License-Identifier: Apache-2.0
"""What a Linux host has and does, whoever brought it: read, and nothing of it changed."""
