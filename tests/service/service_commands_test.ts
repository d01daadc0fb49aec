import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { ingestCommand } from "../../src/cli/ingest.ts";
import { serviceInstallCommand } from "../../src/cli/service_install.ts";
import { servicePrintCommand } from "../../src/cli/service_print.ts";
import { serviceStatusCommand } from "../../src/cli/service_status.ts";
import { serviceUninstallCommand } from "../../src/cli/service_uninstall.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { installService } from "../../src/service/install_service.ts";
import { refuseUnrunnable } from "../../src/service/service_executable.ts";
import type { Systemd } from "../../src/service/systemd.ts";
import { uninstallService } from "../../src/service/uninstall_service.ts";
import { unitText } from "../../src/service/unit.ts";
import { runCommand } from "../support/run_command.ts";

const EXECUTABLE = "/usr/bin/pgsluice";
const UNIT = "etc/systemd/system/pgsluice@.service";
const SYSUSERS = "etc/sysusers.d/pgsluice.conf";
const CONFIG = "etc/pgsluice/shop.json";

const hasSystemd = await Deno.lstat("/run/systemd/system").then(() => true, () => false);

function rootTest(name: string, run: (root: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const root = await Deno.realPath(await Deno.makeTempDir());
    try {
      await run(root);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** Every file below, in order. */
async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = prefix + entry.name;
    if (entry.isDirectory) paths.push(...await filesBelow(join(folder, entry.name), `${path}/`));
    else paths.push(path);
  }
  return paths.sort();
}

async function install(root: string): Promise<string> {
  const { output } = await runCommand(
    serviceInstallCommand,
    ...["--root", root, "--executable", EXECUTABLE, "--pipeline", "shop"],
  );
  return output;
}

async function uninstall(root: string): Promise<string> {
  return (await runCommand(serviceUninstallCommand, "--root", root)).output;
}

/** A systemd that writes down what it is asked to do, and what was in the root then. */
class AskedSystemd implements Systemd {
  readonly asked: string[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async run(program: string, args: readonly string[]): Promise<string> {
    const unitIsThere = (await filesBelow(this.#root)).includes(UNIT);
    const line = [program, ...args].join(" ").replaceAll(this.#root, "");
    this.asked.push(`${line}${unitIsThere ? "" : " (without the unit)"}`);
    return "";
  }
}

rootTest(
  "installing into a root makes unit, user and configuration; twice changes nothing",
  async (root) => {
    assertEquals(
      await install(root),
      [UNIT, SYSUSERS, CONFIG].map((path) => `wrote ${join(root, path)}\n`).join(""),
    );
    assertEquals(await filesBelow(root), [CONFIG, UNIT, SYSUSERS]);
    assertEquals(
      await Deno.readTextFile(join(root, UNIT)),
      (await runCommand(servicePrintCommand, "--executable", EXECUTABLE)).output,
    );
    const modes = [UNIT, SYSUSERS, CONFIG].map((path) =>
      Deno.statSync(join(root, path)).mode! & 0o777
    );
    assertEquals(modes, [0o644, 0o644, 0o640]);
    assertEquals(await install(root), "everything was there\n");
  },
);

rootTest("the configuration to begin with holds flags of ingest", async (root) => {
  await install(root);
  const keys = Object.keys(JSON.parse(await Deno.readTextFile(join(root, CONFIG))));
  const flags = ingestCommand.flags.map(({ name }) => name);
  assertEquals(keys.filter((key) => !flags.includes(key)), []);
  assertEquals(keys.length, 2);
});

rootTest(
  "installing again brings a new unit, and leaves a configuration as it is",
  async (root) => {
    await install(root);
    await Deno.writeTextFile(join(root, UNIT), "[Service]\n");
    await Deno.writeTextFile(join(root, CONFIG), '{"source": "/srv/shop"}\n');
    assertEquals(await install(root), `wrote ${join(root, UNIT)}\n`);
    assertEquals(await Deno.readTextFile(join(root, UNIT)), unitText({ executable: EXECUTABLE }));
    assertEquals(await Deno.readTextFile(join(root, CONFIG)), '{"source": "/srv/shop"}\n');
  },
);

rootTest("uninstalling removes what installing made, twice is safe", async (root) => {
  await install(root);
  assertEquals(
    await uninstall(root),
    [UNIT, SYSUSERS, CONFIG].map((path) => `removed ${join(root, path)}\n`).join(""),
  );
  assertEquals(await filesBelow(root), []);
  assertEquals(await uninstall(root), "nothing was there\n");
});

rootTest(
  "uninstalling leaves data, journals, drop-ins and changed configurations",
  async (root) => {
    await install(root);
    const kept = [
      "etc/pgsluice/notes.txt",
      CONFIG,
      "etc/systemd/system/pgsluice@shop.service.d/override.conf",
      "var/lib/pgsluice/shop/checkpoints/shop/journal.jsonl",
    ];
    for (const path of kept) {
      await Deno.mkdir(join(root, dirname(path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), "of somebody\n");
    }
    await uninstall(root);
    assertEquals(await filesBelow(root), kept);
  },
);

rootTest("where systemd runs it is told, the user before its configuration", async (root) => {
  const systemd = new AskedSystemd(root);
  await installService({ root, systemd, executable: EXECUTABLE, pipeline: "shop" });
  assertEquals(systemd.asked, ["systemd-sysusers pgsluice.conf", "systemctl daemon-reload"]);
});

rootTest(
  "where systemd runs every service is stopped and disabled before its unit goes",
  async (root) => {
    await install(root);
    const systemd = new AskedSystemd(root);
    await uninstallService({ root, systemd });
    await uninstallService({ root, systemd });
    assertEquals(systemd.asked, [
      "systemctl stop pgsluice@*.service",
      "systemctl disable pgsluice@.service",
      "systemctl daemon-reload (without the unit)",
    ]);
  },
);

rootTest(
  "systemd-sysusers makes the user, whose group then may read the configuration",
  async (root) => {
    const sysusers = await new Deno.Command("systemd-sysusers", { args: ["--version"] }).output()
      .then(({ success }) => success, () => false);
    if (!sysusers || Deno.uid() !== 0) {
      console.log("systemd-sysusers is not here, or not for this user: not tried");
      return;
    }
    await install(root);
    await Deno.remove(join(root, CONFIG));
    const made = await new Deno.Command("systemd-sysusers", {
      args: [`--root=${root}`, "pgsluice.conf"],
    }).output();
    assertEquals(made.code, 0, new TextDecoder().decode(made.stderr));
    const [, , uid, gid, , home, shell] = (await Deno.readTextFile(join(root, "etc/passwd")))
      .trimEnd().split("\n").find((line) => line.startsWith("pgsluice:"))!.split(":");
    assertEquals([Number(uid) < 1000, home, shell], [
      true,
      "/var/lib/pgsluice",
      "/usr/sbin/nologin",
    ]);
    await install(root);
    assertEquals(Deno.statSync(join(root, CONFIG)).gid, Number(gid));
  },
);

Deno.test("a fault of the service's commands says what to do", async (test) => {
  const cases = [
    ["a name that systemd would escape", servicePrintCommand, ["--pipeline", "a b"], "usage"],
    ["a relative program", servicePrintCommand, ["--executable", "a"], "service-executable"],
    ["a quoted program", servicePrintCommand, ["--executable", '/a"b'], "service-executable"],
    ["Deno as the program", serviceInstallCommand, ["--root", "/nowhere"], "service-executable"],
    ...(hasSystemd ? [] : [
      ["status without systemd", serviceStatusCommand, [], "no-systemd"],
      ["uninstall without systemd", serviceUninstallCommand, [], "no-systemd"],
      ["install without systemd", serviceInstallCommand, ["--executable", "/a"], "no-systemd"],
    ] as const),
  ] as const;
  for (const [name, command, args, code] of cases) {
    await test.step(name, async () => {
      const error = await assertRejects(() => runCommand(command, ...args), PgsluiceError);
      assertEquals(error.code, code);
    });
  }
});

rootTest("a root that cannot be written to is said", async (root) => {
  await Deno.writeTextFile(join(root, "etc"), "a file");
  const error = await assertRejects(() => install(root), PgsluiceError);
  assertEquals(error.code, "service-file");
  assertStringIncludes(error.message, join(root, UNIT));
});

rootTest(
  "a program that other users cannot reach, or that does not last, is refused",
  async (root) => {
    const refused = await assertRejects(
      () => refuseUnrunnable(join(root, "pgsluice")),
      PgsluiceError,
    );
    assertEquals(refused.code, "service-executable");
    await refuseUnrunnable(await Deno.realPath("/bin/sh"));
    await assertRejects(() => refuseUnrunnable("/etc/passwd"), PgsluiceError, "is closed to other");
    await assertRejects(() => refuseUnrunnable("/usr/bin/no-pgsluice"), PgsluiceError, "be found");
  },
);
