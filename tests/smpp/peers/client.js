// The client of npm's smpp against smsflow-smsc: what it submits is what the truth says, and each receipt finds its
// submit. usage: client.js SMSFLOW-SMSC
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');
const smpp = require('smpp');

const SUBMITS = 200;
const LIMIT_MS = 30000;
const SCRIPT = `
seed = 3
[[account]]
system_id = "esme"
password = "secret"
[ids]
first = 4096
response = "hex"
receipt = "decimal"
tlv = "hex"
[receipt]
delay_ms = [0, 50]
[[fault]]
kind = "refuse"
every = 10
[[fault]]
kind = "early-receipt"
every = 7
[[fault]]
kind = "double-receipt"
every = 9
[[fault]]
kind = "fail"
every = 11
[[inbound]]
source = "255700000001"
destination = "15001"
text = "STOP ж"
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'smsc-'));
const truthFile = path.join(folder, 'truth.jsonl');
fs.writeFileSync(path.join(folder, 'script.toml'), SCRIPT);
const smsc = spawn(process.argv[2], ['--script', path.join(folder, 'script.toml'), '--truth', truthFile,
  '--listen', '127.0.0.1:0', '--seconds', '60'], { stdio: ['ignore', 'inherit', 'pipe'] });
const watchdog = setTimeout(() => fail(new Error('not done in time')), LIMIT_MS);

function fail(error) {
  smsc.kill();
  console.error(error);
  process.exit(1);
}
process.on('uncaughtException', fail);

let said = '';
smsc.stderr.on('data', (data) => {
  const before = /port (\d+)\n/.test(said);
  said += data;
  const found = /port (\d+)\n/.exec(said);
  if (found && !before) run(Number(found[1]));
});

function run(port) {
  const wrong = smpp.connect({ host: '127.0.0.1', port }, () =>
    wrong.bind_transceiver({ system_id: 'esme', password: 'wrong' }, (pdu) => {
      assert.strictEqual(pdu.command_status, smpp.ESME_RINVPASWD);
      wrong.close();
    }));
  const session = smpp.connect({ host: '127.0.0.1', port }, () =>
    session.bind_transceiver({ system_id: 'esme', password: 'secret' }, (pdu) => {
      assert.strictEqual(pdu.command_status, 0);
      assert.strictEqual(pdu.sc_interface_version, 0x34);
      submitAll(session);
    }));
}

function submitAll(session) {
  const ids = new Map();       // message_id of the response -> which submit
  const receipts = new Map();  // number in the id -> stats
  let answered = 0, throttled = 0, inbound = '';
  session.on('deliver_sm', (pdu) => {
    session.send(pdu.response());
    if (pdu.esm_class !== 4) {
      inbound = pdu.short_message.message;
      return;
    }
    const text = pdu.short_message.message.toString();
    const [, id, stat] = /^id:(\d+) .* stat:(\w+) /.exec(text);
    assert.strictEqual(parseInt(pdu.receipted_message_id, 16), Number(id));
    receipts.set(Number(id), [...(receipts.get(Number(id)) || []), stat]);
    done();
  });
  for (let i = 1; i <= SUBMITS; i++) {
    const text = i % 3 ? `SMS ${i} €{}` : `SMS ${i} ж😀`;
    session.submit_sm({ source_addr_ton: 5, source_addr: 'CLINIC', dest_addr_ton: 1, dest_addr_npi: 1,
      destination_addr: String(255700000000 + i), registered_delivery: 1, validity_period: '000001000000000R',
      short_message: text, user_message_reference: i }, (pdu) => {
      answered++;
      if (i % 10 === 1) {
        assert.strictEqual(pdu.command_status, smpp.ESME_RTHROTTLED);
        throttled++;
      } else {
        assert.strictEqual(pdu.command_status, 0);
        ids.set(pdu.message_id, i);
      }
      done();
    });
  }

  function done() {
    const count = [...receipts.values()].reduce((sum, stats) => sum + stats.length, 0);
    const doubled = [...ids.values()].filter((i) => i % 9 === 1).length;
    if (answered < SUBMITS || count < ids.size + doubled || inbound === '') return;
    assert.strictEqual(throttled, SUBMITS / 10);
    assert.strictEqual(inbound, 'STOP ж');
    for (const [id, i] of ids) {
      const stats = receipts.get(parseInt(id, 16));
      assert.deepStrictEqual(stats, Array(i % 9 === 1 ? 2 : 1).fill(i % 11 === 1 ? 'UNDELIV' : 'DELIVRD'), `submit ${i}`);
    }
    checkTruth(ids);
    session.unbind(() => {
      session.close();
      clearTimeout(watchdog);
      smsc.kill();
      fs.rmSync(folder, { recursive: true });
      console.log(`${SUBMITS} submits, ${count} receipts, as the truth has them`);
    });
  }
}

function checkTruth(ids) {
  const lines = fs.readFileSync(truthFile, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const submits = lines.filter((line) => line.event === 'submit');
  assert.strictEqual(submits.length, SUBMITS);
  for (const submit of submits) {
    const i = submit.user_message_reference;
    assert.strictEqual(submit.destination, String(255700000000 + i));
    assert.strictEqual(submit.system_id, 'esme');
    const octets = Buffer.from(submit.user_data, 'hex');
    if (i % 3) {
      assert.strictEqual(submit.data_coding, 1);  // so npm's smpp calls the alphabet of GSM
      assert.strictEqual(octets.toString('latin1'), `SMS ${i} \x1b\x65\x1b\x28\x1b\x29`);
    } else {
      assert.strictEqual(submit.data_coding, 8);
      assert.strictEqual(octets.swap16().toString('utf16le'), `SMS ${i} ж😀`);
    }
    if (submit.status === 0) assert.strictEqual(ids.get(submit.message_id), i);
  }
}
