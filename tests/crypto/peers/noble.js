// noble.js SMSFLOW: what smsflow seals opens here, and what is sealed here smsflow opens, in all three formats. Curve,
// ciphers and hashes are of the @noble packages, RSA is BigInt: nothing of it is OpenSSL's, so a mistake that smsflow made
// in sealing and again in opening shows.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { p256 } = require('@noble/curves/nist');
const { gcm, cfb } = require('@noble/ciphers/aes');
const { sha256 } = require('@noble/hashes/sha2');
const { md5 } = require('@noble/hashes/legacy');
const { randomBytes, concatBytes, utf8ToBytes } = require('@noble/hashes/utils');

const smsflow = path.resolve(process.argv[2]);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'smsflow-noble-'));
const PASSWORD = 'only for this test';
const TEXT = 'Come on Monday, \u00fc \u6f22\u5b57 \u{1F600}';
const SMS = `To: +255123456789\nSender: CLINIC\n\n${TEXT}`;

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
const fromBase64url = (text) => new Uint8Array(Buffer.from(text, 'base64url'));
const u32 = (value) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 0xff));
const toNumber = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
const toBytes = (number, size) => new Uint8Array(Buffer.from(number.toString(16).padStart(size * 2, '0'), 'hex'));

// --- RSA-OAEP with SHA-256 (RFC 8017, section 7.1), on BigInt

function power(base, exponent, modulus) {
  let result = 1n;
  for (base %= modulus; exponent > 0n; exponent >>= 1n, base = base * base % modulus) {
    if (exponent & 1n) result = result * base % modulus;
  }
  return result;
}

function mask(seed, size) {
  const blocks = [];
  for (let counter = 0; counter * 32 < size; ++counter) blocks.push(sha256(concatBytes(seed, u32(counter))));
  return concatBytes(...blocks).slice(0, size);
}

const xor = (a, b) => a.map((byte, i) => byte ^ b[i]);

function wrap({ n, e }, key) {
  const size = n.length;
  const seed = randomBytes(32);
  const data = concatBytes(sha256(new Uint8Array()), new Uint8Array(size - 66 - key.length), new Uint8Array([1]), key);
  const maskedData = xor(data, mask(seed, data.length));
  const maskedSeed = xor(seed, mask(maskedData, 32));
  const padded = concatBytes(new Uint8Array([0]), maskedSeed, maskedData);
  return toBytes(power(toNumber(padded), toNumber(e), toNumber(n)), size);
}

function unwrap({ n, d }, wrapped) {
  const size = n.length;
  const padded = toBytes(power(toNumber(wrapped), toNumber(d), toNumber(n)), size);
  const seed = xor(padded.slice(1, 33), mask(padded.slice(33), 32));
  const data = xor(padded.slice(33), mask(seed, size - 33));
  assert.deepEqual(data.slice(0, 32), sha256(new Uint8Array()), 'the label is empty');
  const end = data.indexOf(1, 32);
  assert.ok(padded[0] === 0 && end > 0 && data.slice(32, end).every((byte) => byte === 0), 'OAEP has its form');
  return data.slice(end + 1);
}

// --- keys: what smsflow wrote, taken apart by hand

// The elements of a DER SEQUENCE or of what a tag encloses.
function elements(bytes) {
  const all = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++];
    let size = bytes[at++];
    if (size & 0x80) {
      const count = size & 0x7f;
      size = Number(toNumber(bytes.slice(at, at + count)));
      at += count;
    }
    all.push({ tag, value: bytes.slice(at, at + size) });
    at += size;
  }
  return all;
}

const positive = (bytes) => bytes[0] === 0 ? bytes.slice(1) : bytes;

function privateKey(file) {
  const pem = fs.readFileSync(file, 'utf8').replace(/-----[^-]+-----/g, '');
  const [, , key] = elements(elements(new Uint8Array(Buffer.from(pem, 'base64')))[0].value);
  const parts = elements(elements(key.value)[0].value).map(({ value }) => value);
  if (parts.length < 9) return { d: parts[1] };
  const [, n, e, d] = parts.map(positive);
  return { n, e, d };
}

function publicKey(name) {
  const { keys: [jwk] } = JSON.parse(run('jwks', `${name}.jwk`));
  if (jwk.kty === 'RSA') return { ...jwk, n: fromBase64url(jwk.n), e: fromBase64url(jwk.e) };
  return { ...jwk, point: concatBytes(new Uint8Array([4]), fromBase64url(jwk.x), fromBase64url(jwk.y)) };
}

// --- the three formats

const contentKey = (z) => sha256(concatBytes(u32(1), z, u32(7), utf8ToBytes('A256GCM'), u32(0), u32(0), u32(256)));
const agreed = (secret, point) => p256.getSharedSecret(secret, point).slice(1, 33);

