import { join } from "@std/path";

/** Whom a certificate is for. */
interface CertificateOptions {
  /** The file's name without `.crt`. */
  readonly name: string;
  readonly commonName: string;
  /** Lines of an extension file of `openssl x509`. */
  readonly extensions: string;
}

/** A certificate authority in a folder, made by the `openssl` program. */
export class TestAuthority {
  private constructor(
    readonly folder: string,
    /** Without `.crt`. */
    readonly name: string,
  ) {}

  static async make(folder: string, name: string): Promise<TestAuthority> {
    await openssl(folder, [
      ...["req", "-x509", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.crt`],
      ...["-subj", `/CN=${name}`, "-days", "2"],
      ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    ]);
    return new TestAuthority(folder, name);
  }

  /** An authority that this one stands by. */
  async between(name: string): Promise<TestAuthority> {
    const extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";
    await this.sign({ name, commonName: name, extensions });
    return new TestAuthority(this.folder, name);
  }

  /** Of its own certificate. */
  get path(): string {
    return join(this.folder, `${this.name}.crt`);
  }

  /** @returns paths of the certificate and of its key, which only its owner may read */
  async sign(options: CertificateOptions): Promise<{ certificate: string; key: string }> {
    const { name, commonName, extensions } = options;
    await openssl(this.folder, [
      ...["req", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`],
      ...["-subj", `/CN=${commonName}`],
    ]);
    await Deno.writeTextFile(join(this.folder, `${name}.ext`), `${extensions}\n`);
    await openssl(this.folder, [
      ...["x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, "-days", "2"],
      ...["-CA", `${this.name}.crt`, "-CAkey", `${this.name}.key`, "-CAcreateserial"],
      ...["-extfile", `${name}.ext`],
    ]);
    const key = join(this.folder, `${name}.key`);
    await Deno.chmod(key, 0o600);
    return { certificate: join(this.folder, `${name}.crt`), key };
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Whether there is a program to make certificates with. */
export async function hasOpenssl(): Promise<boolean> {
  try {
    return (await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch {
    return false;
  }
}

/** Runs it in a folder. */
export async function openssl(folder: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd: folder,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}
