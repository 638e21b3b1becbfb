#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs once, when InfluxDB 2 sets itself up: InfluxQL reaches a bucket through a DBRP mapping only.
set -e
influx v1 dbrp create --db kahriz --rp autogen --default \
  --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" --org "$DOCKER_INFLUXDB_INIT_ORG" \
  --token "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"
