// Segments as npm's sms-segments-calculator counts them, over texts of many kinds. usage: segments.js SMPP-SEGMENTS
// which reads a text in hexadecimal a line and prints its alphabet and count.
const assert = require('assert');
const { spawnSync } = require('child_process');
const { SegmentedMessage } = require('sms-segments-calculator');

// A fixed sequence, so that a failure comes again.
let state = 7;
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const ALPHABETS = ['abc XYZ 019', 'a€{}[]~|^\\', '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\n\r\f', 'ж',
  'aж', '😀', 'a😀ж', 'ç`á“”'];
const texts = ['', 'a', '€', '😀', 'a'.repeat(160), 'a'.repeat(161), 'a'.repeat(152) + '€' + 'a'.repeat(152),
  'ж'.repeat(66) + '😀' + 'ж'.repeat(66)];
for (const edge of [70, 71, 134, 135, 153, 160, 161, 201, 306, 307, 459, 460]) {
  for (const alphabet of ALPHABETS) {
    const characters = [...alphabet];
    for (const length of [edge - 1, edge, edge + 1]) {
      let text = '';
      for (let i = 0; i < length; i++) text += characters[random(characters.length)];
      texts.push(text);
    }
  }
}
// Carriage return and newline together are one grapheme to the calculator, but two septets on the wire.
const usable = texts.filter((text) => !text.includes('\r\n'));
const run = spawnSync(process.argv[2], { input: usable.map((text) => Buffer.from(text).toString('hex') + '\n').join('') });
assert.strictEqual(run.status, 0);
const lines = run.stdout.toString().trim().split('\n');
assert.strictEqual(lines.length, usable.length);
usable.forEach((text, i) => {
  const oracle = new SegmentedMessage(text);
  const expected = `${oracle.encodingName} ${Math.max(1, oracle.segmentsCount)}`;
  assert.strictEqual(lines[i], expected, JSON.stringify(text));
});
assert(usable.length > 250);
console.log(`${usable.length} texts counted alike`);
