/** From the form that psql takes, with variables, to one with parameters. */

/** `:'since'`, `:pipeline_id`; not `::text`. */
const VARIABLE = /(?<!:):(?:'([a-z_]+)'|([a-z_]+))/g;

/**
 * As psql does it: `:table` stands for a name, and becomes part of the text; `:'table'`, quoted, and
 * any other for a value. Values become parameters of type text, so that no type is guessed:
 * the SQL casts them where psql's literals would have been cast in silence.
 *
 * @param variables.identifiers quoted
 * @throws TypeError if the text has a variable that is not given
 */
export function reportStatement(
  text: string,
  { identifiers, values }: {
    identifiers: Readonly<Record<string, string>>;
    values: Readonly<Record<string, string>>;
  },
): { readonly text: string; readonly parameters: readonly string[] } {
  const names: string[] = [];
  const parameter = (name: string): string => {
    if (!Object.hasOwn(values, name)) throw new TypeError(`there is no variable ${name}`);
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}::text`;
  };
  const replaced = text.replace(VARIABLE, (_, quoted?: string, plain?: string) => {
    if (quoted !== undefined) return parameter(quoted);
    return Object.hasOwn(identifiers, plain!) ? identifiers[plain!]! : `(${parameter(plain!)})`;
  });
  return { text: replaced, parameters: names.map((name) => values[name]!) };
}
