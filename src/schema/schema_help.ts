import { PROVENANCE_COLUMNS, type Schema, type SourceColumn } from "./schema.ts";

/** The names in the header of a CSV that has every column of the schema, in order. */
export function csvHeader(schema: Schema): string[] {
  return schema.columns.map(({ name }) => name);
}

/** The schema as a table of plain text for `--help`: column, type, rule. Lines end in newlines. */
export function schemaHelp(schema: Schema): string {
  const rows = [
    ...schema.columns.map((column) => [column.name, typeText(column), ruleText(column, schema)]),
    ...schema.derived.map(({ name, type, description, from }) => [
      name,
      type,
      `made from ${from}: ${description}`,
    ]),
    ...PROVENANCE_COLUMNS.map(({ name, type, description }) => [name, type, description]),
  ];
  const widths = [0, 1].map((index) => Math.max(...rows.map((row) => row[index]!.length)));
  const lines = rows.map(([name, type, rule]) =>
    `  ${name!.padEnd(widths[0]!)}  ${type!.padEnd(widths[1]!)}  ${rule}\n`
  );
  return `Columns of ${schema.table}; a CSV may have them in any order:\n${lines.join("")}`;
}

function typeText(column: SourceColumn): string {
  return column.type === "numeric" ? `numeric(${column.precision},${column.scale})` : column.type;
}

function ruleText(column: SourceColumn, schema: Schema): string {
  const facts = [column.description];
  if (column.name === schema.key) facts.push("the key");
  if (column.presence === "required") facts.push("required");
  if (column.type === "text" && column.allowed !== undefined) {
    facts.push(`one of ${column.allowed.join(", ")}`);
  }
  if ("minimum" in column && column.minimum !== undefined) facts.push(`>= ${column.minimum}`);
  if ("default" in column && column.default !== undefined) facts.push(`default ${column.default}`);
  if (column.aliases !== undefined) facts.push(`also named ${column.aliases.join(", ")}`);
  return facts.join("; ");
}
