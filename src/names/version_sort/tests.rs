use super::*;
use proptest::prelude::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

fn sorted(names: &[&str], rules: Coreutils) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort_by(|left, right| compare(left.as_bytes(), right.as_bytes(), rules));
    names
}

#[test]
fn a_forced_backup_sorts_behind_the_clean_one_of_the_same_second() {
    let clean = "snapshot_2024-11-02_030000.db";
    let dirty = "snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db";
    for rules in [Coreutils::V8, Coreutils::V9] {
        assert_eq!(sorted(&[dirty, clean], rules), [clean, dirty]);
    }
}

#[test]
fn the_examples_of_the_manual_hold() {
    let rows: [&[&str]; 4] = [
        &["abc.zml-1.gz", "abc.zml-2.gz", "abc.zml-12.gz"],
        &["abc-1.01a.tgz", "abc-1.007.tgz", "abc-1.012b.tgz"],
        &["hello-8.txt", "hello-8.2.txt"],
        &["~", "1~", "1", "1%", "1.2"],
    ];
    for expected in rows {
        let mut shuffled = expected.to_vec();
        shuffled.reverse();
        for rules in [Coreutils::V8, Coreutils::V9] {
            assert_eq!(sorted(&shuffled, rules), *expected, "{rules:?}");
        }
    }
}

#[test]
fn the_two_rule_sets_part_at_double_dots_and_at_leading_zeros() {
    let zeros = ["a1.b2", "a01.b10"];
    assert_eq!(sorted(&zeros, Coreutils::V8), ["a01.b10", "a1.b2"]);
    assert_eq!(sorted(&zeros, Coreutils::V9), ["a1.b2", "a01.b10"]);
    assert_eq!(stem_v8(b"snapshot_1..db"), b"snapshot_1..db");
    assert_eq!(stem_v9(b"snapshot_1..db"), b"snapshot_1.");
}

/// What the installed `ls -v` makes of these names; `None` when there is no GNU `ls`.
fn real_order(directory: &Path, names: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let mut command = Command::new("ls");
    command
        .env("LC_ALL", "C")
        .current_dir(directory)
        .args(["-vd", "--zero", "--"]);
    let output = command
        .args(names.iter().map(|name| OsStr::from_bytes(name)))
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let names = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Some(names.map(<[u8]>::to_vec).collect())
}

/// The rules of the installed `ls`; `--zero` came with coreutils 9.0.
fn is_real_ls_v9() -> bool {
    let text = Command::new("ls").arg("--version").output();
    let first = text
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let version = first.and_then(|text| {
        text.lines()
            .next()?
            .split_whitespace()
            .last()
            .map(str::to_owned)
    });
    let version = version.unwrap_or_default();
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    major >= Some(9) && !version.starts_with("9.0")
}

/// Bytes that have a meaning to the rules come often; all others but `/` and NUL come too.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(b"..~~00019aAzZ_-% \n".to_vec());
    let any = (1_u8..=255).prop_filter("no slash", |byte| *byte != b'/');
    let byte = prop_oneof![8 => special, 1 => any];
    let piece = prop_oneof![
        12 => byte.prop_map(|byte| vec![byte]),
        1 => Just(b"snapshot_".to_vec()),
        1 => Just(b".db".to_vec()),
        1 => Just(b"__POSSIBLY_DIRTY__".to_vec()),
        1 => Just(b".tar.gz".to_vec()),
        1 => Just(b"2024-11-02_030000".to_vec()),
    ];
    let pieces = prop::collection::vec(piece, 1..10).prop_map(|pieces| pieces.concat());
    pieces.prop_filter("hidden names are out of scope", |name| {
        !name.starts_with(b".")
    })
}

#[test]
fn hostile_names_come_in_the_order_of_the_real_ls() {
    if !is_real_ls_v9() {
        eprint_skip();
        return;
    }
    let mut config = ProptestConfig::with_cases(200);
    config.failure_persistence = None;
    let lists = prop::collection::btree_set(name(), 2..24);
    proptest!(config, |(names in lists)| {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let mut names: Vec<Vec<u8>> = names.into_iter().collect();
        for name in &names {
            let path = directory.path().join(OsStr::from_bytes(name));
            std::fs::write(path, b"").expect("a name without slash and NUL can be made");
        }
        let expected = real_order(directory.path(), &names).expect("ls lists what was made");
        names.sort_by(|left, right| compare(left, right, Coreutils::V9));
        prop_assert_eq!(names, expected);
    });
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn eprint_skip() {
    eprintln!("skipped: no GNU ls 9.1 or later to compare with");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]
    #[test]
    fn both_rule_sets_are_total_orders(a in name(), b in name(), c in name()) {
        for rules in [Coreutils::V8, Coreutils::V9] {
            prop_assert_eq!(compare(&a, &b, rules), compare(&b, &a, rules).reverse());
            prop_assert_eq!(compare(&a, &b, rules).is_eq(), a == b);
            let mut three = [&a, &b, &c];
            // `sort_by` may panic on an order that is none.
            three.sort_by(|left, right| compare(left, right, rules));
            let [first, _, last] = three;
            prop_assert!(compare(first, last, rules).is_le());
        }
    }
}
