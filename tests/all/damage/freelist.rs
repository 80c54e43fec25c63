//! The stored freelist. etcd stores none, but a database written elsewhere may.

use super::{assert_codes, damaged, store};
use crate::support::bolt::Bolt;
use crate::support::write::{Form, database};
use crate::support::{findings_of, read, records as made_up};

#[test]
fn a_malformed_freelist_is_told() {
    let bolt = store();
    let at = bolt.page(bolt.freelist());
    let count = bolt.u16(at + 10);
    assert!(count > 5, "some pages are free");
    type Damage = fn(&mut Bolt, usize);
    let rows: [(&str, Damage); 11] = [
        ("other id", |bolt, at| bolt.bytes[at] ^= 1),
        ("a leaf", |bolt, at| bolt.put_u16(at + 8, 2)),
        ("one too few", |bolt, at| {
            bolt.put_u16(at + 10, bolt.u16(at + 10) - 1);
        }),
        ("one too many", |bolt, at| {
            bolt.put_u16(at + 10, bolt.u16(at + 10) + 1);
        }),
        ("more than fit", |bolt, at| bolt.put_u16(at + 10, 0xFFFE)),
        ("true count elsewhere", |bolt, at| {
            bolt.put_u16(at + 10, 0xFFFF);
        }),
        ("overflow", |bolt, at| bolt.put_u32(at + 12, u32::MAX)),
        ("meta page free", |bolt, at| bolt.put_u64(at + 16, 1)),
        ("far page free", |bolt, at| bolt.put_u64(at + 16, u64::MAX)),
        ("page free twice", |bolt, at| {
            bolt.put_u64(at + 16, bolt.u64(at + 24));
        }),
        ("out of order", |bolt, at| {
            bolt.put_u64(at + 24, bolt.u64(at + 16) - 1);
        }),
    ];
    for (name, damage) in rows {
        let file = damaged(&bolt, |bolt| damage(bolt, at));
        let reading = read(&file);
        let codes: Vec<&str> = super::codes(&reading);
        assert_eq!(
            codes.last(),
            Some(&"structure-freelist"),
            "{name}{}",
            super::told(&reading)
        );
        assert!(
            codes.len() == 1 || name == "out of order",
            "{name}{}",
            super::told(&reading)
        );
    }
    for page in [0, 1, bolt.high_water_mark(), u64::MAX - 1] {
        let file = damaged(&bolt, |bolt| bolt.put_metas(48, page));
        assert_codes(
            &format!("freelist at {page}"),
            &file,
            &["structure-freelist"],
        );
    }
}

#[test]
fn a_page_in_use_and_free_is_told() {
    let bolt = store();
    let at = bolt.page(bolt.freelist()) + 16;
    let used = bolt.u64(at) - 1;
    let file = damaged(&bolt, |bolt| bolt.put_u64(at, used));
    assert_codes("used and free", &file, &["structure-reference"]);
    let reading = read(&file);
    assert_eq!(
        findings_of(&reading, "structure-reference")[0].evidence["page"],
        used.into()
    );
    assert!(
        reading.snapshot.status.hash.is_some(),
        "it is read all the same"
    );
}

#[test]
fn a_page_that_fell_out_of_the_tree_is_told() {
    let mut bolt = store();
    let free = bolt.u64(bolt.page(bolt.freelist()) + 16);
    let file = damaged(&bolt, |bolt| bolt.put_metas(56, bolt.high_water_mark() + 1));
    assert_codes("the file is too short", &file, &["truncated"]);
    bolt.bytes.resize(bolt.bytes.len() + 1024, 0);
    let file = damaged(&bolt, |bolt| bolt.put_metas(56, bolt.high_water_mark() + 1));
    assert_codes("a page behind all others", &file, &["structure-freelist"]);
    assert!(free > 2);
}

/// bbolt allocates size / page size + 1 pages for the list.
#[test]
fn a_freelist_that_fills_its_page_exactly_is_sound() {
    let full = (1024 - 16) / 8;
    for (changes, stale_every) in (2000..2600)
        .step_by(10)
        .flat_map(|changes| [(changes, 2), (changes, 3)])
    {
        let form = Form {
            page_size: 1024,
            store_freelist: true,
            stale_every,
            ..Form::default()
        };
        let bolt = database(&made_up::store(changes), form);
        if bolt.u16(bolt.page(bolt.freelist()) + 10) == full {
            return assert_codes("a full page of ids", &bolt.sealed(), &[]);
        }
    }
    panic!("no store has {full} free pages");
}
