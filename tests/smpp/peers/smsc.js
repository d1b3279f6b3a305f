// npm's smpp as the SMSC of the gateway's link, over TCP and TLS, as transceiver and as a pair; and tshark as the judge of
// every PDU that went either way. usage: smsc.js SMPP-LINK
const assert = require('assert');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { execFileSync, spawn, spawnSync } = require('child_process');
const smpp = require('smpp');

const COUNT = 40;
const LIMIT_MS = 90000;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'npm-smsc-'));
setTimeout(() => { console.error('not done in time'); process.exit(1); }, LIMIT_MS).unref();
const hasTshark = spawnSync('tshark', ['--version']).status === 0;

// An SMSC that answers in hexadecimal and receipts in decimal, throttles the third of all, and keeps what it took.
function makeSmsc(tls) {
  const took = [], receivers = [];
  let next = 0xA001, throttled = 0;
  const server = smpp.createServer(tls || {}, (session) => {
    session.on('error', () => {});
    for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
      session.on(bind, (pdu) => {
        const right = pdu.system_id === 'smsflow' && pdu.password === 'secret';
        session.send(pdu.response({ command_status: right ? 0 : smpp.ESME_RINVPASWD, system_id: 'npm' }));
        if (right && bind !== 'bind_transmitter') receivers.push(session);
      });
    }
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
    session.on('submit_sm', (pdu) => {
      if (pdu.user_message_reference === 3 && throttled++ < 2) {
        session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
        return;
      }
      const id = next++;
      took.push({ id, pdu });
      session.send(pdu.response({ message_id: id.toString(16) }));
      setTimeout(() => {
        const text = `id:${id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:`;
        receivers[0][id % 2 ? 'deliver_sm' : 'data_sm'](id % 2
          ? { esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, short_message: Buffer.from(text) }
          : { esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
            message_payload: Buffer.from(text), receipted_message_id: id.toString(16), message_state: 2 });
      }, 5);
    });
  });
  return { server, took };
}

// What stands between the two and writes down every byte, as a file that tshark reads.
class Recorder {
  constructor(file) {
    this.file = file;
    this.ports = 40000;
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(262144, 16);
    header.writeUInt32LE(228, 20);  // IPv4 without a frame around it
    fs.writeFileSync(file, header);
  }

  packet(from, to, sequence, acknowledged, data) {
    const ip = Buffer.alloc(40);
    ip[0] = 0x45;
    ip.writeUInt16BE(40 + data.length, 2);
    ip[8] = 64;
    ip[9] = 6;
    ip.writeUInt32BE(0x7f000001, 12);
    ip.writeUInt32BE(0x7f000001, 16);
    ip.writeUInt16BE(from, 20);
    ip.writeUInt16BE(to, 22);
    ip.writeUInt32BE(sequence, 24);
    ip.writeUInt32BE(acknowledged, 28);
    ip[32] = 0x50;
    ip[33] = 0x18;
    ip.writeUInt16BE(65535, 34);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(ip.length + data.length, 8);
    record.writeUInt32LE(ip.length + data.length, 12);
    fs.appendFileSync(this.file, Buffer.concat([record, ip, data]));
  }

  listen(target, done) {
    const server = net.createServer((client) => {
      const port = this.ports++;
      const smsc = net.connect(target, 'localhost');
      const at = { client: 1, smsc: 1 };
      const note = (data, up) => {
        for (let i = 0; i < data.length; i += 16000) {
          const piece = data.subarray(i, i + 16000);
          if (up) this.packet(port, 2775, at.client, at.smsc, piece);
          else this.packet(2775, port, at.smsc, at.client, piece);
          if (up) at.client += piece.length;
          else at.smsc += piece.length;
        }
      };
      client.on('data', (data) => { note(data, true); smsc.write(data); });
      smsc.on('data', (data) => { note(data, false); client.write(data); });
      for (const [one, other] of [[client, smsc], [smsc, client]]) {
        one.on('close', () => other.destroy());
        one.on('error', () => {});
      }
    });
    server.listen(0, 'localhost', () => done(server.address().port, server));
  }
}

function runLink(port, flags) {
  return new Promise((resolve) => {
    const link = spawn(process.argv[2], [String(port), String(COUNT), ...flags]);
    let out = '', errors = '';
    link.stdout.on('data', (data) => { out += data; });
    link.stderr.on('data', (data) => { errors += data; });
    link.on('close', (code) => resolve({ code, out, errors }));
  });
}

