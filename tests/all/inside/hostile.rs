//! Values that no API server wrote, through the command: an error for that object alone, and no escape on a terminal.

use super::clusters::run;
use super::made;
use crate::cli::environment::{Ran, TestEnv};
use serde_json::{Value, json};

/// A ConfigMap that is as it should be.
fn sound(name: &str) -> (String, Vec<u8>) {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"}, "data": {"a": "b"},
    });
    (
        format!("/kubernetes.io/configmaps/shop/{name}"),
        object.to_string().into_bytes(),
    )
}

fn at(name: &str, value: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
    (
        format!("/kubernetes.io/configmaps/shop/{name}"),
        value.into(),
    )
}

/// The envelope of a ConfigMap around these bytes of a field whose length is told as `length`.
fn protobuf(length: &[u8], bytes: &[u8]) -> Vec<u8> {
    let head = b"k8s\0\x0A\x0F\x0A\x02v1\x12\x09ConfigMap\x12";
    let inner = [b"\x0A".as_slice(), length, bytes].concat();
    let outer = u8::try_from(inner.len()).expect("short");
    [head.as_slice(), &[outer], &inner].concat()
}

fn hostile() -> Vec<(String, Vec<u8>)> {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let open = "{\"a\":".repeat(200_000);
    vec![
        at(
            "huge",
            protobuf(b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", b"x"),
        ),
        at("cut", protobuf(b"\x40", b"short")),
        at("utf8", protobuf(b"\x03", b"\x0A\x01\xFF")),
        at(
            "endless",
            b"k8s\0\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF".to_vec(),
        ),
        at(
            "deep",
            format!("{{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"a\":{deep}}}"),
        ),
        at("open", open),
        at(
            "number",
            format!("{{\"kind\":\"ConfigMap\",\"a\":1{}}}", "0".repeat(10_000)),
        ),
        at(
            "latin1",
            b"{\"kind\":\"ConfigMap\",\"a\":\"\xE9\"}".to_vec(),
        ),
        at("nothing", Vec::new()),
        at("zeros", vec![0; 4096]),
        at("sealed", b"k8s:enc:aescbc:v1:1:short".to_vec()),
    ]
}

fn put(env: &TestEnv) -> String {
    let mut objects = vec![sound("a-first")];
    objects.extend(hostile());
    objects.push(sound("z-last"));
    made::put(env, "hostile", &objects)
}

/// Both sound objects are told, and the others named on stderr.
#[track_caller]
fn tells_the_sound_ones(ran: &Ran) {
    for name in ["a-first", "z-last"] {
        assert!(ran.stdout.contains(name), "{name}: {ran:?}");
    }
    assert!(ran.stdout.len() < 30_000, "{}", ran.stdout.len());
    assert!(ran.stderr.len() < 4_000, "{}", ran.stderr.len());
}

#[test]
fn an_object_that_cannot_be_decoded_is_an_error_for_itself_alone() {
    let env = TestEnv::new();
    let snapshot = put(&env);
    for format in ["yaml", "json"] {
        let ran = run(&env, &["get", &snapshot, "cm", "-A", "-o", format]).ends_with(1);
        tells_the_sound_ones(&ran);
        for (key, _) in hostile() {
            let name = key.rsplit('/').next().expect("a name");
            // Any number of digits is a number.
            if name != "number" {
                assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
            }
        }
    }
    let list = run(&env, &["ls", &snapshot, "cm", "-A", "-o", "json"]);
    tells_the_sound_ones(&list);
    tells_the_sound_ones(&run(&env, &["ls", &snapshot, "cm", "-A"]));
    for (key, _) in hostile() {
        let name = key.rsplit('/').next().expect("a name");
        let ran = run(&env, &["history", &snapshot, "cm", "-n", "shop", name]);
        assert!(ran.code.is_some_and(|code| code < 2), "{ran:?}");
    }
}

#[test]
fn a_difference_goes_past_what_cannot_be_decoded() {
    let env = TestEnv::new();
    let from = put(&env);
    let mut objects = vec![sound("a-first"), sound("b-new")];
    objects.extend(hostile().into_iter().map(|(key, mut value)| {
        value.push(b' ');
        (key, value)
    }));
    let to = made::put(&env, "other", &objects);
    let ran = run(&env, &["diff", &from, &to, "--names"]);
    assert!(ran.code.is_some_and(|code| code < 2), "{ran:?}");
    assert!(ran.stdout.contains("+ configmap/shop/b-new"), "{ran:?}");
    assert!(ran.stdout.contains("- configmap/shop/z-last"), "{ran:?}");
    let ran = run(&env, &["diff", &from, &to, "--object", "cm", "shop/utf8"]);
    assert!(ran.code.is_some_and(|code| code != 101), "{ran:?}");
}

#[test]
fn nothing_steers_a_terminal() {
    let env = TestEnv::new();
    let evil = "\u{1b}[2J\u{1b}]0;gone\u{7}\u{202e}\r\n\u{9b}31m";
    let object = |number: usize| {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": evil, "namespace": evil, "labels": {"a": evil},
                "managedFields": [{"manager": evil, "time": evil}],
            },
            "data": {evil: evil, "n": number.to_string()},
        });
        object.to_string().into_bytes()
    };
    let key = format!("/kubernetes.io/configmaps/shop/{evil}");
    let crd = format!("/kubernetes.io/{evil}/{evil}/shop/{evil}");
    let from = made::put(
        &env,
        "from",
        &[(key.clone(), object(1)), (crd.clone(), object(1))],
    );
    let changed = [(key.clone(), object(1)), (key, object(2)), (crd, object(3))];
    let to = made::put(&env, "to", &changed);
    let all: [&[&str]; 9] = [
        &["verify", &from],
        &["ls", &to],
        &["ls", &to, "--size"],
        &["ls", &to, "cm", "-A"],
        &["ls", &to, "cm", "-A", "-o", "name"],
        &["get", &to, "cm", "-A"],
        &["get", &to, "cm", "-A", "-o", "json"],
        &["diff", &from, &to, "--names"],
        &["history", &to, "cm", "-n", "shop", evil],
    ];
    for arguments in all {
        let ran = run(&env, arguments);
        for text in [&ran.stdout, &ran.stderr] {
            let steering = text
                .chars()
                .find(|&c| (c.is_control() && c != '\n') || c == '\u{202e}');
            assert_eq!(steering, None, "{arguments:?}: {text:?}");
        }
    }
    // What a program reads is whole.
    let list: Value = run(&env, &["get", &to, "cm", "-A", "-o", "json"]).json();
    assert_eq!(list["items"][0]["data"][evil], evil);
}
