# SPDX-License-Identifier: MIT
"""A later step of village.db: a zero that was calibrated at two depths has a span of its own."""

TWO_DEPTHS = """
ALTER TABLE zero ADD COLUMN span_m REAL;
ALTER TABLE zero ADD COLUMN u_span_m REAL;
ALTER TABLE zero ADD COLUMN pivot_ma REAL;
"""
