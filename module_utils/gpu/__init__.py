# SPDX-License-Identifier: Apache-2.0
"""GPUs of a host: what is in it, which driver drives it, what its own tools say."""
