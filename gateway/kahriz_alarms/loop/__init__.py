# SPDX-License-Identifier: MIT
"""The alarm loop over a store: the book of alarms, its post, who is asked, who answered.

A village's gateway and an office's server run the same one. What only a village knows (water,
proof, storms) it adds by the methods that `Keeper` and the others leave open.
"""
