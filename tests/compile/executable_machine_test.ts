import { assertEquals } from "@std/assert";
import { executableMachine, thinMachO } from "../../src/compile/executable_machine.ts";

/** A header of 64 bytes with 32-bit words at some places. */
function header(words: Readonly<Record<number, number>>, littleEndian: boolean) {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  for (const [byte, word] of Object.entries(words)) {
    view.setUint32(Number(byte), word, littleEndian);
  }
  return bytes;
}

Deno.test("an executable's header says what it runs on", () => {
  const elf = 0x464c457f;
  const machO = 0xfeedfacf;
  for (
    const [words, machine] of [
      [{ 0: elf, 4: 0x10102, 16: 0x3e0003 }, "elf-x64"],
      [{ 0: elf, 4: 0x10102, 16: 0xb70003 }, "elf-arm64"],
      [{ 0: elf, 4: 0x10102, 16: 0xf30003 }, null], // RISC-V
      [{ 0: elf, 4: 0x10101, 16: 0x3e0003 }, null], // 32 bits
      [{ 0: machO, 4: 0x0100_0007 }, "mach-o-x64"],
      [{ 0: machO, 4: 0x0100_000c }, "mach-o-arm64"],
      [{ 0: 0x00905a4d }, null], // Windows
    ] as const
  ) assertEquals(executableMachine(header(words, true)), machine);
  assertEquals(executableMachine(new Uint8Array(4)), null);
});

Deno.test("of a universal macOS file only the part for one processor is taken", () => {
  const file = header({
    0: 0xcafebabe,
    4: 2,
    8: 0x0100_0007,
    16: 50,
    20: 4,
    28: 0x0100_000c,
    36: 54,
    40: 6,
  }, false);
  file.fill(7, 50, 54).fill(9, 54, 60);
  assertEquals(thinMachO(file, "mach-o-x64"), new Uint8Array(4).fill(7));
  assertEquals(thinMachO(file, "mach-o-arm64"), new Uint8Array(6).fill(9));
  assertEquals(thinMachO(file, "elf-x64"), file);
  const java = header({ 0: 0xcafebabe, 4: 61 }, false);
  assertEquals(thinMachO(java, "mach-o-x64"), java);
  assertEquals(thinMachO(new Uint8Array(3), "mach-o-x64"), new Uint8Array(3));
});
