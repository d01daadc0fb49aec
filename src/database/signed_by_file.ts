import { X509Certificate } from "node:crypto";

/**
 * Whether a certificate is one of a PEM file or was signed by one of it, with no other authority in
 * between.
 *
 * Deno adds the authorities it is given to those it trusts by itself. Where the name is looked at,
 * too, that is the trust of every web browser; where it is not, as with `verify-ca`, anybody with a
 * certificate of any name would do. Of the server's chain Deno shows the last certificate alone.
 *
 * @param certificate In DER; that its dates hold is for the handshake to see.
 */
export function isSignedByFile(certificate: Uint8Array, authorities: string): boolean {
  const shown = new X509Certificate(certificate);
  const blocks = authorities.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g);
  return (blocks ?? []).some((block) => {
    const authority = new X509Certificate(block);
    return authority.fingerprint256 === shown.fingerprint256 || hasSigned(authority, shown);
  });
}

/** Some kinds of signatures Deno cannot check here: then it is not known, which is no. */
function hasSigned(authority: X509Certificate, shown: X509Certificate): boolean {
  try {
    return shown.checkIssued(authority) && shown.verify(authority.publicKey);
  } catch {
    return false;
  }
}
