use super::*;
use std::ffi::OsStr;

fn kind(head: &[u8]) -> Option<ForeignKind> {
    recognise(head).map(|foreign| foreign.kind)
}

/// A page of a database as a little-endian machine writes it.
fn first_page() -> Vec<u8> {
    let mut page = vec![0; 4096];
    page.splice(8..10, [4, 0]);
    page.splice(16..24, [0xED, 0xDA, 0x0C, 0xED, 2, 0, 0, 0]);
    page
}

#[test]
fn encrypted_files_are_known_by_the_program() {
    // The first bytes that openssl 3.0, gpg 2.2 (a passphrase, RSA, Curve25519) and the formats' documents give.
    let rows: [(&[u8], &str); 10] = [
        (
            b"Salted__\x11\x22\x33\x44\x55\x66\x77\x88",
            "openssl enc -d ",
        ),
        (
            b"U2FsdGVkX1+dXa8JBLVJtv0QSdYHdxinuhk7EI5LVRo=",
            "openssl enc -d -a ",
        ),
        (
            b"\x8c\x0d\x04\x09\x03\x02\xd8\x56\xe7\xbf\xb1\x96\xa0\x5f\xff\xd2",
            "gpg -d FILE | etcd-cat verify -",
        ),
        (
            b"\x85\x01\x0c\x03\x67\x01\x36\xbe\xa4\xb1\xfc\x57\x01\x08\x00\xc1",
            "gpg -d FILE | etcd-cat verify -",
        ),
        (
            b"\x84\x5e\x03\x5a\x92\x62\xf5\x80\x30\x9b\x76\x12\x01\x07\x40\x74",
            "gpg -d FILE | etcd-cat verify -",
        ),
        (
            b"-----BEGIN PGP MESSAGE-----\n\njA0E",
            "gpg -d FILE | etcd-cat verify -",
        ),
        (
            b"age-encryption.org/v1\n-> X25519 abc",
            "age -d -i KEY FILE | etcd-cat verify -",
        ),
        (
            b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl",
            "age -d -i KEY FILE | etcd-cat verify -",
        ),
        (
            b"$ANSIBLE_VAULT;1.1;AES256\n6638",
            "ansible-vault decrypt --output - FILE | etcd-cat verify -",
        ),
        (b"RCLONE\0\0abcdefgh", "rclone cat"),
    ];
    for (head, pipe) in rows {
        let foreign = recognise(head).expect("it is known");
        assert_eq!(foreign.kind, ForeignKind::Encrypted, "{head:?}");
        assert!(foreign.remedy.contains(pipe), "{foreign:?}");
    }
}

#[test]
fn what_only_begins_like_a_packet_is_not_encrypted() {
    for head in [
        &b"\x8c\x0d\x09\x09\x03\x02"[..],
        b"\x85\x00\x01\x03",
        b"\x85\x01\x0c\x02\x67\x01\x36\xbe\xa4\xb1\xfc\x57\x01",
        b"\x8c",
        b"\xc3\xff",
        b"",
    ] {
        assert_eq!(kind(head), None, "{head:?}");
    }
}

#[test]
fn text_in_the_place_of_an_object_is_called_what_it_is() {
    let rows: [(&str, ForeignKind, &str); 9] = [
        (
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
            ForeignKind::ErrorPage,
            "object store, saved in the place of the object: AccessDenied",
        ),
        (
            "\n<!DOCTYPE html><html><title>Log in</title>",
            ForeignKind::ErrorPage,
            "HTML page",
        ),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 114446368\n",
            ForeignKind::Pointer,
            "file of 114446368 bytes",
        ),
        (
            "/annex/objects/SHA256E-s98336--ab.db\n",
            ForeignKind::Pointer,
            "git-annex",
        ),
        (
            "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"code\":403}",
            ForeignKind::ErrorPage,
            ": Forbidden",
        ),
        (
            "Error from server (NotFound): pods \"x\" not found\n",
            ForeignKind::ErrorPage,
            "oc or kubectl",
        ),
        (
            "Starting pod/master-0-debug ...\nTo use host binaries",
            ForeignKind::ErrorPage,
            "oc debug",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\n",
            ForeignKind::ErrorPage,
            "HTTP answer",
        ),
        ("hello\n", ForeignKind::Text, "text, and no database"),
    ];
    for (text, kind, words) in rows {
        let foreign = recognise(text.as_bytes()).expect("it is known");
        assert_eq!(foreign.kind, kind, "{text}");
        assert!(foreign.what.contains(words), "{foreign:?}");
    }
}