function checkRun(name, { code, out, errors }, took) {
  assert.strictEqual(code, 0, `${name}: ${out}${errors}`);
  const lines = out.trim().split('\n').map((line) => line.split(' '));
  const outcomes = lines.filter(([what]) => what === 'outcome');
  const receipts = lines.filter(([what]) => what === 'receipt');
  assert.strictEqual(outcomes.length, COUNT, name);
  assert.strictEqual(took.length, COUNT, name);
  const byReference = new Map(took.map((one) => [String(one.pdu.user_message_reference), one]));
  for (const [, token, kind, status, id] of outcomes) {
    assert.deepStrictEqual([kind, status], ['0', '0'], name);
    assert.strictEqual(parseInt(id, 16), byReference.get(token).id, name);
  }
  for (const one of took) {
    const i = one.pdu.user_message_reference;
    assert.strictEqual(one.pdu.destination_addr, String(255700000000 + i));
    assert.strictEqual(one.pdu.source_addr_ton, 5);
    const message = i % 5 && i % 7 === 0 ? one.pdu.message_payload : one.pdu.short_message;
    assert.strictEqual(message.message, `SMS ${i}${i % 2 ? ' €{}' : ' ж😀'}`, name);
    if (i % 5 === 0) assert.strictEqual(Buffer.concat(message.udh).toString('hex').slice(-6), '2c0201');
    assert.strictEqual(receipts.filter(([, id, , stat]) => Number(id) === one.id && stat === 'DELIVRD').length, 1, name);
  }
}

function checkWithTshark(file, name) {
  const read = (filter) => execFileSync('tshark', ['-r', file, '-d', 'tcp.port==2775,smpp', '-Y', filter, '-T', 'fields',
    '-e', 'smpp.command_id', '-e', 'smpp.destination_addr'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  assert.strictEqual(read('_ws.malformed || _ws.expert.severity == error'), '', `${name}: tshark finds a PDU malformed`);
  const all = read('smpp').split(/[\s,]+/);
  const submits = all.filter((one) => one === '0x00000004').length;
  assert.strictEqual(submits, COUNT + 2, name);  // two were throttled
  for (let i = 1; i <= COUNT; i++) assert(all.includes(String(255700000000 + i)), `${name}: ${i}`);
  assert.strictEqual(all.filter((one) => one === '0x80000005' || one === '0x80000103').length, COUNT, name);
  assert(all.includes('0x00000006'), `${name}: unbind`);
}

async function plain(name, flags) {
  const { server, took } = makeSmsc();
  await new Promise((listening) => server.listen(0, 'localhost', listening));
  const recorder = new Recorder(path.join(folder, 'wire.pcap'));
  const { port, proxy } = await new Promise((done) => recorder.listen(server.address().port, (p, s) => done({ port: p, proxy: s })));
  checkRun(name, await runLink(port, flags), took);
  if (hasTshark) checkWithTshark(recorder.file, name);
  proxy.close();
  server.close();
}

async function tls() {
  const file = (name) => path.join(folder, name);
  for (const name of ['right', 'other']) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', file(`${name}.key`),
      '-out', file(`${name}.pem`)], { stdio: 'ignore' });
  }
  const { server, took } = makeSmsc({ key: fs.readFileSync(file('right.key')), cert: fs.readFileSync(file('right.pem')) });
  await new Promise((listening) => server.listen(0, 'localhost', listening));
  const { port } = server.address();
  checkRun('tls', await runLink(port, [`tls=${file('right.pem')}`]), took);
  // An SMSC that another authority vouches for gets nothing, not even the password.
  const before = took.length;
  const link = spawn(process.argv[2], [String(port), '1', `tls=${file('other.pem')}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((lost) => link.stderr.on('data', (data) => { if (/notice 2 .*could not connect/.test(data)) lost(); }));
  link.kill();
  assert.strictEqual(took.length, before);
  server.close();
}

(async () => {
  await plain('transceiver', []);
  await plain('pair', ['pair']);
  await tls();
  fs.rmSync(folder, { recursive: true });
  console.log(`3 ways of ${COUNT} submits` + (hasTshark ? ', every PDU as tshark reads it' : '; tshark is not installed'));
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
