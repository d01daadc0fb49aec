/** A strict reader of what Prometheus reads: it throws where a scrape would fail, or warn. */

export interface Exposition {
  /** By name and sorted labels, as in `pgsluice_rejects_total{code="x",pipeline="default"}`. */
  readonly values: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, string>;
}

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,(?=[a-zA-Z_])|(?=\}))/;
const VALUE = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
/** What the names of a family's samples may end in, by type. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

export function parseExposition(
  text: string,
  { isOpenMetrics }: { isOpenMetrics: boolean },
): Exposition {
  if (!text.endsWith("\n")) throw new Error("the last line is cut short");
  const lines = text.slice(0, -1).split("\n");
  if (isOpenMetrics && lines.pop() !== "# EOF") throw new Error("# EOF is not the last line");
  if (isOpenMetrics && lines.includes("")) throw new Error("an empty line");
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  const samples: Sample[] = [];
  let family: { name: string; helped: string } | null = null;
  let helped: string | null = null;
  for (const line of lines.filter((each) => each !== "")) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment?.[1] === "HELP") {
      helped = comment[2]!;
    } else if (comment !== null) {
      const [, , name, type] = comment;
      if (helped !== name) throw new Error(`no help of ${name}`);
      if (types.has(name!)) throw new Error(`${name} comes twice`);
      if (!(type! in SUFFIXES)) throw new Error(`${name} is a ${type}`);
      // plain text names the samples' family by the samples' name
      if (!isOpenMetrics && type === "counter" && !name!.endsWith("_total")) {
        throw new Error(`the counter ${name} does not end in _total`);
      }
      types.set(name!, type!);
      family = { name: name!, helped };
    } else {
      const sample = parseSample(line);
      if (family === null) throw new Error(`${sample.name} has no type`);
      checkName(sample, { family: family.name, type: types.get(family.name)!, isOpenMetrics });
      const key = keyOf(sample);
      if (values.has(key)) throw new Error(`${key} comes twice`);
      values.set(key, sample.value);
      samples.push(sample);
    }
  }
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, samples);
  return { values, types };
}

function parseSample(line: string): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  let rest = line.slice(name.length);
  const labels = new Map<string, string>();
  if (rest.startsWith("{")) {
    rest = rest.slice(1);
    for (let label; (label = LABEL.exec(rest)) !== null; rest = rest.slice(label[0].length)) {
      if (labels.has(label[1]!)) throw new Error(`a label twice: ${line}`);
      labels.set(label[1]!, label[2]!);
    }
    if (!rest.startsWith("}")) throw new Error(`not labels: ${line}`);
    rest = rest.slice(1);
  }
  if (!rest.startsWith(" ") || !VALUE.test(rest.slice(1))) throw new Error(`no value: ${line}`);
  const value = rest.slice(1).replace("Inf", "Infinity");
  return { name, labels, value: Number(value) };
}

function checkName(
  { name, value }: Sample,
  { family, type, isOpenMetrics }: { family: string; type: string; isOpenMetrics: boolean },
): void {
  const base = type === "counter" && !isOpenMetrics ? family.slice(0, -"_total".length) : family;
  if (!SUFFIXES[type]!.some((suffix) => base + suffix === name)) {
    throw new Error(`${name} is not of the ${type} ${family}`);
  }
  if (type !== "gauge" && !(value >= 0)) throw new Error(`${name} is ${value}`);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number(labels.get("le")!.replace("Inf", "Infinity")));
  const counts = buckets.map(({ value }) => value);
  const isAscending = (numbers: readonly number[]) =>
    numbers.every((number, index) => index === 0 || numbers[index - 1]! <= number);
  if (!isAscending(bounds) || !isAscending(counts)) throw new Error(`the buckets of ${name}`);
  const count = samples.find((sample) => sample.name === `${name}_count`)?.value;
  if (bounds.at(-1) !== Infinity || counts.at(-1) !== count) throw new Error(`${name} has no +Inf`);
  if (!samples.some((sample) => sample.name === `${name}_sum`)) {
    throw new Error(`${name} has no sum`);
  }
}

function keyOf({ name, labels }: Sample): string {
  const parts = [...labels].sort(([one], [other]) => one < other ? -1 : 1)
    .map(([label, value]) => `${label}="${value}"`);
  return parts.length === 0 ? name : `${name}{${parts.join(",")}}`;
}
