//! Pages and the tree they make.

use super::{assert_codes, damaged, sample, store};
use crate::support::bolt::Bolt;
use crate::support::write::{Form, database};
use crate::support::{codes, findings_of, read, records as made_up, told};

/// A page that bucket `lease` has to itself: what is lost with it, nothing else misses.
fn lease_leaf(bolt: &Bolt) -> u64 {
    bolt.leaves(bolt.bucket_root("lease"))[0]
}

/// A store whose bucket `lease` is a tree of its own.
fn with_leases(form: Form) -> Bolt {
    let mut content = made_up::store(60);
    content[6].1 = (0_u64..400)
        .map(|id| (id.to_be_bytes().to_vec(), made_up::lease(id, 60)))
        .collect();
    let bolt = database(&content, form);
    assert_codes("healthy leases", &bolt.sealed(), &[]);
    assert!(bolt.is_branch(bolt.bucket_root("lease")));
    bolt
}

#[test]
fn a_malformed_page_is_told_with_its_place() {
    let bolt = with_leases(Form::default());
    let leaf = lease_leaf(&bolt);
    let at = bolt.page(leaf);
    type Damage = fn(&mut Bolt, usize);
    let rows: [(&str, Damage); 17] = [
        ("other id", |bolt, at| bolt.bytes[at] ^= 1),
        ("far id", |bolt, at| bolt.put_u64(at, u64::MAX)),
        ("no flag", |bolt, at| bolt.put_u16(at + 8, 0)),
        ("two flags", |bolt, at| bolt.put_u16(at + 8, 3)),
        ("meta", |bolt, at| bolt.put_u16(at + 8, 4)),
        ("freelist", |bolt, at| bolt.put_u16(at + 8, 0x10)),
        ("branch", |bolt, at| bolt.put_u16(at + 8, 1)),
        ("no elements", |bolt, at| bolt.put_u16(at + 10, 0)),
        ("too many elements", |bolt, at| {
            bolt.put_u16(at + 10, u16::MAX);
        }),
        ("overflow past the end", |bolt, at| {
            bolt.put_u32(at + 12, 10_000);
        }),
        ("overflow without end", |bolt, at| {
            bolt.put_u32(at + 12, u32::MAX);
        }),
        ("element flags", |bolt, at| bolt.put_u32(at + 16, 2)),
        ("element position", |bolt, at| {
            bolt.put_u32(at + 20, u32::MAX);
        }),
        ("element into the table", |bolt, at| {
            bolt.put_u32(at + 20, 0);
        }),
        ("empty key", |bolt, at| bolt.put_u32(at + 24, 0)),
        ("key length", |bolt, at| bolt.put_u32(at + 24, u32::MAX)),
        ("value length", |bolt, at| bolt.put_u32(at + 28, u32::MAX)),
    ];
    for (name, damage) in rows {
        let file = damaged(&bolt, |bolt| damage(bolt, at));
        assert_codes(name, &file, &["structure-page"]);
        let reading = read(&file);
        let finding = findings_of(&reading, "structure-page")[0];
        let place = format!("page {leaf} of bucket lease: ");
        assert!(
            finding.message.starts_with(&place),
            "{name}: {}",
            finding.message
        );
        assert_eq!(
            finding.evidence["path"],
            vec![bolt.bucket_root("lease").to_string()].into()
        );
        assert_eq!(finding.evidence["bucket"], "lease".into());
        assert!(
            finding.evidence.contains_key("toKey"),
            "{name}: up to where keys are lost"
        );
        assert_eq!(reading.snapshot.status.hash, None, "{name}");
        assert!(
            reading.snapshot.live_keys.is_some(),
            "{name}: bucket key is whole"
        );
    }
    let file = damaged(&bolt, |bolt| bolt.bytes[at..at + 4096].fill(0));
    assert_codes("zeroed", &file, &["structure-page"]);
    let file = damaged(&bolt, |bolt| bolt.bytes[at..at + 4096].fill(0xFF));
    assert_codes("filled", &file, &["structure-page"]);
}