#[test]
fn of_a_text_nothing_is_told_that_could_be_a_secret() {
    for text in [
        "<Error><Code>AKIA-12/34 key</Code></Error>",
        "{\"reason\": \"token eyJhbGciOi.x\"}",
        "password: hunter2\n",
        "apiVersion: v1\nkind: Config\nusers: [token: hunter2]\n",
    ] {
        let foreign = recognise(text.as_bytes()).expect("it is known");
        let told = format!("{}{}", foreign.what, foreign.remedy);
        for secret in ["AKIA", "eyJ", "hunter2"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn damage_by_text_modes_is_known() {
    let page = first_page();
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(page.iter().flat_map(|byte| [*byte, 0]))
        .collect();
    let replaced = String::from_utf8_lossy(&page).into_owned();
    let latin: String = page.iter().map(|byte| char::from(*byte)).collect();
    for damaged in [utf16.as_slice(), replaced.as_bytes(), latin.as_bytes()] {
        assert_eq!(kind(damaged), Some(ForeignKind::TextModeDamage));
    }
    assert_eq!(kind(&page), None);
}

#[test]
fn a_database_is_found_behind_other_bytes() {
    for (before, is_text) in [
        (&b"Starting pod/x ...\r\n"[..], true),
        (b"\x01", false),
        (b"\0\0\0", false),
        (b"\x1b[0m\n", true),
    ] {
        let mut bytes = before.to_vec();
        bytes.extend(first_page());
        let length = u64::try_from(before.len()).expect("few");
        assert_eq!(
            leading_bytes(&bytes),
            Some(LeadingBytes { length, is_text }),
            "{before:?}"
        );
    }
    assert_eq!(leading_bytes(&first_page()), None);
    assert_eq!(leading_bytes(b"nothing of the kind"), None);
    let mut far = vec![b' '; 70_000];
    far.extend(first_page());
    assert_eq!(leading_bytes(&far), None, "no further than 64 KiB");
}

fn groups(names: &[&str]) -> Vec<(usize, bool, bool)> {
    let names = names.iter().map(|name| ((), OsStr::new(*name)));
    let groups = Parts::among(names);
    let told = groups
        .iter()
        .map(|parts| (parts.count(), parts.has_first(), parts.is_gapless()));
    told.filter(|(count, ..)| *count > 1).collect()
}

#[test]
fn parts_of_a_split_file_are_known_by_their_names() {
    for names in [
        ["snapshot.db.aa", "snapshot.db.ab", "snapshot.db.ac"],
        ["snapshot.dbaa", "snapshot.dbab", "snapshot.dbac"],
        [
            "backup.tar.gz.001",
            "backup.tar.gz.002",
            "backup.tar.gz.003",
        ],
        [
            "backup.tgz.part-aa",
            "backup.tgz.part-ab",
            "backup.tgz.part-ac",
        ],
        [
            "backup.tgz.part00",
            "backup.tgz.part01",
            "backup.tgz.part02",
        ],
        ["s.db.gpg_aa", "s.db.gpg_ab", "s.db.gpg_ac"],
    ] {
        assert_eq!(groups(&names), [(3, true, true)], "{names:?}");
    }
    assert_eq!(groups(&["x.db.ab", "x.db.ac"]), [(2, true, true)]);
    assert_eq!(groups(&["x.db.aa", "x.db.ac"]), [(2, true, false)]);
    assert_eq!(groups(&["x.db.003", "x.db.004"]), [(2, false, true)]);
    assert_eq!(
        groups(&[
            "1747123757.db",
            "1747123758.db",
            "a.db",
            "b.db",
            "kaa",
            "kab",
            "v1.2.001",
            "v1.2.002"
        ]),
        []
    );
}

#[test]
fn repositories_are_known_by_what_lies_in_them() {
    let id = "0123456789abcdef".repeat(4);
    let restic = [
        ("/r", "config"),
        ("/r/keys", id.as_str()),
        ("/r/snapshots", &id),
        ("/r/data/01", &id),
        ("/other", "config"),
    ];
    let of = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(directory, name)| (OsStr::new(*directory), OsStr::new(*name)));
        let found = repositories(files).into_iter();
        found
            .map(|(place, repository)| (place.to_vec(), repository))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&restic), [(b"/r".to_vec(), Repository::Restic)]);
    assert_eq!(
        of(&[
            ("s3://b", "config"),
            ("s3://b/keys", &id),
            ("s3://b/index", &id)
        ]),
        [(b"s3://b".to_vec(), Repository::Restic)]
    );
    assert_eq!(
        of(&[("/k", "kopia.repository.f"), ("/k/p/x", "y.f")]),
        [(b"/k".to_vec(), Repository::Kopia)]
    );
    assert_eq!(
        of(&[("/b", "config"), ("/b", "index.5"), ("/b/data/0", "3")]),
        [(b"/b".to_vec(), Repository::Borg)]
    );
    assert_eq!(
        of(&[("/b", "config"), ("/b/data/0", "3"), ("/x/keys", &id)]),
        []
    );
    let owns = |path: &str| {
        Repository::Restic.owns(&path.split('/').map(str::as_bytes).collect::<Vec<_>>())
    };
    assert!(owns("data/01/x") && owns("config") && owns("locks/x"));
    assert!(!owns("snapshot_2024-11-02_030000.db") && !owns("data") && !owns("backups/data/x"));
}

