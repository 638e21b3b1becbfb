// SPDX-License-Identifier: MIT
// A dashboard as we write it: Grafana's own schema, with options and custom fields by kind of panel.
// What the schema leaves open (Record<string, unknown>) is closed here, so that a misspelt name fails.
import type {
  AnnotationQuery, Dashboard, DataTransformerConfig, FieldConfig, GraphFieldConfig,
  HideableFieldConfig, Panel, TableFieldOptions, VariableModel,
} from '@grafana/schema';
import type { Options as Gauges } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as Geomap } from '@grafana/schema/dist/esm/raw/composable/geomap/panelcfg/x/GeomapPanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TimelineField, Options as Timeline,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as Table } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as Text } from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type { Options as Lines } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has the values of an enum, not its names; options may be left out at every depth.
type Written<T> = T extends string ? `${T}`
  : T extends (infer Each)[] ? Written<Each>[]
  : T extends object ? { [Name in keyof T]?: Written<T[Name]> }
  : T;

type Source = { type: 'influxdb'; uid: string };

// Of the InfluxDB data source, which is no part of the schema: public/app/plugins/datasource/influxdb/types.ts
interface InfluxQuery {
  refId: string;
  datasource: Source;
  query: string;
  rawQuery: true;
  resultFormat: 'time_series' | 'table' | 'logs';
  alias?: string;
}

interface InfluxMarks extends Omit<InfluxQuery, 'resultFormat'> {
  fromAnnotations: true;
  textColumn: string;
  tagsColumn: string;
  titleColumn: string;
  timeEndColumn: string;
}

type Dotted<T> = { [Name in keyof T & string]: { id: `custom.${Name}`; value: Written<T[Name]> } }[keyof T & string];
type Plain = Omit<FieldConfig, 'custom'>;
type Standard = { [Name in keyof Plain & string]: { id: Name; value: Written<Plain[Name]> } }[keyof Plain & string];

interface Override<Custom> {
  matcher: { id: 'byName' | 'byRegexp' | 'byType' | 'byFrameRefID' | 'numeric'; options: string };
  properties: (Standard | Dotted<Custom>)[];
}

interface Fields<Custom> {
  defaults: Written<Plain> & { custom?: Written<Custom> };
  overrides: Override<Custom>[];
}

interface Kind<Type extends string, Options, Custom>
  extends Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'datasource' | 'transformations'> {
  type: Type;
  id: number;
  title: string;
  datasource?: Source;
  targets: InfluxQuery[];
  options: Written<Options>;
  fieldConfig: Fields<Custom>;
  transformations?: JoinByField[];
}

interface JoinByField extends DataTransformerConfig<{ byField: string; mode: 'outer' | 'inner' | 'outerTabular' }> {
  id: 'joinByField';
}

interface Hidden { hidden?: boolean } // of tables in Grafana 10 to 12; 13 reads hideFrom

export type AnyPanel =
  | Kind<'timeseries', Lines, GraphFieldConfig>
  | Kind<'stat', Stat, Record<never, never>>
  | Kind<'table', Table, TableFieldOptions & Hidden>
  | Kind<'state-timeline', Timeline, TimelineField>
  | Kind<'bargauge', Gauges, Record<never, never>>
  | Kind<'geomap', Geomap, HideableFieldConfig>
  | Kind<'text', Text, Record<never, never>>;

interface Variable extends Omit<Written<VariableModel>, 'datasource' | 'current'> {
  name: string;
  datasource: Source;
  query: string;
  definition: string;
  current: { selected?: true; text?: string[]; value?: string[] };
}

interface Marks extends Omit<AnnotationQuery, 'target' | 'datasource'> {
  datasource: Source;
  target: InfluxMarks;
  query: string; // before Grafana 8, and still read there
  textColumn: string;
  tagsColumn: string;
  titleColumn: string;
  timeEndColumn: string;
}

export interface Board
  extends Omit<Written<Dashboard>, 'panels' | 'templating' | 'annotations' | 'schemaVersion'> {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: AnyPanel[];
  templating: { list: Variable[] };
  annotations: { list: Marks[] };
}
