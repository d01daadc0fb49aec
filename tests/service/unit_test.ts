import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { unitText } from "../../src/service/unit.ts";

/** Of ten; 1.5 with systemd 252. What is left is what the unit's last comment says. */
const MOST_EXPOSURE = 1.9;

const analyzer = await new Deno.Command("systemd-analyze", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);
if (!analyzer) console.log("systemd-analyze is not here: the unit is not checked by it");

/** The unit as it is installed, for one pipeline, with a program that is there. */
async function withUnit(
  executableName: string,
  use: (unitPath: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    const executable = join(directory, executableName);
    await Deno.writeTextFile(executable, "#!/bin/sh\n", { mode: 0o755 });
    for (const name of ["pgsluice@.service", "pgsluice@shop.service"]) {
      await Deno.writeTextFile(join(directory, name), unitText({ executable }));
    }
    await use(join(directory, "pgsluice@shop.service"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What systemd-analyze has to say, and its exit code. */
async function analyze(...args: readonly string[]): Promise<{ code: number; said: string }> {
  const { code, stderr } = await new Deno.Command("systemd-analyze", { args: [...args] }).output();
  return { code, said: new TextDecoder().decode(stderr) };
}

for (const name of ["pgsluice", "of two words, 100% %i"]) {
  Deno.test({
    name: `systemd finds nothing to warn of in a unit with the program ${name}`,
    ignore: !analyzer,
    fn: async () => {
      await withUnit(name, async (path) => {
        assertEquals(await analyze("verify", path), { code: 0, said: "" });
      });
    },
  });
}

Deno.test({
  name: "systemd warns of a unit whose program is not there",
  ignore: !analyzer,
  fn: async () => {
    await withUnit("pgsluice", async (path) => {
      await Deno.writeTextFile(path, unitText({ executable: "/nowhere/pgsluice" }));
      const { code, said } = await analyze("verify", path);
      assertEquals([code === 0, said.includes("/nowhere/pgsluice")], [false, true]);
    });
  },
});

Deno.test({
  name: "the unit's exposure is low, as systemd-analyze security counts",
  ignore: !analyzer,
  fn: async () => {
    await withUnit("pgsluice", async (path) => {
      const threshold = `--threshold=${MOST_EXPOSURE * 10}`;
      const { code, said } = await analyze("security", "--offline=true", threshold, path);
      assertEquals({ code, said }, { code: 0, said: "" });
    });
  },
});

Deno.test("a pipeline's name is filled in wherever the template has it", () => {
  const template = unitText({ executable: "/usr/bin/pgsluice" });
  const filled = unitText({ executable: "/usr/bin/pgsluice", pipeline: "shop" });
  assertEquals(filled, template.replaceAll("%i", "shop"));
  assertEquals(
    filled.split("\n").find((line) => line.startsWith("ExecStart=")),
    "ExecStart=/usr/bin/pgsluice ingest --config /etc/pgsluice/shop.json --pipeline shop",
  );
});
