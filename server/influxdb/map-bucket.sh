#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs once, when InfluxDB 2 sets itself up: makes the bucket of the hours beside that of the values,
# and maps both, because InfluxQL reaches a bucket through a DBRP mapping only.
set -e
org=$DOCKER_INFLUXDB_INIT_ORG
token=$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN
values=$DOCKER_INFLUXDB_INIT_BUCKET
map() {
  influx v1 dbrp create --db "$1" --rp autogen --default --bucket-id "$2" --org "$org" --token "$token"
}
map "$values" "$DOCKER_INFLUXDB_INIT_BUCKET_ID"
hours=$(influx bucket create --name "${values}_1h" --retention 0 --org "$org" --token "$token" \
  --hide-headers | cut -f 1)
map "${values}_1h" "$hours"
