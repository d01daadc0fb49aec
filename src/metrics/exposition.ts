import { Registry } from "prom-client";

export interface Exposed {
  readonly contentType: string;
  readonly text: string;
}

/**
 * The metrics of a registry as text, in the format that is asked for.
 *
 * prom-client 15.1.3 has one format a registry, and takes `_total` off the counters' names for good
 * when it writes OpenMetrics. So there are two registries, and the second one has views of the
 * first one's metrics: objects that inherit everything and have at most a name of their own.
 */
export class Exposition {
  readonly #plain: Registry;
  readonly #open = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();

  /** @param registry complete: what is added later is not exposed as OpenMetrics */
  constructor(registry: Registry, labels: Readonly<Record<string, string>>) {
    this.#plain = registry;
    this.#open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const { name } of registry.getMetricsAsArray()) {
      this.#open.registerMetric(viewOf(registry.getSingleMetric(name)!));
    }
    registry.setDefaultLabels(labels);
    this.#open.setDefaultLabels(labels);
  }

  /** @param accept the header of the request */
  async expose(accept: string | null): Promise<Exposed> {
    const registry = prefersOpenMetrics(accept) ? this.#open : this.#plain;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }
}

/** True if OpenMetrics is named, and no less liked than plain text. */
export function prefersOpenMetrics(accept: string | null): boolean {
  const openMetrics = quality(accept, "application/openmetrics-text");
  return openMetrics > 0 && openMetrics >= quality(accept, "text/plain");
}

/** From 0 to 1, of the variant that is liked best; 0 if the type is not named. */
function quality(accept: string | null, mediaType: string): number {
  const qualities = (accept ?? "").toLowerCase().split(",").map((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    if (type !== mediaType) return 0;
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    return q === undefined ? 1 : Number(q.slice(2)) || 0;
  });
  return Math.max(...qualities);
}

function viewOf<Viewed extends object>(viewed: Viewed): Viewed {
  return Object.create(viewed);
}
