// Verifies an attestation with a JOSE library that is not ours.
//
//   node verify_jws.mjs FILE JWKS
//
// FILE holds one compact JWS, JWKS the public keys. Prints header and payload and exits 0 when a key
// of the set signed it with an asymmetric algorithm; otherwise says why and exits 1.
// The library lies in PASSMUSTER_TEST_NODE_DIR, by default .test/node of this checkout.

import { webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // Node 18 has it, but not as a global

const here = dirname(fileURLToPath(import.meta.url));
const packages = process.env.PASSMUSTER_TEST_NODE_DIR ?? join(here, "..", "..", ".test", "node");
const jose = await import(pathToFileURL(createRequire(join(packages, "package.json")).resolve("jose")));

// Nothing symmetric: a public key must never pass for a shared secret.
const algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"];

const [file, keys] = process.argv.slice(2);
if (!file || !keys) {
  console.error("usage: node verify_jws.mjs FILE JWKS");
  process.exit(2);
}

try {
  const jws = (await readFile(file, "utf8")).trim();
  const keySet = jose.createLocalJWKSet(JSON.parse(await readFile(keys, "utf8")));
  const { protectedHeader, payload } = await jose.compactVerify(jws, keySet, { algorithms });
  console.error(`verified: ${protectedHeader.alg}, key ${protectedHeader.kid ?? "(unnamed)"}`);
  console.log(JSON.stringify(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)), null, 2));
} catch (error) {
  console.error(`not verified: ${error.code ?? error.name}: ${error.message}`);
  process.exit(1);
}