#[test]
fn a_lost_page_of_bucket_key_is_told_with_the_revisions_that_are_gone() {
    let bolt = store();
    let leaves = bolt.leaves(bolt.bucket_root("key"));
    let leaf = leaves[leaves.len() / 2];
    let at = bolt.page(leaf);
    let file = damaged(&bolt, |bolt| bolt.bytes[at..at + 1024].fill(0));
    assert_codes("zeroed", &file, &["structure-page", "record-missing"]);
    let reading = read(&file);
    let missing = findings_of(&reading, "record-missing")[0];
    assert!(missing.message.contains("are gone"), "{}", missing.message);
    assert_eq!(reading.snapshot.status.revision, None);
    assert_eq!(reading.snapshot.status.total_key, None);
}

#[test]
fn bits_of_a_page_header_never_go_unnoticed() {
    for (bolt, name) in [(sample(), "key"), (with_leases(Form::default()), "lease")] {
        let pages = bolt.pages(bolt.bucket_root(name));
        // All bits but those of the overflow: pages that are free may follow.
        for (page, bit) in pages
            .into_iter()
            .take(5)
            .flat_map(|page| (0..96).map(move |bit| (page, bit)))
        {
            let at = bolt.page(page) + bit / 8;
            let reading = read(&damaged(&bolt, |bolt| bolt.bytes[at] ^= 1 << (bit % 8)));
            let is_seen = codes(&reading)
                .iter()
                .any(|code| code.starts_with("structure-"));
            assert!(
                is_seen,
                "bit {bit} of page {page} of {name}{}",
                told(&reading)
            );
        }
    }
}

#[test]
fn a_malformed_inline_bucket_is_told() {
    let bolt = sample();
    let bucket = bolt.bucket("cluster");
    assert_eq!(bolt.bucket_root("cluster"), 0, "it is inline");
    let page = bucket.value.start + 16;
    type Damage = fn(&mut Bolt, usize, usize);
    let rows: [(&str, Damage); 7] = [
        ("cut short", |bolt, element, _| {
            bolt.put_u32(element + 12, 15);
        }),
        ("no leaf", |bolt, _, page| bolt.put_u16(page + 8, 1)),
        ("count", |bolt, _, page| bolt.put_u16(page + 10, 1000)),
        ("overflow", |bolt, _, page| bolt.put_u32(page + 12, 1)),
        ("key length", |bolt, _, page| {
            bolt.put_u32(page + 24, 0xFFFF);
        }),
        ("value length", |bolt, _, page| {
            bolt.put_u32(page + 28, 0xFFFF);
        }),
        ("a bucket inside", |bolt, _, page| {
            bolt.put_u32(page + 16, 1);
        }),
    ];
    for (name, damage) in rows {
        let reading = read(&damaged(&bolt, |bolt| damage(bolt, bucket.at, page)));
        let found = codes(&reading);
        assert_eq!(found[0], "structure-page", "{name}{}", told(&reading));
        // A bucket whose value is no bucket is not there either.
        assert!(
            found.len() == 1 || found == ["structure-page", "bucket-missing"],
            "{name}{}",
            told(&reading)
        );
    }
}

#[test]
fn a_bucket_inside_a_bucket_is_told() {
    let bolt = with_leases(Form::default());
    let element = bolt.elements(lease_leaf(&bolt))[3].at;
    let file = damaged(&bolt, |bolt| bolt.put_u32(element, 1));
    assert_codes("lease is a bucket", &file, &["structure-page"]);
    let element = bolt.bucket("lease").at;
    let file = damaged(&bolt, |bolt| bolt.put_u32(element, 0));
    assert_codes(
        "bucket is none",
        &file,
        &["structure-page", "bucket-missing"],
    );
}

#[test]
fn keys_out_of_order_are_told_and_nothing_is_called_lost() {
    for (name, from, to) in [
        ("neighbours", 40, 41),
        ("first and second", 0, 1),
        ("far apart", 7, 99),
    ] {
        let mut content = made_up::store(120);
        content[5].1.swap(from, to);
        let file = database(
            &content,
            Form {
                page_size: 1 << 16,
                ..Form::default()
            },
        )
        .sealed();
        assert_codes(name, &file, &["structure-order"]);
    }
    let mut content = made_up::store(900);
    content[5].1.swap(100, 600);
    let file = database(
        &content,
        Form {
            page_size: 1024,
            ..Form::default()
        },
    )
    .sealed();
    assert_eq!(codes(&read(&file))[0], "structure-order");
}

