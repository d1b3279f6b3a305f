// npm's smpp as an SMSC that brings SMSes from phones: in both alphabets, in parts of any order, as data_sm, to nobody, and
// once more after a connection that was lost before its answer came. usage: inbound.js SMPP-INBOUND
const assert = require('assert');
const { spawn } = require('child_process');
const smpp = require('smpp');

setTimeout(() => { console.error('not done in time'); process.exit(1); }, 60000).unref();

const PHONE = { source_addr: '255700000001', source_addr_ton: 1, source_addr_npi: 1, destination_addr: '15001' };
const part = (number, total, text) => ({ ...PHONE, esm_class: 0x40, data_coding: 8,
  short_message: { udh: Buffer.from([5, 0, 3, 77, total, number]), message: Buffer.from(text, 'utf16le').swap16() } });
const LONG = ['Жду ', 'отве\ud83d', '\ude00та'];  // the second cut goes through a character
const WANTED = [
  'From: +255700000001\nTo: 15001\n\nSTOP €{}',
  'From: +255700000001\nTo: 15001\n\nТак😀',
  'From: +255700000001\nTo: 15001\n\n' + LONG.join(''),
  'From: +255700000001\nTo: 15001\nEncoding: base64\n\nAP8B',
  'From: +255700000001\nTo: 15001\n\nonce',
  'From: +255700000001\nTo: 15001\n\nlast',
];

let binds = 0;
const answers = [];
function send(session, command, fields) {
  return new Promise((answered) => session[command](fields, (pdu) => { answers.push(pdu.command_status); answered(pdu); }));
}

async function bring(session) {
  if (++binds === 1) {
    await send(session, 'deliver_sm', { ...PHONE, data_coding: 0, short_message: 'STOP €{}' });
    await send(session, 'deliver_sm', { ...PHONE, data_coding: 8, short_message: 'Так😀' });
    await Promise.all([2, 3, 1].map((i) => send(session, 'deliver_sm', part(i, 3, LONG[i - 1]))));
    await send(session, 'data_sm', { ...PHONE, data_coding: 4, message_payload: Buffer.from([0, 255, 1]) });
    const refused = await send(session, 'deliver_sm', { ...PHONE, destination_addr: '15002', short_message: 'nobody' });
    assert.strictEqual(refused.command_status, 0x65);
    assert.deepStrictEqual(answers, [0, 0, 0, 0, 0, 0, 0x65]);
    // It was answered, but the answer does not come back: so it comes again.
    await send(session, 'deliver_sm', { ...PHONE, short_message: 'once' });
    session.destroy();
  } else {
    const again = await send(session, 'deliver_sm', { ...PHONE, short_message: 'once' });
    assert.strictEqual(again.command_status, 0);
    await send(session, 'deliver_sm', { ...PHONE, short_message: 'last' });
  }
}

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    session.send(pdu.response({ system_id: 'npm' }));
    bring(session).catch((error) => { console.error(error); process.exit(1); });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
});
server.listen(0, '127.0.0.1', () => {
  const gateway = spawn(process.argv[2], [String(server.address().port), String(WANTED.length)]);
  let out = '', errors = '';
  gateway.stdout.on('data', (data) => { out += data; });
  gateway.stderr.on('data', (data) => { errors += data; });
  gateway.on('close', (code) => {
    assert.strictEqual(code, 0, out + errors);
    const read = out.split('\n').filter((line) => line.startsWith('sms '))
      .map((line) => Buffer.from(line.slice(4), 'base64').toString());
    assert.deepStrictEqual(read, WANTED);
    assert.strictEqual(binds, 2);
    console.log(`${WANTED.length} SMSes of ${answers.length} PDUs, as npm's smpp writes them`);
    process.exit(0);
  });
});
