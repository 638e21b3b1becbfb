# SPDX-License-Identifier: MIT
"""Days without sun and the winter's margin of each kit, from budget.toml and the energy model."""