#[test]
fn a_page_outside_its_parents_range_is_told() {
    let bolt = with_leases(Form::default());
    let root = bolt.bucket_root("lease");
    let children = bolt.elements(root);
    let second = children[1].key.clone();
    let file = damaged(&bolt, |bolt| bolt.bytes[second.end - 1] += 1);
    assert_codes("key in the parent too great", &file, &["structure-order"]);
    let told = read(&file);
    let messages: Vec<&str> = findings_of(&told, "structure-order")
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(
        messages
            .iter()
            .any(|message| message.contains("smaller than")),
        "{messages:?}"
    );
    let file = damaged(&bolt, |bolt| bolt.bytes[second.end - 1] -= 1);
    assert_codes("key in the parent too small", &file, &["structure-order"]);
    let file = damaged(&bolt, |bolt| {
        bolt.put_u64(children[0].at + 8, children[1].child);
        bolt.put_u64(children[1].at + 8, children[0].child);
    });
    assert_codes("children swapped", &file, &["structure-order"]);
    let bolt = store();
    let children = bolt.elements(bolt.pages(bolt.bucket_root("key"))[1]);
    let file = damaged(&bolt, |bolt| {
        bolt.put_u64(children[0].at + 8, children[1].child);
        bolt.put_u64(children[1].at + 8, children[0].child);
    });
    assert_codes(
        "children of bucket key swapped",
        &file,
        &["structure-order"],
    );
}

#[test]
fn a_wrong_reference_is_told() {
    let bolt = with_leases(Form::default());
    let root = bolt.bucket_root("lease");
    let child = bolt.elements(root)[1].at + 8;
    let other = bolt.elements(root)[0].child;
    let key = bolt.bucket_root("key");
    let rows = [
        ("meta page", 0),
        ("meta page 1", 1),
        ("high water mark", bolt.high_water_mark()),
        ("far away", u64::MAX),
        ("child twice", other),
        ("itself", root),
        ("another bucket's", key),
    ];
    for (name, page) in rows {
        let file = damaged(&bolt, |bolt| bolt.put_u64(child, page));
        assert_codes(name, &file, &["structure-reference"]);
        let reading = read(&file);
        let finding = findings_of(&reading, "structure-reference")[0];
        assert!(finding.evidence.contains_key("path"), "{name}");
    }
    let root_field = bolt.bucket("lease").value.start;
    for (name, page) in [
        ("bucket at the root bucket", bolt.root()),
        ("bucket out of range", 1 << 40),
    ] {
        let file = damaged(&bolt, |bolt| bolt.put_u64(root_field, page));
        assert_codes(name, &file, &["structure-reference"]);
    }
    for page in [0, 1, bolt.high_water_mark(), u64::MAX] {
        let file = damaged(&bolt, |bolt| bolt.put_metas(32, page));
        assert_codes("root bucket out of range", &file, &["structure-reference"]);
    }
}

#[test]
fn a_cycle_through_two_levels_is_told() {
    let bolt = store();
    let root = bolt.bucket_root("key");
    let middle = bolt.elements(root)[1].child;
    assert!(bolt.is_branch(middle), "three levels");
    let child = bolt.elements(middle)[0].at + 8;
    let reading = read(&damaged(&bolt, |bolt| bolt.put_u64(child, root)));
    assert_eq!(
        codes(&reading),
        ["structure-reference", "record-missing"],
        "{}",
        told(&reading)
    );
}

/// Each commit writes the root page anew and leaves the old one behind; a large file holds thousands of them.
#[test]
fn stale_root_pages_do_not_crowd_out_the_live_one() {
    let mut bolt = with_leases(Form::default());
    let root = bolt.root();
    let page = bolt.bytes[bolt.page(root)..][..4096].to_vec();
    let mut id = bolt.high_water_mark();
    for _ in 0..6000 {
        bolt.bytes.extend(&page);
        bolt.put_u64(bolt.page(id), id);
        id += 1;
    }
    bolt.put_metas(56, id);
    assert_codes("root in front", &bolt.sealed(), &[]);
    bolt.put_metas(32, id - 1);
    assert_codes("root behind", &bolt.sealed(), &[]);
}
