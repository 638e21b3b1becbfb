# SPDX-License-Identifier: MIT
"""`kahriz server setup`: what InfluxDB 2 and Grafana need, made once, found again the next time."""
