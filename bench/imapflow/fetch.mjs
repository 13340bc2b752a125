// Retrieves every message of INBOX with imapflow and throws it away.
// It prints how many milliseconds the messages took, without greeting, login
// and logout.
import { ImapFlow } from 'imapflow';

const [host, port, user, pass, want] = process.argv.slice(2);
const client = new ImapFlow({
  host, port: Number(port), secure: false, doSTARTTLS: false, auth: { user, pass }, logger: false, disableCompression: true,
});
await client.connect();
await client.mailboxOpen('INBOX', { readOnly: true });
const start = process.hrtime.bigint();
let messages = 0;
for await (const m of client.fetch('1:*', { uid: true, flags: true, internalDate: true, size: true, source: true })) {
  if (m.source.length > 0) messages++;
}
const took = Number(process.hrtime.bigint() - start) / 1e6;
await client.logout();
if (messages !== Number(want)) {
  console.error(`${messages} messages`);
  process.exit(1);
}
console.log(took);
