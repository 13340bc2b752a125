"""What Python's email package reads in messages: a peer for oracle_test.go.

Reads names of files, one a line, and writes a line of JSON for each.
"""
import datetime, email, email.header, email.utils, hashlib, json, sys, warnings

warnings.simplefilter("ignore")


def decode(value):
    out = []
    for octets, charset in email.header.decode_header(value):
        if isinstance(octets, str):
            out.append(octets)
            continue
        out.append(octets.decode(charset if charset not in (None, "unknown-8bit") else "ascii", "strict"))
    return "".join(out)


def field(msg, name):
    v = msg.get(name)
    return None if v is None else decode(str(v).replace("\r", "").replace("\n", ""))


def addresses(msg, name):
    values = [str(v).replace("\r", "").replace("\n", "") for v in msg.get_all(name, [])]
    return [[decode(n), a] for n, a in email.utils.getaddresses(values)]


def leaves(msg):
    """The parts that are no containers; messages in the message are whole."""
    if msg.get_content_maintype() == "multipart" and msg.is_multipart():
        for p in msg.get_payload():
            yield from leaves(p)
    else:
        yield msg


def attempt(f):
    try:
        return f()
    except Exception:
        return None


def look(path):
    with open(path, "rb") as f:
        msg = email.message_from_binary_file(f)
    r = {"subject": attempt(lambda: field(msg, "subject"))}
    for name in "from", "to", "cc":
        r[name] = attempt(lambda: addresses(msg, name))
    d = attempt(lambda: email.utils.parsedate_to_datetime(str(msg["date"])))
    if d is not None and d.tzinfo is None:
        d = d.replace(tzinfo=datetime.timezone.utc)
    r["date"] = attempt(lambda: int(d.timestamp())) if d is not None else None
    text, html, files, broken = [], [], [], False
    for p in leaves(msg):
        kind, name = p.get_content_type(), attempt(p.get_filename)
        if kind == "message/rfc822" or p.is_multipart():
            files.append([decode(name) if name else "", None])
            continue
        octets = attempt(lambda: p.get_payload(decode=True))
        if octets is None:
            broken = True
            continue
        if kind in ("text/plain", "text/html") and p.get_content_disposition() != "attachment" and not name:
            charset = p.get_content_charset("ascii")
            s = attempt(lambda: octets.decode(charset))
            (text if kind == "text/plain" else html).append(s)
        else:
            files.append([attempt(lambda: decode(name)) if name else "", hashlib.sha256(octets).hexdigest()])
    r["text"] = None if broken or None in text else "\n".join(text)
    r["html"] = None if broken or None in html else "\n".join(html)
    r["files"] = None if broken else files
    return r


for line in sys.stdin:
    try:
        out = look(line.rstrip("\n"))
    except Exception as e:
        out = {}
    print(json.dumps(out), flush=True)
