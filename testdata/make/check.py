"""A reading of a .db that shares no code with etcd: trailer, tree, records, density, status and live keys.

Run by hand:  check.py FILE...
"""

import hashlib
import json
import struct
import sys

CASTAGNOLI = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CASTAGNOLI.append(byte)


def crc32c(data, crc):
    for byte in data:
        crc = CASTAGNOLI[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc


class Database:
    def __init__(self, data):
        self.data = data
        metas = []
        for page in (0, 1):
            fields = struct.unpack_from("<16xIIIIQQQQQQ", data, page * 4096)
            if fields[0] == 0xED0CDAED:
                metas.append(fields)
        magic, version, self.page_size, _, self.root, _, self.freelist, self.pages, self.txid, _ = max(metas, key=lambda meta: meta[8])
        self.overflow_pages = 0

    def leaves(self, page):
        """(flags, key, value) of each element below `page`, in order."""
        data, start = self.data, page * self.page_size
        number, flags, count, overflow = struct.unpack_from("<QHHI", data, start)
        assert number == page, (number, page)
        self.overflow_pages += overflow
        for index in range(count):
            at = start + 16 + 16 * index
            if flags == 1:
                yield from self.leaves(struct.unpack_from("<IIQ", data, at)[2])
            else:
                assert flags == 2, flags
                kind, position, key_size, value_size = struct.unpack_from("<IIII", data, at)
                key = at + position
                yield kind, data[key:key + key_size], data[key + key_size:key + key_size + value_size]

    def buckets(self):
        for kind, name, value in self.leaves(self.root):
            assert kind == 1
            root = struct.unpack_from("<Q", value)[0]
            if root:
                yield name, list(self.leaves(root))
            else:
                inline = Database.__new__(Database)
                inline.data, inline.page_size, inline.overflow_pages = value[16:], 0, 0
                yield name, list(inline.leaves(0))


def fields(buffer):
    out, at = {}, 0

    def varint():
        nonlocal at
        shift = number = 0
        while True:
            byte = buffer[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    while at < len(buffer):
        tag = varint()
        if tag & 7 == 0:
            out[tag >> 3] = varint()
        else:
            assert tag & 7 == 2, tag
            length = varint()
            out[tag >> 3] = buffer[at:at + length]
            at += length
    return out


def read(path):
    """Facts about a file; "problems" lists what contradicts formats of etcd."""
    with open(path, "rb") as file:
        data = file.read()
    problems = []
    trailer = len(data) % 512 == 32
    if trailer and hashlib.sha256(data[:-32]).digest() != data[-32:]:
        problems.append("digest mismatch")
    database = Database(data)
    crc, total, buckets = 0xFFFFFFFF, 0, {}
    for name, entries in database.buckets():
        buckets[name.decode()] = entries
        crc = crc32c(name, crc)
        for _, key, value in entries:
            total += 1
            crc = crc32c(value, crc32c(key, crc))
    compacted = 1
    for name in (b"scheduledCompactRev", b"finishedCompactRev"):
        for _, key, value in buckets["meta"]:
            if key == name:
                compacted = max(compacted, struct.unpack(">q", value[:8])[0])
    newest, subs, mains, revision = {}, {}, set(), 0
    for _, key, value in buckets["key"]:
        main, sub = struct.unpack(">qxq", key[:17])
        tombstone = key[17:] == b"t"
        revision = main
        record = fields(value)
        name = record[1]
        mains.add(main)
        subs.setdefault(main, []).append(sub)
        previous = newest.get(name)
        if tombstone:
            if main > compacted and previous is None:
                problems.append(f"{main}: tombstone of an unknown key {name!r}")
        else:
            version, created, modified = record.get(4, 0), record.get(2, 0), record.get(3, 0)
            if modified != main or created > main or (version == 1) != (created == modified):
                problems.append(f"{main}: create {created} mod {modified} version {version}")
            if main > compacted and version > 1 and (previous is None or previous[1]):
                problems.append(f"{main}: version {version} of {name!r} without its predecessor")
        newest[name] = (main, tombstone, record.get(5, b""))
    missing = set(range(compacted + 1, revision + 1)) - mains
    if missing:
        problems.append(f"revisions missing above {compacted}: {sorted(missing)[:5]} ({len(missing)})")
    for main, list_of_subs in subs.items():
        if main > compacted and list_of_subs != list(range(len(list_of_subs))):
            problems.append(f"{main}: subs {list_of_subs}")
    live = {name: entry[2] for name, entry in newest.items() if not entry[1]}
    members = {key.decode(): json.loads(value)["name"] for _, key, value in buckets.get("members", [])}
    return {
        "trailer": trailer,
        "txid": database.txid,
        "freelist": database.freelist,
        "pages": database.pages,
        "fileSize": len(data),
        "overflowPages": database.overflow_pages,
        "hash": crc ^ 0xFFFFFFFF,
        "revision": revision,
        "totalKey": total,
        "totalSize": database.pages * database.page_size,
        "compactRevision": compacted if compacted > 1 else None,
        "liveKeys": len(live),
        "maxSub": max(max(list_of_subs) for list_of_subs in subs.values()),
        "tombstones": sum(1 for _, key, _ in buckets["key"] if len(key) == 18),
        "leases": len(buckets.get("lease", [])),
        "alarms": [key.hex() for _, key, _ in buckets.get("alarm", [])],
        "members": members,
        "buckets": sorted(buckets),
        "meta": sorted(key.decode() for _, key, _ in buckets["meta"]),
        "values": live,
        "problems": problems,
    }


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        facts = read(argument)
        del facts["values"]
        print(argument, json.dumps(facts))
