import { faker } from "@faker-js/faker/locale/en";
import { AliasTable, zipfWeights } from "./alias_table.ts";
import { csvField, quotedCsvField } from "./csv_field.ts";
import type { Random } from "./random.ts";

const PRODUCT_COUNT = 2_000;
const USER_COUNT = 10_000;

/** One product in so many has no category, as one forgotten in a real shop. */
const PRODUCTS_PER_UNCATEGORIZED = 100;
/** One product in so many bears an odd name. */
const PRODUCTS_PER_ODD_NAME = 3;
/** One user in so many has an id that a double cannot hold, as ids taken over from elsewhere do. */
const USERS_PER_LARGE_ID = 50;

/** What odd names end in: what CSV must quote, and letters of two, three and four bytes. */
const ODD_ENDINGS = [
  ", large",
  ", set of 2",
  ", 12 x 18 cm, blue",
  ' 5"',
  ' 27", curved',
  ' "Classic"',
  " für Zuhause",
  " señorío",
  " n° 5, édition limitée",
  " – naïve",
  " 日本製",
  " 🎁",
];
/** And what some begin with. */
const ODD_BEGINNINGS = ['"Original" ', "Ølga's ", "½-price "];

/** A product, with its values ready to be copied into a row. */
export interface Product {
  /** Its place in the catalogue, most popular first. */
  readonly rank: number;
  readonly id: Uint8Array;
  readonly name: Uint8Array;
  /** The same name in quotes, needed or not. */
  readonly quotedName: Uint8Array;
  /** Empty if it has none. */
  readonly category: Uint8Array;
  readonly price: Uint8Array;
  readonly priceCents: number;
  /** Place of its category in the catalogue; those without one share a place. */
  readonly shelf: number;
}

export interface User {
  readonly id: Uint8Array;
}

/**
 * What the shop sells and who visits it: everything that Faker makes. It is made once, because
 * Faker takes microseconds a word; rows are then put together from these parts.
 */
export class Catalogue {
  /** Most popular first. */
  readonly products: readonly Product[];
  /** Most active first. */
  readonly users: readonly User[];
  readonly #popularity: AliasTable;
  readonly #activity: AliasTable;
  readonly #shelves: readonly Shelf[];

  /** @param seed a whole number from 0 to 2^53-1; the same seed makes the same catalogue */
  constructor(seed: number) {
    // The one Faker of the process is seeded here and used up before anything else can run.
    faker.seed([seed % 0x1_0000_0000, Math.floor(seed / 0x1_0000_0000)]);
    this.products = makeProducts();
    this.users = makeUsers();
    const weights = zipfWeights(PRODUCT_COUNT, { exponent: 1, offset: 2 });
    this.#popularity = new AliasTable(weights);
    this.#activity = new AliasTable(zipfWeights(USER_COUNT, { exponent: 0.7, offset: 20 }));
    this.#shelves = makeShelves(this.products, weights);
  }

  /** A product as its popularity has it. */
  product(random: Random): Product {
    return this.products[this.#popularity.pick(random)] as Product;
  }

  /** Another product of the same category, or the same again, as their popularity has it. */
  similarProduct(product: Product, random: Random): Product {
    const shelf = this.#shelves[product.shelf] as Shelf;
    return shelf.products[shelf.popularity.pick(random)] as Product;
  }

  user(random: Random): User {
    return this.users[this.#activity.pick(random)] as User;
  }
}

interface Shelf {
  readonly products: readonly Product[];
  readonly popularity: AliasTable;
}

function makeProducts(): Product[] {
  const encoder = new TextEncoder();
  const ids = distinct(PRODUCT_COUNT, () => `${faker.number.int({ min: 10_000, max: 9_999_999 })}`);
  const shelves = new Map<string, number>();
  return ids.map((id, rank) => {
    const name = productName();
    const category = oneIn(PRODUCTS_PER_UNCATEGORIZED) ? "" : faker.commerce.department();
    const shelf = shelves.get(category) ?? shelves.size;
    shelves.set(category, shelf);
    const price = faker.commerce.price({ min: 1, max: 500, dec: 2 });
    return {
      rank,
      id: encoder.encode(id),
      name: encoder.encode(csvField(name)),
      quotedName: encoder.encode(quotedCsvField(name)),
      category: encoder.encode(csvField(category)),
      price: encoder.encode(price),
      priceCents: Math.round(Number(price) * 100),
      shelf,
    };
  });
}

function productName(): string {
  const plain = faker.commerce.productName();
  if (!oneIn(PRODUCTS_PER_ODD_NAME)) return plain;
  const beginning = oneIn(10) ? faker.helpers.arrayElement(ODD_BEGINNINGS) : "";
  return beginning + plain + faker.helpers.arrayElement(ODD_ENDINGS);
}

function makeUsers(): User[] {
  const encoder = new TextEncoder();
  const ids = distinct(
    USER_COUNT,
    (place) =>
      place % USERS_PER_LARGE_ID === USERS_PER_LARGE_ID - 1
        ? `${faker.number.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n })}`
        : `${faker.number.int({ min: 1, max: 9_999_999 })}`,
  );
  return ids.map((id) => ({ id: encoder.encode(id) }));
}

function makeShelves(products: readonly Product[], weights: readonly number[]): Shelf[] {
  const members: Product[][] = [];
  for (const product of products) (members[product.shelf] ??= []).push(product);
  return members.map((shelf) => ({
    products: shelf,
    popularity: new AliasTable(shelf.map((product) => weights[product.rank] as number)),
  }));
}

function oneIn(count: number): boolean {
  return faker.number.int({ min: 1, max: count }) === 1;
}

/** So many different values; for each place, `make` must have far more than that to offer. */
function distinct(count: number, make: (place: number) => string): string[] {
  const values = new Set<string>();
  while (values.size < count) values.add(make(values.size));
  return [...values];
}