function seal(jwk, subject, text) {
  const header = { alg: jwk.alg, enc: 'A256GCM', kid: jwk.kid, sub: subject };
  let key = randomBytes(32), encryptedKey = new Uint8Array();
  if (jwk.kty === 'EC') {
    const secret = p256.utils.randomPrivateKey();
    const point = p256.getPublicKey(secret, false);
    header.epk = { kty: 'EC', crv: 'P-256', x: base64url(point.slice(1, 33)), y: base64url(point.slice(33)) };
    key = contentKey(agreed(secret, jwk.point));
  } else {
    encryptedKey = wrap(jwk, key);
  }
  const head = base64url(utf8ToBytes(JSON.stringify(header)));
  const iv = randomBytes(12);
  const sealed = gcm(key, iv, utf8ToBytes(head)).encrypt(utf8ToBytes(text));
  return [head, base64url(encryptedKey), base64url(iv), base64url(sealed.slice(0, -16)), base64url(sealed.slice(-16))].join('.');
}

function open(secret, subject, envelope) {
  const [head, encryptedKey, iv, text, tag] = envelope.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  assert.equal(header.sub, subject);
  const key = header.alg === 'ECDH-ES'
    ? contentKey(agreed(secret.d, concatBytes(new Uint8Array([4]), fromBase64url(header.epk.x), fromBase64url(header.epk.y))))
    : unwrap(secret, fromBase64url(encryptedKey));
  const plain = gcm(key, fromBase64url(iv), utf8ToBytes(head)).decrypt(concatBytes(fromBase64url(text), fromBase64url(tag)));
  assert.equal(plain.length % 64, 0, 'the length is hidden in steps of 64');
  return Buffer.from(plain).toString().replace(/\0+$/, '');
}

function sealOld(key, text) {
  const bytes = utf8ToBytes(text);
  const padding = 16 - bytes.length % 16;
  const content = randomBytes(32);
  const wrapped = wrap(key, content);
  const sealed = cfb(content, md5(content)).encrypt(concatBytes(bytes, new Uint8Array(padding).fill(padding)));
  return Buffer.from(concatBytes(u32((0x4342 << 14 | wrapped.length) >>> 0), wrapped, sealed)).toString('base64');
}

function openOld(secret, envelope) {
  const bytes = new Uint8Array(Buffer.from(envelope, 'base64'));
  const size = Number(toNumber(bytes.slice(0, 4))) & 0x3fff;
  const content = unwrap(secret, bytes.slice(4, 4 + size));
  const plain = cfb(content, md5(content)).decrypt(bytes.slice(4 + size));
  return Buffer.from(plain.slice(0, plain.length - plain.at(-1))).toString();
}

// --- smsflow

function run(...words) { return execFileSync(smsflow, words, { encoding: 'utf8' }); }

function unseal(file, envelope, ...words) {
  return spawnSync(smsflow, ['unseal', '--private-key', file, '--tenant', 'demo', '--key', 'visit 17', ...words],
    { input: envelope, encoding: 'utf8' });
}

function sealedBySmsflow(name, ...words) {
  return run('seal', '--pubkey', name, '--tenant', 'demo', '--key', 'visit 17', '--to', '+255123456789', '--sender', 'CLINIC',
    '--text', TEXT, ...words).trim();
}

function expectOpens(answer) {
  assert.equal(answer.stderr, '');
  assert.equal(answer.stdout, `${SMS}\n`);
}

try {
  for (const kind of [[], ['--rsa']]) {
    const name = path.join(folder, kind.length ? 'rsa' : 'ec');
    run('keygen', name, ...kind);
    const secret = privateKey(`${name}.key.pem`), jwk = publicKey(name);
    for (let round = 0; round < (kind.length ? 3 : 20); ++round) {
      assert.equal(open(secret, 'demo/visit 17', sealedBySmsflow(`${name}.jwk`)), SMS);
      expectOpens(unseal(`${name}.key.pem`, seal(jwk, 'demo/visit 17', SMS)));
    }
    const moved = unseal(`${name}.key.pem`, seal(jwk, 'demo/visit 18', SMS));
    assert.equal(moved.status, 2);
    assert.equal(moved.stdout, '');
  }
  const rsa = path.join(folder, 'rsa');
  const secret = privateKey(`${rsa}.key.pem`);
  assert.equal(openOld(secret, sealedBySmsflow(`${rsa}.jwk`, '--old')), SMS);
  expectOpens(unseal(`${rsa}.key.pem`, sealOld(secret, SMS), '--old'));
  const refused = unseal(`${rsa}.key.pem`, sealOld(secret, SMS));
  assert.equal(refused.status, 4, 'not without the switch');

  // A store of PKCS#12 opens what was sealed for the key in it.
  fs.writeFileSync(path.join(folder, 'password'), PASSWORD, { mode: 0o600 });
  const store = path.join(folder, 'store');
  run('keygen', store, '--p12', '--alias', 'demo', '--password-file', path.join(folder, 'password'));
  expectOpens(unseal(`${store}.p12`, seal(publicKey(store), 'demo/visit 17', SMS), '--password-file', path.join(folder, 'password')));
  console.log('sealed and opened both ways: ECDH-ES, RSA-OAEP-256, the old format, PKCS#12');
} finally {
  fs.rmSync(folder, { recursive: true });
}
