"""Just enough of protobuf's wire format to write what Kubernetes stores in etcd."""


def varint(number):
    """An unsigned varint; a negative number is taken as 64-bit two's complement."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(field, number):
    return varint(field << 3) + varint(number)


def bytestring(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def text(field, string):
    return bytestring(field, string.encode())


def message(field, *parts):
    return bytestring(field, b"".join(parts))


def mapping(field, items, encode=text):
    """map<string, V>: one message {1 key, 2 value} for each pair, in key order as Go's sorted marshaller."""
    return b"".join(message(field, text(1, key), encode(2, items[key])) for key in sorted(items))


def timestamp(field, moment):
    """metav1.Time and metav1.MicroTime: {1 seconds, 2 nanos}, both always written."""
    return message(field, integer(1, int(moment.timestamp())), integer(2, moment.microsecond * 1000))


def envelope(api_version, kind, raw):
    """The magic and runtime.Unknown {1 typeMeta, 2 raw, 3 contentEncoding, 4 contentType}."""
    return b"k8s\0" + message(1, text(1, api_version), text(2, kind)) + bytestring(2, raw) + text(3, "") + text(4, "")
