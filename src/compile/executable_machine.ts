import type { Machine } from "./release_target.ts";

const ELF_MACHINES: Readonly<Record<number, Machine>> = { 0x3e: "elf-x64", 0xb7: "elf-arm64" };
const MACH_O_PROCESSORS: Readonly<Record<number, Machine>> = {
  0x0100_0007: "mach-o-x64",
  0x0100_000c: "mach-o-arm64",
};

/**
 * What an executable's header says it runs on; null if it is neither 64-bit ELF nor Mach-O of one
 * of these processors.
 *
 * @see elf(5): e_ident and e_machine; mach-o/loader.h: mach_header_64
 */
export function executableMachine(executable: Uint8Array): Machine | null {
  if (executable.length < 20) return null;
  const header = new DataView(executable.buffer, executable.byteOffset, 20);
  if (header.getUint32(0) === 0x7f454c46 && header.getUint8(4) === 2) {
    return ELF_MACHINES[header.getUint16(18, true)] ?? null;
  }
  if (header.getUint32(0, true) !== 0xfeedfacf) return null;
  return MACH_O_PROCESSORS[header.getUint32(4, true)] ?? null;
}

/**
 * The part of a universal Mach-O file that is for one processor: what the others need is half of
 * macOS's server. Each part has its own signature, which stays good. Other files are given back as
 * they are, and so is a universal file without that part.
 *
 * @see mach-o/fat.h: fat_header and fat_arch, big-endian
 */
export function thinMachO(
  file: Uint8Array<ArrayBuffer>,
  machine: Machine,
): Uint8Array<ArrayBuffer> {
  if (file.length < 8) return file;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  // a Java class has the same first bytes, but then a version above 40 where the count is
  const count = view.getUint32(4);
  if (view.getUint32(0) !== 0xcafebabe || count > 16 || file.length < 8 + 20 * count) return file;
  for (let index = 0; index < count; index++) {
    const entry = 8 + 20 * index;
    if (MACH_O_PROCESSORS[view.getUint32(entry)] !== machine) continue;
    const startByte = view.getUint32(entry + 8);
    return file.subarray(startByte, startByte + view.getUint32(entry + 12));
  }
  return file;
}
