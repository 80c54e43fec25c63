//! Values that nobody's API server wrote: an error for that object alone, soon, and without taking memory for it.

use super::types;
use etcd_cat::objects::{self, DecodeDefect, Map, Object, json, yaml};
use std::time::{Duration, Instant};

/// On a busy machine, without optimisation.
const SOON: Duration = Duration::from_secs(20);

/// Bytes of a field with this number.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7F).expect("seven bits") | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).expect("seven bits"));
    field.extend_from_slice(bytes);
    field
}

fn stored(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let kind = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), field(1, &kind), field(2, object)].concat()
}

fn refused(stored: &[u8]) -> (String, DecodeDefect) {
    let start = Instant::now();
    let error = objects::decode(stored).expect_err("is hostile");
    assert!(start.elapsed() < SOON, "{error}");
    (error.path, error.defect)
}

fn metadata(metadata: &[u8]) -> Vec<u8> {
    stored("v1", "ConfigMap", &field(1, metadata))
}

#[test]
fn huge_lengths_are_compared_before_they_are_believed() {
    let huge = metadata(b"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7Fx");
    let (path, defect) = refused(&huge);
    assert_eq!(
        (&*path, matches!(defect, DecodeDefect::Wire(_))),
        ("metadata", true)
    );
    let (_, defect) = refused(&vec![b'{'; 17 << 20]);
    assert!(matches!(defect, DecodeDefect::Size { .. }));
}

#[test]
fn texts_that_are_not_utf8_are_named_by_their_place() {
    assert_eq!(
        refused(&metadata(&field(1, b"\xFF"))),
        ("metadata.name".to_owned(), DecodeDefect::Utf8)
    );
    let label = [field(1, b"a"), field(2, b"\xFF")].concat();
    assert_eq!(
        refused(&metadata(&field(11, &label))),
        ("metadata.labels[]".to_owned(), DecodeDefect::Utf8)
    );
    assert_eq!(
        refused(b"{\"a\":\"\xFF\"}"),
        ("a".to_owned(), DecodeDefect::Utf8)
    );
}

#[test]
fn deep_nesting_ends_at_a_bound() {
    // JSONSchemaProps.not (28) holds a JSONSchemaProps: the one type that goes round in a circle.
    let mut schema = Vec::new();
    for _ in 0..10_000 {
        schema = [vec![0xE2, 0x01], varint(schema.len()), schema].concat();
    }
    let validation = field(1, &schema);
    let version = [field(1, b"v1"), field(4, &validation)].concat();
    let definition = stored(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &field(2, &field(7, &version)),
    );
    let (_, defect) = refused(&definition);
    assert!(matches!(defect, DecodeDefect::Depth { .. }), "{defect}");
    let (_, defect) = refused("{\"a\":".repeat(1 << 20).as_bytes());
    assert!(matches!(defect, DecodeDefect::Depth { .. }));
    // An embedded object in an embedded object.
    let mut inner = stored("v1", "ConfigMap", b"");
    for _ in 0..1000 {
        inner = stored(
            "apps/v1",
            "ControllerRevision",
            &field(2, &field(1, &inner)),
        );
    }
    assert!(matches!(refused(&inner).1, DecodeDefect::Depth { .. }));
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7F).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

#[test]
fn many_empty_items_take_no_more_memory_than_they_pay_for() {
    // Each of these containers takes two bytes and two values.
    let containers = field(2, b"").repeat(1 << 20);
    let (_, defect) = refused(&stored("v1", "Pod", &field(2, &containers)));
    assert_eq!(defect, DecodeDefect::Fields);
}

#[test]
fn many_unknown_fields_are_told_in_short_and_shown_in_full() {
    let unknown: Vec<u8> = (0..50_000_usize)
        .flat_map(|number| [varint((number + 100) << 3), vec![1]].concat())
        .collect();
    let start = Instant::now();
    let object = objects::decode(&stored("v1", "ConfigMap", &unknown)).expect("decodes");
    assert!(start.elapsed() < SOON);
    assert_eq!(object.unknown_fields.len(), 64);
    assert_eq!(object.unknown_fields[0], "f100");
    assert_eq!(object.fields.as_map().map(Map::len), Some(50_002));
}

#[test]
fn unknown_fields_are_told_with_their_path() {
    let container = [field(1, b"c"), field(15, &[0xF8, 0x07, 0x01])].concat();
    let pod = stored("v1", "Pod", &field(2, &field(2, &container)));
    let object = objects::decode(&pod).expect("decodes");
    assert_eq!(
        object.unknown_fields,
        ["spec.containers[0].securityContext.f127"]
    );
    assert!(json::print_line(&object.fields).contains("\"securityContext\":{\"f127\":1}"));
}

#[test]
fn what_a_terminal_would_obey_is_escaped() {
    let object = objects::decode(&metadata(&field(1, "\x1B[2J\u{9B}1A\u{202E}".as_bytes())))
        .expect("decodes");
    for shown in shown(&object) {
        assert!(!shown.contains(['\x1B', '\u{9B}', '\u{202E}']), "{shown:?}");
    }
}

fn shown(object: &Object) -> [String; 3] {
    [
        json::print(&object.fields),
        yaml::print(&object.fields),
        format!("{object:?}"),
    ]
}

#[test]
fn other_values_are_no_objects() {
    let rows: [(&[u8], DecodeDefect); 5] = [
        (b"", DecodeDefect::NoObject),
        (b"796", DecodeDefect::NoObject),
        (b"\xD9\xD9\xF7\xA0", DecodeDefect::Cbor),
        (b"k8s:enc:aescbc:v1:1:x", DecodeDefect::Encrypted),
        (&stored("v9", "Nothing", b""), DecodeDefect::Kind),
    ];
    for (value, expected) in rows {
        assert_eq!(refused(value), (String::new(), expected));
    }
}

#[test]
fn no_cut_and_no_flip_makes_it_panic() {
    let rows = types::rows();
    for row in rows.iter().step_by(13) {
        for cut in (0..row.stored.len()).step_by(67) {
            let _ = objects::decode(&row.stored[..cut]);
            let mut flipped = row.stored.clone();
            flipped[cut] ^= 1 << (cut % 8);
            if let Ok(object) = objects::decode(&flipped) {
                let _ = (shown(&object.clone()), object.served(1));
            }
        }
    }
}
