#!/usr/bin/env node
// Seals an SMS for a gateway: what a client in JavaScript needs to do, with the Web Crypto interface alone. seal() and
// what stands above it run as they are in a browser, in Node.js from 18 on, in Deno and in workers.
//
//     seal.mjs --jwks gateway.jwks --tenant demo --key visit-17 --to +255123456789 --sender CLINIC --text "Come on Monday"
//
// The envelope is the payload of the SMS that is then scheduled under the same tenant and key.

const utf8 = new TextEncoder();

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

function number32(value) {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 0xff));
}

// ECDH-ES: a fresh key pair for this envelope; its public half travels in the header, the content key does not.
async function agree(crypto, jwk, header) {
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  const gateway = await crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y }, curve, false, []);
  const ephemeral = await crypto.subtle.generateKey(curve, true, ['deriveBits']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', ephemeral.publicKey);
  header.epk = { kty, crv, x, y };
  const agreed = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: gateway }, ephemeral.privateKey, 256));
  // One round of the Concat KDF: the algorithm, who seals (nobody says), who opens (nobody says), the length in bits.
  const about = concat(number32(1), agreed, number32(7), utf8.encode('A256GCM'), number32(0), number32(0), number32(256));
  return [new Uint8Array(await crypto.subtle.digest('SHA-256', about)), new Uint8Array()];
}

// RSA-OAEP-256: a random content key, sealed for the gateway's.
async function wrap(crypto, jwk) {
  const oaep = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const gateway = await crypto.subtle.importKey('jwk', { kty: 'RSA', n: jwk.n, e: jwk.e }, oaep, false, ['encrypt']);
  const contentKey = crypto.getRandomValues(new Uint8Array(32));
  return [contentKey, new Uint8Array(await crypto.subtle.encrypt(oaep, gateway, contentKey))];
}

// JWE compact. It opens for the SMS of this tenant and key alone.
export async function seal(crypto, jwk, { tenant, key = '', to, sender = '', text }) {
  const isEc = jwk.kty === 'EC';
  const header = { alg: isEc ? 'ECDH-ES' : 'RSA-OAEP-256', enc: 'A256GCM', typ: 'sms+jwe', kid: jwk.kid, sub: `${tenant}/${key}` };
  const [contentKey, encryptedKey] = isEc ? await agree(crypto, jwk, header) : await wrap(crypto, jwk);
  const protectedHeader = base64url(utf8.encode(JSON.stringify(header)));
  const sms = utf8.encode(`To: ${to}\n${sender ? `Sender: ${sender}\n` : ''}\n${text}`);
  const plain = new Uint8Array(Math.ceil(sms.length / 64) * 64);  // so that its length tells less
  plain.set(sms);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const aes = await crypto.subtle.importKey('raw', contentKey, 'AES-GCM', false, ['encrypt']);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8.encode(protectedHeader) }, aes, plain));
  return [protectedHeader, base64url(encryptedKey), base64url(iv), base64url(sealed.slice(0, -16)), base64url(sealed.slice(-16))].join('.');
}

// Of a JWK, or of a JWK Set the first that we can seal for: a set may hold keys of other kinds, now or later.
export function firstKey(told) {
  const jwk = (told?.keys ?? [told]).find((one) => (one?.use ?? 'enc') === 'enc' && one?.kid && (one.kty === 'RSA' || one.crv === 'P-256'));
  if (!jwk) throw new Error('there is no key that can be sealed for');
  return jwk;
}

// From a shell, with Node.js.
if (typeof process !== 'undefined' && process.argv[1]?.endsWith('seal.mjs')) {
  const { parseArgs } = await import('node:util');
  const { readFileSync } = await import('node:fs');
  const { webcrypto } = await import('node:crypto');
  const string = { type: 'string' };
  const refuse = (why) => { console.error(`seal.mjs: ${why}`); process.exit(1); };
  const published = (file) => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      return refuse(`${file} is no JWK and no JWK Set; smsflow jwks makes one of a PEM`);
    }
  };
  try {
    const { values } = parseArgs({ options: { jwks: string, tenant: string, key: string, to: string, sender: string, text: string } });
    for (const flag of ['jwks', 'tenant', 'to', 'text']) if (!values[flag]) refuse(`--${flag} is needed`);
    console.log(await seal(webcrypto, firstKey(published(values.jwks)), values));
  } catch (error) {
    refuse(error.message);
  }
}