#[test]
fn what_other_products_keep_is_known_by_its_name() {
    let kind = |name: &str| product::by_name(OsStr::new(name)).map(|foreign| foreign.kind);
    let other = Some(ForeignKind::OtherProduct);
    assert_eq!(kind("Incr-00009003-00009022-1518427675"), other);
    assert_eq!(kind("Incr-00009003-00009022-1518427675.gz"), other);
    assert_eq!(kind("pki-2024-01-02.tar.gz"), other);
    assert_eq!(kind("Full-00000000-00009002-1518427675"), None);
    assert_eq!(kind("Incr-1-2-3"), None);
    let whose = |name: &str| product::of_snapshot(OsStr::new(name)).map(|(what, _)| what);
    let is_k3s = |name: &str| whose(name).is_some_and(|what| what.contains("k3s"));
    assert!(
        is_k3s("etcd-snapshot-server-1-1747123757") && is_k3s("on-demand-server-1-1747123757.zip")
    );
    assert!(
        whose("Full-00000000-00009002-1518427675.gz").is_some_and(|what| what.contains("Gardener"))
    );
    for name in [
        "etcd-snapshot-server",
        "Full-1-2-3",
        "snapshot_2024-11-02_030000.db",
    ] {
        assert_eq!(whose(name), None, "{name}");
    }
}

#[test]
fn a_path_that_a_shell_would_not_take_is_left_to_the_reader() {
    let foreign = recognise(b"age-encryption.org/v1\n").expect("it is known");
    assert!(
        foreign
            .remedy_for("/b/a.db.age")
            .contains("KEY /b/a.db.age |")
    );
    for path in ["/b/a b", "/b/$(x)", "s3://bucket/a", "-x", "/b/a'b"] {
        assert_eq!(foreign.remedy_for(path), foreign.remedy, "{path}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _foreign = recognise(&bytes);
        let _leading = leading_bytes(&bytes);
        let _part = Parts::among([((), OsStr::new(&*String::from_utf8_lossy(&bytes)))].into_iter());
        let _product = product::by_name(OsStr::new(&*String::from_utf8_lossy(&bytes)));
    }
}
