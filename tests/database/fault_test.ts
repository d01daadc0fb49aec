import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { databaseError, type FaultKind, faultKind, sqlState } from "../../src/database/fault.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

/** As postgres.js makes them of the fields of the server's answer. */
function serverError(code: string, message = "it went wrong"): Error {
  const fields = { code, message, severity: "ERROR" };
  return new postgres.PostgresError(fields as unknown as string);
}

function systemError(code: string): Error {
  return Object.assign(new Error(`something ${code}`), { code });
}

/** Design 4, row by row: what is tried again, what sets a row aside, what stops. */
const STATES: readonly { state: string; kind: FaultKind; inCopy?: FaultKind }[] = [
  { state: "01000", kind: "stop" }, // a warning, which is no error
  { state: "02000", kind: "stop" },
  { state: "03000", kind: "stop" },
  { state: "08000", kind: "retry" },
  { state: "08001", kind: "retry" },
  { state: "08003", kind: "retry" },
  { state: "08006", kind: "retry" },
  { state: "08P01", kind: "retry", inCopy: "stop" },
  { state: "09000", kind: "stop" },
  { state: "0A000", kind: "stop" },
  { state: "21000", kind: "stop" },
  { state: "22000", kind: "reject" },
  { state: "22001", kind: "reject" },
  { state: "22003", kind: "reject" },
  { state: "22008", kind: "reject" },
  { state: "22021", kind: "reject" },
  { state: "22P02", kind: "reject" },
  { state: "22P03", kind: "stop" },
  { state: "22P04", kind: "stop" },
  { state: "22P05", kind: "reject" },
  { state: "23000", kind: "reject" },
  { state: "23502", kind: "reject" },
  { state: "23503", kind: "reject" },
  { state: "23505", kind: "reject" },
  { state: "23514", kind: "reject" },
  { state: "23P01", kind: "reject" },
  { state: "25000", kind: "stop" },
  { state: "25001", kind: "stop" },
  { state: "25006", kind: "retry" },
  { state: "25P02", kind: "stop" },
  { state: "25P03", kind: "retry" },
  { state: "25P04", kind: "retry" },
  { state: "28000", kind: "stop" },
  { state: "28P01", kind: "stop" },
  { state: "34000", kind: "stop" },
  { state: "3D000", kind: "stop" },
  { state: "3F000", kind: "stop" },
  { state: "40000", kind: "retry" },
  { state: "40001", kind: "retry" },
  { state: "40003", kind: "retry" },
  { state: "40P01", kind: "retry" },
  { state: "42501", kind: "stop" },
  { state: "42601", kind: "stop" },
  { state: "42703", kind: "stop" },
  { state: "42804", kind: "stop" },
  { state: "42P01", kind: "stop" },
  { state: "44000", kind: "stop" },
  { state: "53000", kind: "retry" },
  { state: "53100", kind: "retry" },
  { state: "53200", kind: "retry" },
  { state: "53300", kind: "retry" },
  { state: "53400", kind: "retry" },
  { state: "54000", kind: "stop" },
  { state: "55000", kind: "stop" },
  { state: "55006", kind: "stop" },
  { state: "55P03", kind: "retry" },
  { state: "57000", kind: "stop" },
  { state: "57014", kind: "retry" },
  { state: "57P01", kind: "retry" },
  { state: "57P02", kind: "retry" },
  { state: "57P03", kind: "retry" },
  { state: "57P04", kind: "retry" },
  { state: "57P05", kind: "retry" },
  { state: "58000", kind: "stop" },
  { state: "58030", kind: "stop" },
  { state: "F0000", kind: "stop" },
  { state: "HV000", kind: "stop" },
  { state: "P0001", kind: "reject" },
  { state: "P0004", kind: "reject" },
  { state: "XX000", kind: "stop" },
  { state: "XX001", kind: "stop" },
  { state: "XX002", kind: "stop" },
];

for (const { state, kind, inCopy } of STATES) {
  Deno.test(`SQLSTATE ${state} means ${kind}, in COPY ${inCopy ?? kind}`, () => {
    const error = serverError(state);
    assertEquals(sqlState(error), state);
    assertEquals(faultKind(error), kind);
    assertEquals(faultKind(error, { inCopy: true }), inCopy ?? kind);
  });
}

const CONNECTION_CODES = [
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENOENT",
  "ENOTCONN",
  "ENOTFOUND",
  "EPIPE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ETIMEDOUT",
];

for (const code of CONNECTION_CODES) {
  Deno.test(`a connection error ${code} means retry, and has no SQLSTATE`, () => {
    assertEquals(faultKind(systemError(code)), "retry");
    assertEquals(faultKind(systemError(code), { inCopy: true }), "retry");
    assertEquals(sqlState(systemError(code)), undefined);
  });
}

Deno.test("anything else means stop: faults of our own are not to be tried again", () => {
  assertEquals(faultKind(new TypeError("x is not a function")), "stop");
  assertEquals(faultKind(systemError("UNDEFINED_VALUE")), "stop");
  assertEquals(faultKind("text"), "stop");
  assertEquals(faultKind(undefined), "stop");
});

Deno.test("an error for people means what the error it was made from means", () => {
  const error = databaseError(serverError("40001"), "loading");
  assertEquals(error instanceof PgsluiceError, true);
  assertEquals([faultKind(error), sqlState(error)], ["retry", "40001"]);
  assertEquals(faultKind(databaseError(systemError("ECONNREFUSED"), "connecting")), "retry");
  assertEquals(faultKind(new PgsluiceError("table-differs", "no", { hint: "alter it" })), "stop");
});

const MESSAGES: readonly { error: Error; code: string; says: string }[] = [
  {
    error: serverError("28P01", "no"),
    code: "database-login",
    says: "loading: no (SQLSTATE 28P01)",
  },
  { error: serverError("3D000"), code: "database-missing", says: "3D000" },
  { error: serverError("42501"), code: "database-permission", says: "42501" },
  { error: serverError("53100"), code: "database-full", says: "53100" },
  { error: serverError("99999"), code: "database-error", says: "99999" },
  {
    error: systemError("ECONNREFUSED"),
    code: "database-unreachable",
    says: "loading: nothing listens there (connection refused)",
  },
];

for (const { error, code, says } of MESSAGES) {
  Deno.test(`a database error is told to people: ${code}`, () => {
    const told = databaseError(error, "loading");
    assertEquals(told.code, code);
    assertStringIncludes(told.message, says);
    assertStrictEquals(told.cause, error);
    assertEquals(told.hint.length > 0, true);
    assertStrictEquals(databaseError(told, "again"), told);
  });
}
