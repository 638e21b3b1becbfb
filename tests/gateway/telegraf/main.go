// SPDX-License-Identifier: MIT
// Reads one MQTT payload on stdin with Telegraf's own json parser; prints time and fields of each metric.
package main

import (
	stdjson "encoding/json"
	"io"
	"os"

	"github.com/influxdata/telegraf/plugins/parsers/json"
)

type config struct {
	Name         string   `json:"name_override"`
	TimeKey      string   `json:"json_time_key"`
	TimeFormat   string   `json:"json_time_format"`
	StringFields []string `json:"json_string_fields"`
	Strict       bool     `json:"json_strict"`
}

func main() {
	var c config
	if err := stdjson.Unmarshal([]byte(os.Args[1]), &c); err != nil {
		panic(err)
	}
	parser := &json.Parser{MetricName: c.Name, TimeKey: c.TimeKey, TimeFormat: c.TimeFormat, StringFields: c.StringFields, Strict: c.Strict}
	if err := parser.Init(); err != nil {
		panic(err)
	}
	payload, _ := io.ReadAll(os.Stdin)
	metrics, err := parser.Parse(payload)
	if err != nil {
		panic(err)
	}
	out := []map[string]any{}
	for _, m := range metrics {
		out = append(out, map[string]any{"name": m.Name(), "ms": m.Time().UnixMilli(), "fields": m.Fields()})
	}
	stdjson.NewEncoder(os.Stdout).Encode(out)
}
